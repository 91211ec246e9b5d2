import Table from 'cli-table3';
import pc from 'picocolors';

/** A borderless table for a terminal; ANSI colours in cells are measured rightly. An empty list gives the heading alone. */
export function renderTable(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const none = Object.fromEntries(
    [
      'top',
      'top-mid',
      'top-left',
      'top-right',
      'bottom',
      'bottom-mid',
      'bottom-left',
      'bottom-right',
      'left',
      'left-mid',
      'mid',
      'mid-mid',
      'right',
      'right-mid',
    ].map((name) => [name, '']),
  );
  const table = new Table({
    head: head.map((title) => pc.bold(title)),
    chars: { ...none, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
