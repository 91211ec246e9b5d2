import { CopyObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { Aws } from '../../../lib/aws/aws.js';
import { s3Packages } from '../../../lib/engine/ports/s3-packages.client.js';

const reach = (bucketName: string) => ({ account: '111122223333', bucketName, region: 'eu-west-1', acl: 'private' as const });
const PACKAGES = { 'linux-ubuntu-24.04-x86_64/ghc.tar.gz': 9, 'original/cabal.tar.gz': 4, '.halcyon-kit/lease/a.json': 1 };

/** Two buckets in memory. `bytes`: what a copy leaves there; undefined: nothing. */
function setUp(bytes: (key: string, times: number) => number | undefined) {
  const buckets: Record<string, Map<string, number>> = { from: new Map(Object.entries(PACKAGES)), to: new Map() };
  const copied: string[] = [];
  const client = new S3Client({ region: 'eu-west-1' });
  client.send = async (command: unknown) => {
    if (command instanceof ListObjectsV2Command)
      return { Contents: [...(buckets[command.input.Bucket ?? ''] ?? [])].map(([Key, Size]) => ({ Key, Size })) };
    if (!(command instanceof CopyObjectCommand)) throw new Error('not expected');
    const key = command.input.Key ?? '';
    copied.push(key);
    const size = bytes(key, copied.filter((one) => one === key).length);
    if (size !== undefined) buckets.to?.set(key, size);
    return {};
  };
  const packages = s3Packages(() => ({ s3: async () => client }) as unknown as Aws);
  return { copied, copy: () => packages.copy(reach('from'), reach('to'), { guard: async () => {} }) };
}
const sizeOf = (key: string) => PACKAGES[key as keyof typeof PACKAGES];

describe('packages that are copied', () => {
  test('are all there afterwards, and nothing of the kit', async () => {
    const { copied, copy } = setUp(sizeOf);
    expect(await copy()).toEqual({ objects: 2, bytes: 13 });
    expect(copied).toEqual(['linux-ubuntu-24.04-x86_64/ghc.tar.gz', 'original/cabal.tar.gz']);
  });

  test.each([
    ['absent', undefined],
    ['cut short', 2],
  ])('are copied again where one is %s', async (_what, size) => {
    const { copied, copy } = setUp((key, times) => (key.startsWith('original') && times === 1 ? size : sizeOf(key)));
    expect(await copy()).toEqual({ objects: 2, bytes: 13 });
    expect(copied).toHaveLength(3);
  });

  test('are named where they do not come right', async () => {
    const { copied, copy } = setUp((key) => (key.startsWith('original') ? 2 : sizeOf(key)));
    await expect(copy()).rejects.toMatchObject({
      code: 'packages-differ',
      message: expect.stringMatching(/^original\/cabal.tar.gz is not in to as in from/),
    });
    expect(copied.filter((key) => key.startsWith('original'))).toHaveLength(3);
  });
});
