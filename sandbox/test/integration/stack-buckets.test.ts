import {
  DeleteObjectCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketTaggingCommand,
  HeadBucketCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { clients, failure, send } from '../support/clients.js';
import { changeStack, failures, stackNamed } from '../support/stacks.js';

/** Buckets of stacks: what their templates say counts, and they go only when empty. `bare` is MiniStack without the additions. */
let aws: LocalAws;
let bare: LocalAws;
const OPEN = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: true, RestrictPublicBuckets: true };
const ownership = (ObjectOwnership: string) => ({ OwnershipControls: { Rules: [{ ObjectOwnership }] } });
const bucket = (BucketName: string, properties: object = {}, attributes: object = {}) => ({
  Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName, ...properties }, ...attributes },
});

beforeAll(async () => {
  [aws, bare] = await Promise.all([startLocalAws(), startLocalAws({ bare: true })]);
  aws.settings.refusePrivateAcl = true;
});
afterAll(() => Promise.all([aws?.stop(), bare?.stop()]));

const ownershipOf = async (on: LocalAws, Bucket: string) =>
  (await clients(on).s3.send(new GetBucketOwnershipControlsCommand({ Bucket }))).OwnershipControls?.Rules?.[0]?.ObjectOwnership;
const tagsOf = async (on: LocalAws, Bucket: string) =>
  Object.fromEntries(
    ((await clients(on).s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet ?? []).map(({ Key, Value }) => [Key, Value]),
  );
const put = async (on: LocalAws, Bucket: string, ACL?: 'private' | 'public-read' | 'bucket-owner-full-control') =>
  (await failure(clients(on).s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'v', ACL })))).name;

describe('OwnershipControls', () => {
  test('decide which ACLs uploads may carry, and change with the template', async () => {
    await changeStack(aws, { name: 'owned', resources: bucket('owned', ownership('BucketOwnerEnforced')) });
    expect(await put(aws, 'owned', 'bucket-owner-full-control')).toBe('none');
    expect(await put(aws, 'owned', 'private')).toBe('AccessControlListNotSupported');
    expect(await put(aws, 'owned', 'public-read')).toBe('AccessControlListNotSupported');
    await changeStack(aws, { name: 'owned', resources: bucket('owned', ownership('BucketOwnerPreferred')) });
    expect(await ownershipOf(aws, 'owned')).toBe('BucketOwnerPreferred');
    expect(await put(aws, 'owned', 'private')).toBe('none');
    expect(await put(aws, 'owned', 'public-read'), 'BlockPublicAcls').toBe('AccessDenied');
    await changeStack(aws, {
      name: 'owned',
      resources: bucket('owned', { ...ownership('BucketOwnerPreferred'), PublicAccessBlockConfiguration: OPEN }),
    });
    expect(await put(aws, 'owned', 'public-read')).toBe('none');
    expect(await send(aws, { path: '/owned/k' })).toMatchObject({ status: 200, body: 'v' });
  });

  test('MiniStack alone leaves them out', async () => {
    await changeStack(bare, { name: 'owned', resources: bucket('owned', ownership('BucketOwnerPreferred')) });
    expect(await ownershipOf(bare, 'owned')).toBe('BucketOwnerEnforced');
  });
});

describe('tags', () => {
  const resources = bucket('tagged', { Tags: [{ Key: 'team', Value: 'a & b' }] });
  const tags = [{ Key: 'stack', Value: 's' }];

  test("are the template's and the stack's, and change with them", async () => {
    await changeStack(aws, { name: 'tagged', resources, tags });
    const system = { 'aws:cloudformation:stack-name': 'tagged', 'aws:cloudformation:logical-id': 'Bucket' };
    expect(await tagsOf(aws, 'tagged')).toMatchObject({ ...system, team: 'a & b', stack: 's' });
    await changeStack(aws, { name: 'tagged', resources: bucket('tagged', { Tags: [{ Key: 'team', Value: 'b' }] }), tags });
    expect(await tagsOf(aws, 'tagged')).toMatchObject({ ...system, team: 'b', stack: 's' });
  });

  test('MiniStack alone leaves them out', async () => {
    await changeStack(bare, { name: 'tagged', resources, tags });
    expect((await failure(tagsOf(bare, 'tagged'))).name).toBe('NoSuchTagSet');
  });
});

