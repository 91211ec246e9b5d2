import pMap from 'p-map';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessOfCell, CELLS, label, type Cell } from './support/cells.js';
import { asked, said } from './support/parity.js';
import { startRig } from './support/rig.js';
import { runCell, type Outcome } from './support/run-cell.js';
import { missing, upstreamDir } from './support/upstream.js';

/** The sandbox's stand-in for haskell-on-heroku is only worth what it has in common with the real one. */
describe.skipIf(missing)('the stand-in says and asks for what haskell-on-heroku does (set HALCYON_UPSTREAM_DIR)', () => {
  const reals = new Map<Cell, Outcome>();
  const standIns = new Map<Cell, Outcome>();

  beforeAll(async () => {
    const play = async (dir: string | null, outcomes: Map<Cell, Outcome>) => {
      const rig = await startRig({ upstreamDir: dir });
      try {
        await pMap(CELLS, async (cell) => outcomes.set(cell, await runCell(rig, cell)), { concurrency: 2 });
      } finally {
        await rig.stop();
      }
    };
    // One after the other: each aims this process at its own sandbox.
    await play(upstreamDir, reals);
    await play(null, standIns);
  }, 600_000);

  test.each(CELLS.map((cell) => [label(cell), cell] as const))('%s: the real one', (_label, cell) => {
    const { first, second, proofs, requests, page, ...outcome } = reals.get(cell) as Outcome;
    expect(proofs.filter(({ ok }) => !ok)).toEqual([]);
    // Without an archive: the buildpack alone, released all the same.
    expect(first.build.status).toBe('succeeded');
    expect(first.log).toMatchObject({ buildpackOnly: true, sourceHash: outcome.hash.slice(0, 7) });
    expect(first.log.deployed).toBeUndefined();
    const where = accessOfCell(cell);
    expect(first.log.storage).toBe(where === undefined ? 'public' : 'private');
    expect(
      requests.map(({ operation, resource, acl, status }) => ({ operation, resource, ...(acl === undefined ? {} : { acl }), status })),
    ).toEqual(outcome.expected);
    if (where === undefined) return;
    expect(second?.log).toMatchObject({ storage: 'private', buildpackOnly: false, deployed: outcome.label, errors: [] });
    expect(second?.log.requests).toEqual([{ action: 'Downloading', url: `s3://${outcome.bucket}/${outcome.archive}`, outcome: 'done' }]);
    expect(page).toBe('found');
    expect(new Set(requests.map(({ signatureVersion }) => signatureVersion))).toEqual(new Set([cell.signing]));
    expect(new Set(requests.map(({ principal }) => principal))).toEqual(new Set([outcome.userArn]));
  });

  test.each(CELLS.map((cell) => [label(cell), cell] as const))('%s: the stand-in', (_label, cell) => {
    const [real, standIn] = [reals.get(cell) as Outcome, standIns.get(cell) as Outcome];
    expect(asked(standIn)).toEqual(asked(real));
    expect(said(real, 'first').length).toBeGreaterThan(15);
    expect(said(standIn, 'first')).toEqual(said(real, 'first'));
    expect(said(real, 'second').length).toBeGreaterThan(cell.mode === 'public' ? -1 : 15);
    expect(said(standIn, 'second')).toEqual(said(real, 'second'));
    expect(standIn.proofs).toEqual(real.proofs);
    expect(standIn.page).toBe(real.page);
  });
});
