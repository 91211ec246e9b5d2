import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { s3Object } from '../../lib/engine/ports/s3-object.client.js';
import { startWire, type Wire } from '../engine/support/wire.js';

let wire: Wire;
beforeAll(async () => {
  wire = await startWire();
  await (await wire.aws.s3()).send(new CreateBucketCommand({ Bucket: 'lease-bucket' }));
});
afterAll(() => wire?.stop());

test('a lease that another has taken over is not removed', async () => {
  const store = s3Object(wire.aws, { name: 'lease-bucket', account: '111122223333' }, '.halcyon-kit/lease/team.json');
  const ours = (await store.create('ours')) ?? '';
  expect(await store.create('again')).toBeUndefined();
  const theirs = (await store.replace('theirs', ours)) ?? '';
  expect(await store.replace('late', ours)).toBeUndefined();
  await store.remove(ours);
  expect(await store.read()).toMatchObject({ body: 'theirs', etag: theirs });
  await store.remove(theirs);
  expect(await store.read()).toBeUndefined();
  await store.remove(theirs);
});