describe('a bucket that is not empty', () => {
  const NOT_EMPTY =
    /^Bucket DELETE_FAILED: Resource handler returned message: "The bucket you tried to delete is not empty[ .(].*Status Code: 409/;
  const exists = async (on: LocalAws, Bucket: string) =>
    (await failure(clients(on).s3.send(new HeadBucketCommand({ Bucket })))).name === 'none';
  const user = { User: { Type: 'AWS::IAM::User', Properties: { UserName: 'beside' } } };

  test('does not go with its stack; what is beside it does; once empty it goes', async () => {
    await changeStack(aws, { name: 'full', resources: { ...bucket('full'), ...user } });
    await put(aws, 'full');
    const stack = await changeStack(aws, { name: 'full' });
    expect(stack).toMatchObject({
      StackStatus: 'DELETE_FAILED',
      StackStatusReason: 'The following resource(s) failed to delete: [Bucket].',
    });
    expect(await failures(aws, 'full')).toEqual([expect.stringMatching(NOT_EMPTY)]);
    expect(await exists(aws, 'full')).toBe(true);
    await clients(aws).s3.send(new DeleteObjectCommand({ Bucket: 'full', Key: 'k' }));
    expect(await changeStack(aws, { name: 'full' })).toBeUndefined();
    expect(await exists(aws, 'full')).toBe(false);
  });

  test('old versions count', async () => {
    await changeStack(aws, { name: 'versions', resources: bucket('versions', { VersioningConfiguration: { Status: 'Enabled' } }) });
    await put(aws, 'versions');
    await clients(aws).s3.send(new DeleteObjectCommand({ Bucket: 'versions', Key: 'k' }));
    expect((await changeStack(aws, { name: 'versions' }))?.StackStatus).toBe('DELETE_FAILED');
    expect(await failures(aws, 'versions')).toEqual([expect.stringContaining('You must delete all versions in the bucket.')]);
    const { Versions = [], DeleteMarkers = [] } = await clients(aws).s3.send(new ListObjectVersionsCommand({ Bucket: 'versions' }));
    for (const { VersionId } of [...Versions, ...DeleteMarkers]) {
      await clients(aws).s3.send(new DeleteObjectCommand({ Bucket: 'versions', Key: 'k', VersionId }));
    }
    expect(await changeStack(aws, { name: 'versions' })).toBeUndefined();
  });

  test('an update that drops it succeeds, and leaves it', async () => {
    await changeStack(aws, { name: 'dropped', resources: { ...bucket('dropped'), ...user } });
    await put(aws, 'dropped');
    expect((await changeStack(aws, { name: 'dropped', resources: user }))?.StackStatus).toBe('UPDATE_COMPLETE');
    expect(await failures(aws, 'dropped')).toEqual([expect.stringMatching(NOT_EMPTY)]);
    expect(await exists(aws, 'dropped')).toBe(true);
  });

  test('one that is retained stays, and its stack goes', async () => {
    await changeStack(aws, { name: 'kept', resources: bucket('kept', {}, { DeletionPolicy: 'Retain' }) });
    await put(aws, 'kept');
    expect(await changeStack(aws, { name: 'kept' })).toBeUndefined();
    expect(await exists(aws, 'kept')).toBe(true);
  });

  test('MiniStack alone deletes it', async () => {
    await changeStack(bare, { name: 'full', resources: bucket('full') });
    await put(bare, 'full');
    await changeStack(bare, { name: 'full' });
    expect(await stackNamed(bare, 'full')).toBeUndefined();
    expect(await exists(bare, 'full')).toBe(false);
  });
});
