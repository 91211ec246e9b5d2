import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  CreateChangeSetCommand,
  DescribeChangeSetCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  waitUntilChangeSetCreateComplete,
  waitUntilStackCreateComplete,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import { CreateUserCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { addKey } from '../support/accounts.js';
import { clients, failure, type Key } from '../support/clients.js';

/** Stacks as the CDK deploys them, by change sets; and what they made, used as Halcyon does: SigV2 by curl and openssl. */
let aws: LocalAws;
let directory: string;
const StackName = 'halcyon-payments';
const bucket = 'stack-bucket';
const user = 'halcyon.team.payments.upload';
const wait = { maxWaitTime: 60, minDelay: 0.1, maxDelay: 0.2 };

beforeAll(async () => {
  aws = await startLocalAws({ settings: { sigv2: { default: 'accept' } } });
  directory = await mkdtemp(join(tmpdir(), 'stack-test-'));
});
afterAll(async () => {
  await aws?.stop();
  await rm(directory, { recursive: true, force: true });
});

const template = (options: { denySigv2: boolean; broken?: boolean }) =>
  JSON.stringify({
    Resources: {
      Bucket: {
        Type: 'AWS::S3::Bucket',
        Properties: { BucketName: bucket, OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } },
      },
      Policy: {
        Type: 'AWS::S3::BucketPolicy',
        Properties: {
          Bucket: { Ref: 'Bucket' },
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Deny',
                Principal: '*',
                Action: 's3:*',
                Resource: `arn:aws:s3:::${bucket}/*`,
                Condition: { Bool: { 'aws:SecureTransport': 'false' } },
              },
              ...(options.denySigv2
                ? [
                    {
                      Effect: 'Deny',
                      Principal: '*',
                      Action: 's3:*',
                      Resource: `arn:aws:s3:::${bucket}/*`,
                      Condition: { StringEquals: { 's3:signatureversion': 'AWS' } },
                    },
                  ]
                : []),
            ],
          },
        },
      },
      User: {
        Type: 'AWS::IAM::User',
        Properties: {
          UserName: user,
          Path: '/halcyon/upload/payments/',
          Policies: [
            {
              PolicyName: 'halcyon',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [
                  { Effect: 'Allow', Action: ['s3:GetObject'], Resource: `arn:aws:s3:::${bucket}/*` },
                  {
                    Effect: 'Allow',
                    Action: ['s3:PutObject', 's3:PutObjectAcl'],
                    Resource: `arn:aws:s3:::${bucket}/*`,
                    Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
                  },
                ],
              },
            },
          ],
        },
      },
      Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'halcyon/payments/upload' } },
      ...(options.broken ? { Broken: { Type: 'AWS::IAM::User', Properties: { UserName: 'taken' } } } : {}),
    },
    Outputs: { BucketName: { Value: { Ref: 'Bucket' } } },
  });

async function deploy(name: string, type: 'CREATE' | 'UPDATE', TemplateBody: string): Promise<void> {
  const { cloudformation } = clients(aws);
  const change = { StackName: name, ChangeSetName: `cdk-${Date.now()}` };
  await cloudformation.send(
    new CreateChangeSetCommand({ ...change, ChangeSetType: type, TemplateBody, Capabilities: ['CAPABILITY_NAMED_IAM'] }),
  );
  await waitUntilChangeSetCreateComplete({ client: cloudformation, ...wait }, change);
  await cloudformation.send(new ExecuteChangeSetCommand(change));
}
const status = async (name: string) =>
  (await clients(aws).cloudformation.send(new DescribeStacksCommand({ StackName: name }))).Stacks?.[0]?.StackStatus;

