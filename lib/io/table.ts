import { stripVTControlCharacters } from 'node:util';
import { wrapAnsi } from 'fast-wrap-ansi';
import pc from 'picocolors';
import { redact } from './redaction.js';

type Row = ReadonlyArray<readonly string[]>;

const GAP = 2;
/** What no column is made narrower than: the id of a key stays whole. */
const LEAST = 20;
/** Nor a cell that has a line of its own: then the terminal breaks it. */
const NARROWEST = 8;

/**
 * A borderless table for a terminal; a cell may have lines and bold text. An empty list gives the heading alone.
 * @param room - how wide it may be: wide cells are wrapped, and where that does not do each cell has a line. Default: as stdout, if it is a terminal.
 */
export function renderTable(
  head: readonly string[],
  rows: ReadonlyArray<readonly string[]>,
  // 0 where nobody told the terminal.
  room: number = process.stdout.columns || Infinity,
): string {
  const table = [head.map((title) => pc.bold(title)), ...rows].map((row): Row => row.map((cell) => lines(cell, room)));
  const widest = head.map((_, column) => table.reduce((most, row) => Math.max(most, ...(row[column] ?? []).map(width)), 0));
  let most = room;
  while (most >= LEAST && widest.reduce((sum, one) => sum + Math.min(one, most) + GAP, -GAP) > room) most -= 1;
  const [titles = [], ...records] = table;
  if (most >= LEAST || records.length === 0) return table.flatMap((row) => layOut(row, widest, most)).join('\n');
  const label = Math.max(...head.map(width));
  return records
    .map((cells) =>
      cells
        .flatMap((cell, at) =>
          head[at] === '' ? cell : layOut([titles[at] ?? [], cell], [label, room], Math.max(room - label - GAP, NARROWEST)),
        )
        .join('\n'),
    )
    .join('\n\n');
}

/** A command is pasted, which a line break of ours would cut in two; and a row of a table is laid out already. */
const STAYS = /[`"]|\b(aws|curl|git|halcyon-kit|heroku|npm|npx) [a-z-]|\S {2,}\S/;

/**
 * Lines that are wider than `room` wrapped between words, and the rest of each set in below it; what is to be copied is left to the terminal.
 * What is secret is so no more by then.
 */
export const fold = (text: string, room: number): string =>
  text
    .split('\n')
    .flatMap((line) => (width(line) <= room || STAYS.test(line) ? line : wrapped(line, Math.max(room - GAP, LEAST), { hang: GAP })))
    .join('\n');

/** A secret that is wrapped is found by nobody later. */
const lines = (cell: string, room: number) => (room === Infinity ? cell : redact(cell)).split('\n');

const width = (text: string): number => [...stripVTControlCharacters(text)].length;

/** @param most - columns of a cell: what is wider is wrapped. */
function layOut(row: Row, widths: readonly number[], most: number): string[] {
  const cells = row.map((cell) => cell.flatMap((text) => (width(text) <= most ? text : wrapped(text, most))));
  const padded = (text: string, column: number) => text + ' '.repeat(Math.max(Math.min(widths[column] ?? 0, most) - width(text), 0));
  return Array.from({ length: Math.max(...cells.map(({ length }) => length)) }, (_, at) =>
    cells
      .map((cell, column) => padded(cell[at] ?? '', column))
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

/** @param options.hang - how far all but the first line are set in; words are left whole then. */
function wrapped(text: string, most: number, { hang = 0 } = {}): string[] {
  const indent = /^ */.exec(text)?.[0] ?? '';
  return wrapAnsi(text, most - indent.length, { hard: hang === 0 })
    .split('\n')
    .map((line, at) => indent + (at > 0 ? ' '.repeat(hang) : '') + line.trimStart());
}
