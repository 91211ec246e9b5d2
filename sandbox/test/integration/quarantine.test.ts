import {
  AttachUserPolicyCommand,
  DetachUserPolicyCommand,
  GetPolicyVersionCommand,
  ListAttachedUserPoliciesCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { addKey, userWithKey } from '../support/accounts.js';
import { clients, failure, send, sigv2, type Key } from '../support/clients.js';

/** AWS's policies for users whose key became known. `bare` is MiniStack without the additions. */
let aws: LocalAws;
let bare: LocalAws;
const Bucket = 'quarantine-bucket';
const outcome = async (call: Promise<unknown>) => (await failure(call)).name;

beforeAll(async () => {
  [aws, bare] = await Promise.all([startLocalAws({ settings: { sigv2: { default: 'accept' } } }), startLocalAws({ bare: true })]);
  for (const on of [aws, bare]) {
    await clients(on).s3.send(new CreateBucketCommand({ Bucket }));
    await clients(on).s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'v' }));
  }
});
afterAll(() => Promise.all([aws?.stop(), bare?.stop()]));

const get = (key: Key) => outcome(clients(aws, { key }).s3.send(new GetObjectCommand({ Bucket, Key: 'k' })));
const list = (key: Key) => outcome(clients(aws, { key }).s3.send(new ListObjectsV2Command({ Bucket })));

describe('quarantine', () => {
  const arn = (version: string) => `arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine${version}`;

  test.each(['V2', 'V3'])('%s on a user refuses all its keys what its text denies, whatever else allows it', async (version) => {
    const UserName = `leaked-${version}`;
    const key = await userWithKey(aws, UserName, { actions: ['s3:*', 'sts:*', 'iam:*'] });
    const { iam } = clients(aws);
    await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: arn(version) }));
    const attached = await iam.send(new ListAttachedUserPoliciesCommand({ UserName }));
    expect(attached.AttachedPolicies).toContainEqual({ PolicyName: `AWSCompromisedKeyQuarantine${version}`, PolicyArn: arn(version) });
    const second = await addKey(aws, UserName);
    for (const quarantined of [key, second]) {
      const { s3, sts, iam: own } = clients(aws, { key: quarantined });
      expect([await get(quarantined), await list(quarantined)]).toEqual(['AccessDenied', 'AccessDenied']);
      expect(await outcome(s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' })))).toBe('AccessDenied');
      expect(await outcome(s3.send(new PutObjectCommand({ Bucket, Key: 'other', Body: 'x' }))), 'not in its text').toBe('none');
      // No policy controls who gets a session token, says IAM's guide; but a session may no more than its user.
      const { Credentials } = await sts.send(new GetSessionTokenCommand({}));
      const session = {
        accessKeyId: Credentials?.AccessKeyId as string,
        secretAccessKey: Credentials?.SecretAccessKey as string,
        sessionToken: Credentials?.SessionToken,
      };
      expect(await get(session)).toBe('AccessDenied');
      expect(await outcome(sts.send(new GetCallerIdentityCommand({})))).toBe('none');
      expect(await outcome(own.send(new DetachUserPolicyCommand({ UserName, PolicyArn: arn(version) })))).toBe('AccessDenied');
    }
    const halcyon = await send(aws, { path: `/${Bucket}/k`, headers: sigv2(key, 'GET', `/${Bucket}/k`) });
    expect(halcyon.status).toBe(403);
    expect(halcyon.body).toContain('with an explicit deny in an identity-based policy');
    await iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn: arn(version) }));
    expect(await get(key)).toBe('none');
  });

  test('the first version denies keys and users, and leaves S3 alone', async () => {
    const UserName = 'leaked-first';
    const key = await userWithKey(aws, UserName, { actions: ['s3:*', 'iam:*'] });
    const { iam } = clients(aws, { key });
    await clients(aws).iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: arn('') }));
    expect([await outcome(iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn: arn('') }))), await get(key)]).toEqual([
      'AccessDenied',
      'none',
    ]);
  });

  test('its text can be read', async () => {
    const read = await clients(aws).iam.send(new GetPolicyVersionCommand({ PolicyArn: arn('V2'), VersionId: 'v5' }));
    expect(decodeURIComponent(read.PolicyVersion?.Document ?? '')).toContain('sts:GetSessionToken');
  });

  test('MiniStack alone has no such policy: attached, it denies nothing', async () => {
    const key = await userWithKey(bare, 'leaked', { actions: ['s3:*'] });
    await clients(bare).iam.send(new AttachUserPolicyCommand({ UserName: 'leaked', PolicyArn: arn('V3') }));
    await clients(bare, { key }).s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await outcome(clients(bare).iam.send(new GetPolicyVersionCommand({ PolicyArn: arn('V3'), VersionId: 'v2' })))).toBe(
      'NoSuchEntityException',
    );
  });
});
