import { renderTable } from '../../../lib/io/table.js';
import { accessOfCell, COLLAPSED, type Cell } from './cells.js';
import type { Outcome } from './run-cell.js';

/** A row a cell, as it was seen. */
export function renderMatrix(results: ReadonlyArray<{ cell: Cell; outcome?: Outcome; error?: unknown }>, notes = COLLAPSED): string {
  const rows = results.map(({ cell, outcome, error }) => [
    accessOfCell(cell) ?? 'public',
    String(cell.signing),
    cell.bucket ?? '-',
    cell.mode === 'upload' ? (cell.acl ?? '-') : '-',
    ...(outcome === undefined ? [String((error as Error | undefined)?.message ?? error).slice(0, 60), '', '', '', '', ''] : seen(outcome)),
  ]);
  return [
    renderTable(['mode', 'signing', 'bucket', 'ACL', 'storage', 'no archive', 'archive', 'S3 on a dyno', 'page', 'requests'], rows),
    ...notes.map(({ cells, reason }) => `left out: ${cells}: ${reason}`),
  ].join('\n');
}

function seen({ first, second, proofs, page, requests }: Outcome): string[] {
  const build = (built: Outcome['first'] | undefined) =>
    built === undefined
      ? '-'
      : built.log.deployed !== undefined
        ? 'deployed'
        : built.log.buildpackOnly
          ? 'buildpack only'
          : built.build.status;
  const versions = [...new Set(requests.map(({ signatureVersion }) => `v${signatureVersion}`))].join(' and ');
  return [
    (second ?? first)?.log.storage ?? 'nothing said',
    build(first),
    build(second),
    `${proofs.filter(({ ok }) => ok).length} of ${proofs.length}`,
    page,
    requests.length === 0 ? 'none' : `${requests.length}, ${versions}`,
  ];
}
