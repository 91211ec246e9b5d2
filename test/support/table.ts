/** Rows as aligned columns, for the message of a failing test. */
export function formatTable(rows: ReadonlyArray<Record<string, string>>): string {
  const columns = Object.keys(rows[0] ?? {});
  const width = (column: string) => Math.max(column.length, ...rows.map((row) => row[column]?.length ?? 0));
  const line = (cell: (column: string) => string) => columns.map((column) => cell(column).padEnd(width(column))).join('  ');
  return [line((column) => column), ...rows.map((row) => line((column) => row[column] ?? ''))].join('\n');
}
