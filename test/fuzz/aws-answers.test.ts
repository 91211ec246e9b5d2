import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { lookAtBucket, usersBehind } from '../../lib/adopt/look.client.js';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { requireOwnBucket, whereabouts } from '../../lib/aws/bucket.js';
import { emptyBucket } from '../../lib/smoke/objects.client.js';
import { identity } from '../../lib/aws/identity.js';
import { guarded } from '../../lib/aws/errors.js';
import { sessionCredentials } from '../../lib/aws/session.js';
import { principalsOf } from '../../lib/config/derive.js';
import type { BucketSpec, Team } from '../../lib/config/model.js';
import { iamPath, MANAGED_BY, QUARANTINE_POLICY, secretVersionId, TAGS, userName, type PrincipalId } from '../../lib/contract/index.js';
import { stackState } from '../../lib/deploy/stack.client.js';
import { stackFailure } from '../../lib/deploy/stack-failure.client.js';
import { bucketFacts } from '../../lib/doctor/buckets.client.js';
import { principalFacts } from '../../lib/doctor/principals.client.js';
import { Reader } from '../../lib/doctor/reader.js';
import { awsKeys, usersInStack } from '../../lib/engine/ports/iam.client.js';
import { s3Object } from '../../lib/engine/ports/s3-object.client.js';
import { awsSecrets } from '../../lib/engine/ports/secrets-manager.client.js';
import { clockOf } from '../../lib/engine/clock.js';
import { takeLease } from '../../lib/engine/run/lease.client.js';
import { Vault } from '../../lib/engine/run/vault.js';
import { thisProcess } from '../../lib/lease-owner.js';
import { networkOf } from '../../lib/network/network.js';
import { exampleConfig } from '../support/config.js';
import { RUNS, sayHow, SEED } from './support/runs.js';
import { change, changed, endsWell, places, type Change, type Json } from './support/wrong.js';

const date = '2026-01-01T00:00:00Z';
const KEY_ID = 'AKIAEXAMPLE000000001';
const secretString = JSON.stringify({ HALCYON_AWS_ACCESS_KEY_ID: KEY_ID, HALCYON_AWS_SECRET_ACCESS_KEY: 'canary-secret-of-the-fuzz' });
const policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}';
const stack = {
  ...{ StackName: 'halcyon-payments', StackStatus: 'UPDATE_COMPLETE', CreationTime: date, LastUpdatedTime: date },
  Outputs: { member: [{ OutputKey: 'Bucket', OutputValue: 'b' }] },
  Tags: { member: [{ Key: TAGS.managedBy, Value: MANAGED_BY }] },
};
const resource = { ResourceType: 'AWS::IAM::User', PhysicalResourceId: 'u', LogicalResourceId: 'U', ResourceStatus: 'CREATE_COMPLETE' };
const event = { LogicalResourceId: 'Bucket', ResourceStatus: 'DELETE_FAILED', ResourceStatusReason: 'not empty', Timestamp: date };
const session = { AccessKeyId: 'ASIAEXAMPLE000000001', SecretAccessKey: 'canary-secret', SessionToken: 'canary-token', Expiration: date };
const version = { Key: 'a/b', VersionId: '1', IsLatest: 'true', LastModified: date, Size: '10' };
const lease = JSON.stringify({ id: 'x', who: 'someone@somewhere', pid: 1, machine: 'm', since: date, ttl: 1 });

const [team] = exampleConfig().teams as [Team];
const user = userName(principalsOf(team)[0] as PrincipalId);
const spec = team.bucket?.spec as BucketSpec;

