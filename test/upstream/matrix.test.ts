import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessOfCell, cells, label, looksFirst, type Cell } from './support/cells.js';
import { asked, isCompared, said } from './support/parity.js';
import { startRig, type Rig } from './support/rig.js';
import { HASKELL_ON_HEROKU, runCell, type Outcome } from './support/run-cell.js';
import { renderMatrix } from './support/table.js';

/** Clones of haskell-on-heroku, halcyon and bashmenot, unmodified, side by side. */
const upstreamDir = process.env.HALCYON_UPSTREAM_DIR ?? '';
const missing = ['haskell-on-heroku', 'halcyon', 'bashmenot'].some((name) => upstreamDir === '' || !existsSync(join(upstreamDir, name)));

/** Without the buildpack, on buckets that refuse version 2. */
const REFUSED: Cell[] = [
  { mode: 'upload', clean: true, signing: 4, bucket: 'own', acl: 'bucket-owner-full-control' },
  { mode: 'read-only', clean: true, signing: 4, bucket: 'existing, slash prefix', acl: 'bucket-owner-full-control' },
];

const all = cells();
const results = new Map<Cell, { cell: Cell; outcome?: Outcome; error?: unknown }>();
const outcomeOf = (cell: Cell): Outcome => {
  const result = results.get(cell);
  if (result?.outcome === undefined) throw result?.error;
  return result.outcome;
};

describe.skipIf(missing)('unmodified haskell-on-heroku in every mode (set HALCYON_UPSTREAM_DIR)', () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig({ upstreamDir });
    const run = async (cell: Cell, resign: boolean) => {
      const result = await runCell(rig, cell, resign ? {} : { resign }).then(
        (outcome) => ({ cell, outcome }),
        (error: unknown) => ({ cell, error }),
      );
      results.set(cell, result);
    };
    const jobs = [...all.map((cell) => ({ cell, resign: true })), ...REFUSED.map((cell) => ({ cell, resign: false }))];
    // Mostly waiting for processes of the builds; where builds cannot be told apart from each other, the sandbox lets them take turns.
    await pMap(jobs, ({ cell, resign }) => run(cell, resign), { concurrency: 4 });
  }, 600_000);

  afterAll(async () => {
    if (results.size > 0) {
      console.log(renderMatrix(all.map((cell) => results.get(cell)!)));
      console.log(
        `without the buildpack, where version 2 is refused:\n${renderMatrix(
          REFUSED.map((cell) => results.get(cell)!),
          [],
        )}`,
      );
    }
    await rig?.stop();
  });

  test.each(all.map((cell) => [label(cell), cell] as const))('%s', (_label, cell) => {
    const outcome = outcomeOf(cell);
    const { first, second, proofs, requests, page } = outcome;
    expect(outcome.buildpacks).toEqual(cell.signing === 4 ? [rig.buildpackUrl, HASKELL_ON_HEROKU] : [HASKELL_ON_HEROKU]);
    expect(outcome.leaked).toBe(false);

    expect(proofs.filter(({ ok }) => !ok)).toEqual([]);

    // Without an archive: the buildpack alone, released all the same.
    expect(first !== undefined).toBe(looksFirst(cell));
    if (first) {
      expect(first.build.status).toBe('succeeded');
      expect(first.log.buildpackOnly).toBe(true);
      expect(first.log.deployed).toBeUndefined();
      expect(first.log.sourceHash).toBe(outcome.hash.slice(0, 7));
    }
    if (accessOfCell(cell) === undefined) {
      expect(first?.log.storage).toBe('public');
      expect(first?.log.requests.filter(({ url }) => url.startsWith('s3:'))).toEqual([]);
      expect(first?.log.requests.length).toBeGreaterThan(0);
      expect(requests).toEqual([]);
      return;
    }

    // With it: found under the same hash, whether our buildpack added its files or not.
    const misses = first?.log.requests ?? [];
    expect(misses.every(({ url, outcome: said }) => url.startsWith(`s3://${outcome.bucket}/`) && said === '404 (not found)')).toBe(true);
    expect(second?.log).toMatchObject({ storage: 'private', buildpackOnly: false, deployed: outcome.label, errors: [] });
    expect(second?.log.requests).toEqual([{ action: 'Downloading', url: `s3://${outcome.bucket}/${outcome.archive}`, outcome: 'done' }]);
    expect(page).toBe('found');

    // Every request as the guide has it: made by this principal, in this order, signed in the configured version, decided so.
    expect(
      requests.map(({ operation, resource, acl, status }) => ({ operation, resource, ...(acl === undefined ? {} : { acl }), status })),
    ).toEqual(outcome.expected);
    expect(new Set(requests.map(({ signatureVersion }) => signatureVersion))).toEqual(new Set([cell.signing]));
    expect(new Set(requests.map(({ principal }) => principal))).toEqual(new Set([outcome.userArn]));
  });

  test.each(REFUSED.map((cell) => [label(cell), cell] as const))('fails as Halcyon fails, without the buildpack: %s', (_label, cell) => {
    const { first, second, requests, dynoLines, page, bucket, archive } = outcomeOf(cell);
    for (const built of [first, second]) {
      // Four words hide the refusal: the build goes on as if the archive were not there, and replaces the app with nothing.
      expect(built?.build.status).toBe('succeeded');
      expect(built?.log).toMatchObject({ storage: 'private', buildpackOnly: true });
      expect(built?.log.requests[0]).toEqual({ action: 'Downloading', url: `s3://${bucket}/${archive}`, outcome: '400 (bad request)' });
    }
    expect(page).not.toBe('found');
    expect(dynoLines.filter((line) => / \d+ 400 \(bad request\)$/.test(line)).length).toBeGreaterThan(5);
    expect(new Set(requests.map(({ signatureVersion, status, reason }) => `${signatureVersion} ${status} ${reason}`))).toEqual(
      new Set(['2 400 InvalidRequest']),
    );
  });
});

describe.skipIf(missing)('the stand-in says and asks for what haskell-on-heroku does', () => {
  const compared = all.filter(isCompared);
  const standIns = new Map<Cell, Outcome>();

  beforeAll(async () => {
    const rig = await startRig({ upstreamDir: null });
    try {
      await pMap(compared, async (cell) => standIns.set(cell, await runCell(rig, cell)), { concurrency: 4 });
    } finally {
      await rig.stop();
    }
  }, 300_000);

  test.each(compared.map((cell) => [label(cell), cell] as const))('%s', (_label, cell) => {
    const [real, standIn] = [outcomeOf(cell), standIns.get(cell)!];
    expect(asked(standIn)).toEqual(asked(real));
    expect(said(real, 'first').length).toBeGreaterThan(15);
    expect(said(standIn, 'first')).toEqual(said(real, 'first'));
    expect(said(real, 'second').length).toBeGreaterThan(cell.mode === 'public' ? -1 : 15);
    expect(said(standIn, 'second')).toEqual(said(real, 'second'));
    expect(standIn.proofs).toEqual(real.proofs);
    expect(standIn.page).toBe(real.page);
  });
});
