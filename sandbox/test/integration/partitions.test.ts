import { CreateUserCommand, GetUserCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, PutBucketPolicyCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { domainOf, partitionOf } from '../../../lib/config/regions.js';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { userWithKey } from '../support/accounts.js';
import { clients, failure, send, type Key } from '../support/clients.js';
import { changeStack, stackNamed } from '../support/stacks.js';

/** An account started in a region of another partition is in that one: its names, its endpoints, its policies; and its keys count nowhere else. */
const Bucket = 'partition-bucket';

describe.each(['cn-north-1', 'us-gov-west-1', 'eusc-de-east-1'])('%s', (region) => {
  const partition = partitionOf(region);
  let aws: LocalAws;
  let key: Key;
  beforeAll(async () => {
    aws = await startLocalAws({ region });
    const { s3 } = clients(aws);
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region as never } }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'v' }));
    key = await userWithKey(aws, 'anna', { actions: ['s3:*', 'secretsmanager:*'] });
  });
  afterAll(() => aws?.stop());

  test('ARNs of users, callers, secrets and stacks name it, to the client and in the log', async () => {
    const { iam, sts, secrets } = clients(aws);
    const anna = `arn:${partition}:iam::${aws.account}:user/anna`;
    expect((await iam.send(new GetUserCommand({ UserName: 'anna' }))).User?.Arn).toBe(anna);
    expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(`arn:${partition}:iam::${aws.account}:root`);
    expect((await clients(aws, { key }).sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(anna);
    expect(aws.log().at(-1)?.principal).toBe(anna);
    const secret = await secrets.send(new CreateSecretCommand({ Name: 'halcyon/one', SecretString: 'x' }));
    expect(secret.ARN).toMatch(`arn:${partition}:secretsmanager:${region}:${aws.account}:secret:halcyon/one-`);
    expect((await secrets.send(new GetSecretValueCommand({ SecretId: secret.ARN }))).SecretString).toBe('x');
    await changeStack(aws, {
      name: 'named',
      resources: { Anna: { Type: 'AWS::IAM::User', Properties: { UserName: { 'Fn::Sub': 'in-${AWS::Partition}-${AWS::URLSuffix}' } } } },
    });
    expect((await stackNamed(aws, 'named'))?.StackId).toMatch(`arn:${partition}:cloudformation:`);
    await iam.send(new GetUserCommand({ UserName: `in-${partition}-${domainOf(region)}` }));
  });

  test('policies decide by its ARNs, and by no others', async () => {
    const get = (which: Key) => failure(clients(aws, { key: which }).s3.send(new GetObjectCommand({ Bucket, Key: 'k' })));
    const policy = (arn: string, Principal: unknown, Condition?: object) =>
      clients(aws).s3.send(
        new PutBucketPolicyCommand({
          Bucket,
          Policy: JSON.stringify({
            Version: '2012-10-17',
            Statement: [{ Effect: 'Deny', Principal, Action: 's3:GetObject', Resource: `${arn}:s3:::${Bucket}/*`, Condition }],
          }),
        }),
      );
    expect((await get(key)).name).toBe('none');
    await policy(`arn:${partition}`, { AWS: `arn:${partition}:iam::${aws.account}:user/anna` });
    expect((await get(key)).name).toBe('AccessDenied');
    await policy(`arn:${partition}`, '*', { NumericLessThan: { 's3:TlsVersion': '1.4' } });
    expect((await get(key)).name, 'the front’s own reading').toBe('AccessDenied');
    await policy('arn:aws', '*');
    expect((await get(key)).name, 'another partition’s name of the bucket').toBe('none');
  });

  test('its S3 answers under its own host names, and leads to them', async () => {
    const own = await send(aws, { path: `/${Bucket}/k`, headers: { Host: `s3.${region}.${domainOf(region)}` } });
    expect(own.status, 'unsigned, so refused, but at home').toBe(403);
    const other = { 'cn-north-1': 'cn-northwest-1', 'us-gov-west-1': 'us-gov-east-1' }[region];
    if (other === undefined) return;
    const { status, body } = await send(aws, { path: `/${Bucket}/k`, headers: { Host: `s3.${other}.${domainOf(other)}` } });
    expect([status, body]).toEqual([301, expect.stringContaining(`<Endpoint>s3.${region}.${domainOf(region)}</Endpoint>`) as string]);
  });

  test('its keys are unknown in other partitions', async () => {
    const elsewhere = clients(aws, { region: 'eu-west-1' });
    expect((await failure(elsewhere.sts.send(new GetCallerIdentityCommand({})))).name).toBe('InvalidClientTokenId');
    expect((await failure(elsewhere.s3.send(new GetObjectCommand({ Bucket, Key: 'k' })))).name).toBe('InvalidAccessKeyId');
  });
});

test('MiniStack alone knows one partition', async () => {
  const bare = await startLocalAws({ region: 'cn-north-1', bare: true });
  try {
    const { iam, sts } = clients(bare, { direct: true });
    await iam.send(new CreateUserCommand({ UserName: 'anna' }));
    expect((await iam.send(new GetUserCommand({ UserName: 'anna' }))).User?.Arn).toBe(`arn:aws:iam::${bare.account}:user/anna`);
    expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(`arn:aws:iam::${bare.account}:root`);
    await clients(bare, { direct: true, region: 'eu-west-1' }).sts.send(new GetCallerIdentityCommand({}));
  } finally {
    await bare.stop();
  }
});
