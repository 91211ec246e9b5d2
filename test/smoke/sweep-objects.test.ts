import { expect, test } from 'vitest';
import type { Aws } from '../../lib/aws/aws.js';
import { silentIo } from '../../lib/io/io-host.js';
import { noteOf, sweepObjects } from '../../lib/smoke/leftovers.client.js';

const run = 'halcyon-smoke-abcdefgh';
const archive = `linux/ghc-7.8.4/halcyon-install-1234567-${run}-1.0.tar.gz`;

/** A bucket with these objects, long ago; `stuck` cannot be removed. */
function bucket(keys: string[], stuck?: string) {
  const there = new Set(keys);
  interface Command {
    readonly constructor: { readonly name: string };
    readonly input: { readonly Prefix?: string; readonly Delete?: { readonly Objects: ReadonlyArray<{ readonly Key: string }> } };
  }
  const send = async ({ constructor: { name }, input: { Prefix = '', Delete } }: Command) => {
    if (name === 'ListObjectVersionsCommand')
      return { Versions: [...there].filter((key) => key.startsWith(Prefix)).map((key) => ({ Key: key, LastModified: new Date(0) })) };
    for (const { Key } of Delete?.Objects ?? []) {
      if (Key === stuck) throw new Error('no');
      there.delete(Key);
    }
    return {};
  };
  return { there, aws: { s3: async () => ({ send }) } as unknown as Aws };
}
const keys = [`ads/${run}/present`, archive, noteOf(run, archive)];
const sweep = (aws: Aws) => sweepObjects(aws, { name: 'b', account: '111122223333' }, 'ads', silentIo);

test('a sweep that is cut off leaves the notes of archives that are still there', async () => {
  const { aws, there } = bucket(keys, archive);
  await expect(sweep(aws)).rejects.toThrow('no');
  expect([...there]).toEqual([archive, noteOf(run, archive)]);
});

test('else both go', async () => {
  const { aws, there } = bucket(keys);
  expect(await sweep(aws)).toBe(3);
  expect([...there]).toEqual([]);
});
