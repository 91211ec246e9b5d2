import { DeleteObjectCommand, ListObjectsV2Command, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, test } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import { Objects } from '../../lib/smoke/objects.client.js';

const s3 = mockClient(S3Client);
const objects = new Objects(createAws({ region: 'eu-west-1' }), { name: 'packages', account: '111122223333' });
const refusal = (name: string) => s3.on(ListObjectVersionsCommand).rejects(Object.assign(new Error('no'), { name }));
beforeEach(() => {
  s3.reset();
  s3.on(ListObjectsV2Command).resolves({ Contents: [{ Key: 'run/one' }] });
  s3.on(DeleteObjectCommand).resolves({});
});

test('who may not list versions removes what a build sees', async () => {
  refusal('AccessDenied');
  expect(await objects.remove('run/')).toBe(1);
  expect(s3.commandCalls(DeleteObjectCommand)[0]?.args[0].input).toMatchObject({ Key: 'run/one', ExpectedBucketOwner: '111122223333' });
});

test('where S3 is busy nothing counts as removed: versions would stay', async () => {
  refusal('SlowDown');
  await expect(objects.remove('run/')).rejects.toThrow('no');
  expect(s3.commandCalls(DeleteObjectCommand)).toEqual([]);
});
