import { describe, expect, test } from 'vitest';
import { parseBuildLog } from '../../lib/smoke/log.js';
import { publicProofs, unwrittenProofs } from '../../lib/smoke/proofs.plan.js';

test('publicProofs: a request to a private bucket is seen', () => {
  const log = parseBuildLog('       External storage:   public\n  Downloading s3://b/k... 404 (not found)\n');
  expect(publicProofs(log).map(({ ok }) => ok)).toEqual([true, false]);
});

describe('unwrittenProofs: what Halcyon may not try is seen, though it was refused', () => {
  const uploads = '  Uploading s3://b/k... 403 (forbidden)\n';
  const deletes = '  Deleting s3://b/k... 403 (forbidden)\n';
  test.each([
    [{ mode: 'read-only' } as const, uploads, [false]],
    [{ mode: 'read-only' } as const, deletes, [false]],
    [{ mode: 'read-only' } as const, '  Downloading s3://b/k... done\n', [true]],
    [{ mode: 'upload', clean: false } as const, deletes, [false]],
    [{ mode: 'upload', clean: false } as const, uploads, [true]],
    [{ mode: 'upload', clean: true } as const, deletes, []],
    [{ mode: 'public' } as const, '', []],
  ])('%j, log %j', (storage, log, ok) => {
    expect(unwrittenProofs(parseBuildLog(log), storage).map((proof) => proof.ok)).toEqual(ok);
  });
});