/** Halcyon's own way: date, string to sign, openssl, curl. */
async function curl(key: Key, method: 'GET' | 'PUT', object: string, body?: string): Promise<{ status: string; output: string }> {
  const file = join(directory, 'body');
  await writeFile(file, body ?? '');
  const script = `
    set -e
    date=$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S +0000')
    md5='' acl=''
    if [ "$METHOD" = PUT ]; then md5=$(openssl md5 -binary <"$BODY" | base64); acl='x-amz-acl:bucket-owner-full-control\n'; fi
    signature=$(printf "$METHOD\\n$md5\\n\\n$date\\n$acl$RESOURCE" | openssl sha1 -hmac "$SECRET" -binary | base64)
    set -- --silent --show-error --location --output "$OUT" --write-out '%{http_code}' --header "Date: $date" --header "Authorization: AWS $ID:$signature"
    if [ "$METHOD" = PUT ]; then set -- "$@" --header "Content-MD5: $md5" --header 'x-amz-acl: bucket-owner-full-control' --upload-file "$BODY"; fi
    exec curl "$@" "$URL$RESOURCE"`;
  const env = {
    PATH: process.env.PATH,
    CURL_CA_BUNDLE: aws.env.CURL_CA_BUNDLE,
    METHOD: method,
    RESOURCE: `/${bucket}/${object}`,
    URL: aws.url,
    ID: key.accessKeyId,
    SECRET: key.secretAccessKey,
    BODY: file,
    OUT: join(directory, 'out'),
  };
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { env });
  const { readFile } = await import('node:fs/promises');
  return { status: stdout, output: await readFile(env.OUT, 'utf8') };
}

test('a stack is made, changed and found unchanged; its bucket policy counts from the moment it is done', async () => {
  const { cloudformation } = clients(aws);
  await deploy(StackName, 'CREATE', template({ denySigv2: false }));
  await waitUntilStackCreateComplete({ client: cloudformation, ...wait }, { StackName });
  const key = await addKey(aws, user);
  expect(await curl(key, 'PUT', 'archive.tar.gz', 'archive')).toEqual({ status: '200', output: '' });
  expect(await curl(key, 'GET', 'archive.tar.gz')).toEqual({ status: '200', output: 'archive' });
  expect(aws.log().at(-1)).toMatchObject({
    principal: `arn:aws:iam::${aws.account}:user/halcyon/upload/payments/${user}`,
    operation: 'GetObject',
    signatureVersion: 2,
    status: 200,
  });

  await deploy(StackName, 'UPDATE', template({ denySigv2: true }));
  await waitUntilStackUpdateComplete({ client: cloudformation, ...wait }, { StackName });
  const denied = await curl(key, 'GET', 'archive.tar.gz');
  expect(denied.status).toBe('403');
  expect(denied.output).toContain('explicit deny in a resource-based policy');

  await deploy(StackName, 'UPDATE', template({ denySigv2: false }));
  await waitUntilStackUpdateComplete({ client: cloudformation, ...wait }, { StackName });
  expect((await curl(key, 'GET', 'archive.tar.gz')).status).toBe('200');

  const change = { StackName, ChangeSetName: 'nothing' };
  await cloudformation.send(
    new CreateChangeSetCommand({ ...change, TemplateBody: template({ denySigv2: false }), Capabilities: ['CAPABILITY_NAMED_IAM'] }),
  );
  await failure(waitUntilChangeSetCreateComplete({ client: cloudformation, ...wait }, change));
  const none = await cloudformation.send(new DescribeChangeSetCommand(change));
  expect(none).toMatchObject({ Status: 'FAILED', StatusReason: expect.stringMatching(/didn't contain changes|No updates/) as string });
});

test('a stack that cannot be made rolls back', async () => {
  const body = template({ denySigv2: false, broken: true }).replaceAll(bucket, 'other-bucket').replaceAll('payments', 'search');
  await clients(aws).iam.send(new CreateUserCommand({ UserName: 'taken' }));
  await deploy('halcyon-search', 'CREATE', body);
  while ((await status('halcyon-search'))?.endsWith('_IN_PROGRESS')) await sleep(50);
  expect(await status('halcyon-search')).toBe('ROLLBACK_COMPLETE');
});

test('SigV2 by curl is refused on a new bucket, as Halcyon sees it', async () => {
  aws.settings.sigv2.default = 'refuse';
  const key = await addKey(aws, user);
  expect((await curl(key, 'GET', 'archive.tar.gz')).status).toBe('400');
  expect((await curl(key, 'PUT', 'archive.tar.gz', 'archive')).status).toBe('400');
  aws.settings.sigv2.default = 'accept';
  const forged = await curl({ ...key, secretAccessKey: 'wrong' }, 'PUT', 'archive.tar.gz', 'archive');
  expect(forged.output).toContain('SignatureDoesNotMatch');
});