/** Every answer that is read: fields of XML or JSON, `headers`, or a whole `body`. */
const ANSWERS: Record<string, Json> = {
  GetFederationToken: { Credentials: session },
  AssumeRole: { Credentials: session },
  GetCallerIdentity: { Arn: 'arn:aws:iam::111122223333:user/x', Account: '111122223333', UserId: 'x' },
  ListUsers: { IsTruncated: 'false', Users: { member: [{ UserName: user, Path: iamPath('upload', 'payments'), CreateDate: date }] } },
  ListAccessKeys: { AccessKeyMetadata: { member: [{ UserName: 'u', AccessKeyId: KEY_ID, Status: 'Active', CreateDate: date }] } },
  GetAccessKeyLastUsed: { UserName: 'u', AccessKeyLastUsed: { LastUsedDate: date, ServiceName: 's3', Region: 'eu-west-1' } },
  ListPolicies: {
    Policies: { member: [{ PolicyName: `${QUARANTINE_POLICY}V3`, Arn: 'arn:aws:iam::aws:policy/x' }] },
    IsTruncated: 'false',
  },
  ListEntitiesForPolicy: { PolicyUsers: { member: [{ UserName: 'u', UserId: 'x' }] }, IsTruncated: 'false' },
  ListUserTags: { Tags: { member: [{ Key: 'k', Value: 'v' }] }, IsTruncated: 'false' },
  CreateAccessKey: {
    AccessKey: { UserName: 'u', AccessKeyId: KEY_ID, Status: 'Active', SecretAccessKey: 'canary-secret', CreateDate: date },
  },
  GetUserPolicy: { UserName: 'u', PolicyName: 'halcyon', PolicyDocument: encodeURIComponent(policy) },
  ListUserPolicies: { PolicyNames: { member: ['p'] }, IsTruncated: 'false' },
  ListStackResources: { StackResourceSummaries: { member: [resource] } },
  DescribeStacks: { Stacks: { member: [stack] } },
  DescribeStackEvents: { StackEvents: { member: [event, { ...event, LogicalResourceId: 'halcyon-payments' }] } },
  ListSecretVersionIds: {
    Versions: [{ VersionId: secretVersionId(KEY_ID), VersionStages: ['AWSCURRENT'], CreatedDate: 1.7e9 }],
    Name: 's',
  },
  GetSecretValue: { SecretString: secretString, VersionId: secretVersionId(KEY_ID), Name: 's' },
  HeadBucket: { headers: { 'x-amz-bucket-region': 'eu-west-1' } },
  GetBucketTagging: { TagSet: { Tag: [{ Key: TAGS.managedBy, Value: MANAGED_BY }] } },
  GetBucketOwnershipControls: { Rule: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
  GetPublicAccessBlock: { BlockPublicAcls: 'true', IgnorePublicAcls: 'true', BlockPublicPolicy: 'true', RestrictPublicBuckets: 'true' },
  GetBucketPolicy: { body: policy },
  GetBucketEncryption: { Rule: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'arn:k' } }] },
  GetBucketVersioning: { Status: 'Enabled' },
  ListObjectVersions: { IsTruncated: 'false', Version: [version], DeleteMarker: [version] },
  ListObjectsV2: { IsTruncated: 'false', KeyCount: '1', Contents: [version] },
  DeleteObjects: {},
  GetObject: { headers: { ETag: '"e"', 'Last-Modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }, body: lease },
  PutObject: { headers: { ETag: '"e"' } },
  Nothing: {},
};

const store = (aws: Aws) => s3Object(aws, spec, '.halcyon-kit/lease/payments.json');
const clock = (aws: Aws) => clockOf(aws.network.time);

/** What the kit does with them. */
const WORK: ReadonlyArray<(aws: Aws) => Promise<unknown>> = [
  (aws) => identity(aws),
  (aws) => sessionCredentials(aws, { name: 'halcyon.payments', policy, seconds: 900 }),
  (aws) => sessionCredentials(aws, { name: 'halcyon.payments', policy, seconds: 900, role: 'arn:aws:iam::111122223333:role/x' }),
  (aws) => usersBehind(aws, [KEY_ID]),
  (aws) => lookAtBucket(aws, spec, undefined),
  (aws) => awsKeys(aws).users(['payments']),
  (aws) => awsKeys(aws).activeKeys('u'),
  (aws) => awsKeys(aws).createKey('u'),
  (aws) => usersInStack(aws, 'payments'),
  (aws) => awsKeys(aws).deleteUser('u'),
  (aws) => awsSecrets(aws).read('s', [KEY_ID]),
  (aws) => guarded('look', () => whereabouts(aws, spec)),
  (aws) => requireOwnBucket(aws, { ...spec, name: 'another', owner: 'payments', stack: 'halcyon-payments' }),
  (aws) => emptyBucket(aws, spec),
  (aws) => stackState(aws, 'halcyon-payments'),
  (aws) => stackFailure(aws, 'halcyon-payments', new Error('{}'), 'delete it', /^DELETE_FAILED$/),
  (aws) => bucketFacts(aws, { spec, kind: 'own', teams: [team] }),
  (aws) => principalFacts(aws, team, new Vault(), new Reader()),
  (aws) => store(aws).read(),
  async (aws) => (await takeLease(store(aws), thisProcess(60_000, Date.now()), clock(aws))).release(),
];

/** The SDK's command, by what goes over the wire. */
function commandOf(req: IncomingMessage, body: string): string {
  const named = /(?:^|&)Action=(\w+)/.exec(body)?.[1] ?? String(req.headers['x-amz-target'] ?? '').split('.')[1];
  if (named) return named in ANSWERS ? named : 'Nothing';
  const [path = '', query = ''] = (req.url ?? '').split('?');
  const isObject = path.split('/').filter(Boolean).length > 1;
  if (req.method === 'HEAD') return 'HeadBucket';
  if (req.method === 'POST') return 'DeleteObjects';
  if (req.method !== 'GET') return isObject && req.method === 'PUT' ? 'PutObject' : 'Nothing';
  if (isObject) return 'GetObject';
  const SUB: Record<string, string> = {
    ...{ tagging: 'GetBucketTagging', ownershipControls: 'GetBucketOwnershipControls', publicAccessBlock: 'GetPublicAccessBlock' },
    ...{ policy: 'GetBucketPolicy', encryption: 'GetBucketEncryption', versioning: 'GetBucketVersioning', versions: 'ListObjectVersions' },
  };
  return Object.entries(SUB).find(([name]) => new URLSearchParams(query).has(name))?.[1] ?? 'ListObjectsV2';
}

const escaped = (text: string): string =>
  text.replace(/[<>&\u0000-\u001f\u007f-\u009f\ud800-\udfff]/g, (found) => `&#x${found.charCodeAt(0).toString(16)};`);
function xml(value: Json, name?: string): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((one) => xml(one, name)).join('');
  const inner =
    value === null
      ? ''
      : typeof value === 'object'
        ? Object.entries(value)
            .map(([field, one]) => xml(one, field))
            .join('')
        : escaped(String(value));
  return name === undefined ? inner : `<${name}>${inner}</${name}>`;
}

