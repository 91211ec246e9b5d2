import { DeleteObjectsCommand, ListObjectsV2Command, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import { emptyBucket, Objects } from '../../lib/smoke/objects.client.js';

const s3 = mockClient(S3Client);
afterAll(() => s3.restore());
const [aws, bucket] = [createAws({ region: 'eu-west-1' }), { name: 'packages', account: '111122223333' }];
const objects = new Objects(aws, bucket);
const refusal = (name: string) => s3.on(ListObjectVersionsCommand).rejects(Object.assign(new Error('no'), { name }));
beforeEach(() => {
  s3.reset();
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'run/one' }] });
  s3.on(DeleteObjectsCommand).resolves({});
});

test('who may not list versions removes what a build sees', async () => {
  refusal('AccessDenied');
  expect(await objects.remove('run/')).toBe(1);
  expect(s3.commandCalls(DeleteObjectsCommand)[0]?.args[0].input).toMatchObject({
    ...{ Delete: { Objects: [{ Key: 'run/one' }] }, ExpectedBucketOwner: '111122223333' },
  });
});

test('where S3 is busy nothing counts as removed: versions would stay', async () => {
  refusal('SlowDown');
  await expect(objects.remove('run/')).rejects.toThrow('no');
  expect(s3.commandCalls(DeleteObjectsCommand)).toEqual([]);
});

test('what S3 keeps of a batch is told, and ends it', async () => {
  s3.on(ListObjectVersionsCommand).resolves({ Versions: [{ Key: 'run/one', VersionId: 'null', IsLatest: true }] });
  s3.on(DeleteObjectsCommand).resolves({ Errors: [{ Key: 'run/one', Code: 'AccessDenied', Message: 'no' }] });
  await expect(objects.remove('run/')).rejects.toMatchObject({ name: 'AccessDenied', message: 'run/one: no' });
});

test('a bucket is empty once nothing is listed: page by page, versions and delete markers', async () => {
  const page = (VersionId: string, more: object) => ({
    Versions: [{ Key: 'a', VersionId, IsLatest: true }],
    DeleteMarkers: [{ Key: 'b', VersionId }],
    ...more,
  });
  s3.on(ListObjectVersionsCommand)
    .resolvesOnce(page('null', { IsTruncated: true, NextKeyMarker: 'b', NextVersionIdMarker: 'null' }))
    .resolvesOnce(page('2', {}))
    .resolves({});
  const seen: number[] = [];
  expect(await emptyBucket(aws, bucket, { onProgress: (removed) => seen.push(removed) })).toBe(4);
  expect(seen.slice(0, 2)).toEqual([2, 4]);
  expect(s3.commandCalls(ListObjectVersionsCommand)[1]?.args[0].input).toMatchObject({ KeyMarker: 'b', VersionIdMarker: 'null' });
  // The null version of a bucket whose versioning was suspended, and a marker of it, are told apart by the latter's name.
  expect(s3.commandCalls(DeleteObjectsCommand).map(({ args }) => args[0].input.Delete?.Objects)).toEqual([
    [{ Key: 'a' }, { Key: 'b', VersionId: 'null' }],
    [
      { Key: 'a', VersionId: '2' },
      { Key: 'b', VersionId: '2' },
    ],
  ]);
});

test('a null version below another goes by its name: without one, a marker more would be made each time', async () => {
  const Versions = [
    { Key: 'a', VersionId: '2', IsLatest: true },
    { Key: 'a', VersionId: 'null', IsLatest: false },
  ];
  s3.on(ListObjectVersionsCommand).resolvesOnce({ Versions }).resolves({});
  s3.on(DeleteObjectsCommand).resolves({});
  expect(await emptyBucket(aws, bucket)).toBe(2);
  expect(s3.commandCalls(DeleteObjectsCommand)[0]?.args[0].input.Delete?.Objects).toEqual([
    { Key: 'a', VersionId: '2' },
    { Key: 'a', VersionId: 'null' },
  ]);
});

test('a bucket whose versions may not be listed is not emptied by halves', async () => {
  refusal('AccessDenied');
  await expect(emptyBucket(aws, bucket)).rejects.toMatchObject({ code: 'aws-denied' });
  expect(s3.commandCalls(DeleteObjectsCommand)).toEqual([]);
});

test('what S3 could not delete for the moment is asked for once more, and nothing else with it', async () => {
  const Versions = ['a', 'b'].map((Key) => ({ Key, VersionId: Key, IsLatest: true }));
  s3.on(ListObjectVersionsCommand).resolves({ Versions });
  s3.on(DeleteObjectsCommand)
    .resolvesOnce({ Errors: [{ Key: 'b', VersionId: 'b', Code: 'SlowDown' }] })
    .resolves({});
  expect(await objects.remove('')).toBe(2);
  expect(s3.commandCalls(DeleteObjectsCommand)[1]?.args[0].input.Delete?.Objects).toEqual([{ Key: 'b', VersionId: 'b' }]);
});
