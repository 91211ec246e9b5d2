import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';

/** A borderless table for a terminal; a cell may have lines and bold text. An empty list gives the heading alone. */
export function renderTable(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const table = [head.map((title) => pc.bold(title)), ...rows].map((row) => row.map((cell) => cell.split('\n')));
  const width = (text: string): number => [...stripVTControlCharacters(text)].length;
  const widths = head.map((_, column) =>
    table.reduce((most, row) => (row[column] ?? []).reduce((wide, text) => Math.max(wide, width(text)), most), 0),
  );
  const padded = (text: string, column: number): string => text + ' '.repeat((widths[column] ?? 0) - width(text));
  const line = (row: readonly string[][], at: number): string =>
    row
      .map((cell, column) => padded(cell[at] ?? '', column))
      .join('  ')
      .trimEnd();
  return table.flatMap((row) => Array.from({ length: Math.max(...row.map(({ length }) => length)) }, (_, at) => line(row, at))).join('\n');
}