let now: Change | undefined;
let emptied = false;
const asked = new Set<string>();

function answer(req: IncomingMessage, res: ServerResponse, sent: string): void {
  const command = commandOf(req, sent);
  asked.add(command);
  let value = now?.answer === command ? changed(ANSWERS[command] as Json, now) : ANSWERS[command];
  if (command === 'DeleteObjects') emptied = true;
  if (command === 'ListObjectVersions' && emptied) value = {};
  const { headers, body, ...fields } = (
    value !== null && typeof value === 'object' && !Array.isArray(value) ? value : { odd: value }
  ) as Record<string, Json>;
  for (const [name, one] of Object.entries(typeof headers === 'object' ? (headers ?? {}) : {}))
    if (one !== undefined)
      res.setHeader(name, (typeof one === 'string' ? one : JSON.stringify(one)).replace(/[^\t\x20-\x7e\x80-\xff]/g, '?').slice(0, 5_000));
  if (body !== undefined) return void res.end(typeof body === 'string' ? body : JSON.stringify(body));
  if (req.headers['x-amz-target']) return void res.end(JSON.stringify(value) ?? '');
  const inner = xml(fields);
  res.end(
    sent.includes('Action=')
      ? `<${command}Response><${command}Result>${inner}</${command}Result></${command}Response>`
      : inner === ''
        ? ''
        : `<Result>${inner}</Result>`,
  );
}

let server: Server;
let aws: Aws;
beforeAll(async () => {
  server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => answer(req, res, Buffer.concat(chunks).toString()));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const key = { accessKeyId: 'AKIAEXAMPLE000000009', secretAccessKey: 'canary-operator-of-the-fuzz' };
  aws = createAws({ region: 'eu-west-1', key, maxAttempts: 1, network: networkOf() });
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
});

const run = (work: (typeof WORK)[number]) => {
  emptied = false;
  return endsWell(() => work(aws));
};

test('each field of each answer of AWS in each wrong shape: only coded errors', async () => {
  /** Which answers each work reads, as it went with what is documented. */
  const reads: Array<{ work: (typeof WORK)[number]; answers: ReadonlySet<string> }> = [];
  for (const work of WORK) {
    asked.clear();
    expect(await run(work)).toBe('well');
    reads.push({ work, answers: new Set(asked) });
  }
  expect(Object.keys(ANSWERS).filter((one) => !reads.some(({ answers }) => answers.has(one)))).toEqual([]);

  sayHow(`${Object.values(ANSWERS).flatMap((value) => places(value)).length} fields of AWS in wrong shapes`);
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(change(ANSWERS), async (wrong) => {
      now = wrong;
      for (const { work, answers } of reads) if (answers.has(wrong.answer) && (await run(work)) === 'refused') refused += 1;
    }),
    { numRuns: RUNS, seed: SEED },
  );
  expect(refused).toBeGreaterThan(RUNS / 10);
}, 1_800_000);
