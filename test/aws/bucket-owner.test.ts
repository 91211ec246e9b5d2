import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ownedBy } from '../../lib/aws/bucket.js';

const lib = fileURLToPath(new URL('../../lib', import.meta.url));

test('a request names the account that must own its bucket', () => {
  expect(ownedBy({ name: 'acme', account: '111122223333' })).toEqual({ Bucket: 'acme', ExpectedBucketOwner: '111122223333' });
});

test('and no request of the kit names a bucket in another way', () => {
  const sources = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const speaking = sources.filter((name) => readFileSync(join(lib, name), 'utf8').includes('@aws-sdk/client-s3'));
  expect(speaking.length).toBeGreaterThan(5);
  const named = speaking.flatMap((name) =>
    [...readFileSync(join(lib, name), 'utf8').matchAll(/^.*\bBucket\b\s*[:,}].*$/gm)].map(([line]) => `${name}: ${line.trim()}`),
  );
  expect(named).toEqual([expect.stringMatching(/^aws\/bucket\.ts: export const ownedBy = /)]);
});
