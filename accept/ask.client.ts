import { createHash, createHmac } from 'node:crypto';
import { AttachUserPolicyCommand, CreateUserCommand, DeleteUserCommand, UpdateAccessKeyCommand } from '@aws-sdk/client-iam';
import { DeleteBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, ListSecretVersionIdsCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { s3Endpoint } from '../lib/config/derive.js';
import { errorName, httpStatus } from '../lib/aws/errors.js';
import { partitionOf } from '../lib/config/regions.js';
import { IAM_ROOT_PATH, QUARANTINE_POLICY, type KeyPair } from '../lib/contract/index.js';
import { isKitError } from '../lib/errors.js';
import { pause } from '../lib/heroku/pause.js';
import { sendSigned } from '../lib/storage/halcyon-requests.js';
import { signV2, signV4, type SignedHeaders, type UnsignedRequest } from '../lib/storage/signing.js';
import { regionBeside } from './fleet.plan.js';
import { newKey, type ProbeGround } from './probe-ground.client.js';
import type { ProbeName } from './probes.plan.js';

/** How each probe asks. They run one after another, in the order of the list, which those of keys rely on. */
export const ASK: Record<ProbeName, (ground: ProbeGround) => Promise<string>> = {
  'sigv2-new-bucket': (on) => s3(on, { sign: async (request, key, _, now) => signV2(request, key, now) }),
  'acl-private': (on) => put(on, 'private'),
  'acl-public-read': (on) => put(on, 'public-read'),
  'acl-owner': (on) => put(on, 'bucket-owner-full-control'),
  'headers-unsorted': (on) => s3(on, { sign: signUnsorted }),
  'header-unsigned': (on) => s3(on, { ...upload, add: { 'x-amz-meta-more': 'unsigned' } }),
  'body-md5': (on) => s3(on, { ...upload, headers: { 'content-md5': md5('something else') } }),
  'clock-skew': (on) => s3(on, { now: new Date(Date.now() - 20 * 60_000) }),
  'wrong-region': (on) => s3(on, { region: regionBeside(on.run.place.region) }),
  'absent-listed': (on) => s3(on, { object: 'absent' }),
  'absent-prefix': (on) => s3(on, { object: 'narrow/absent', key: on.narrow }),
  'write-once': (on) => s3(on, { ...upload, object: 'there', headers: { 'if-none-match': '*' } }),
  'owner-other': (on) =>
    answered(async () => on.s3.send(new ListObjectsV2Command({ Bucket: on.bucket, ExpectedBucketOwner: '000000000000' }))),
  'bucket-full': (on) => answered(async () => on.s3.send(new DeleteBucketCommand({ Bucket: on.bucket }))),
  'key-unknown': (on) => s3(on, { key: { ...on.wide, accessKeyId: 'AKIANOBODYHASTHISKEY' } }),
  'key-secret': (on) => s3(on, { key: { ...on.wide, secretAccessKey: on.narrow.secretAccessKey } }),
  'key-known-s3': async (on) => known(on, async () => s3(on, { key: await on.second() })),
  'key-known-sts': async (on) => {
    const sts = await on.aws.as(await on.second()).sts();
    return known(on, async () => answered(() => sts.send(new GetCallerIdentityCommand({}))));
  },
  'key-third': (on) => answered(() => newKey(on.iam, on.users.wide)),
  'key-inactive': async (on) => {
    const key = await on.second();
    const AccessKeyId = key.accessKeyId;
    await on.iam.send(new UpdateAccessKeyCommand({ UserName: on.users.wide, AccessKeyId, Status: 'Inactive' }));
    return refusedAtLast(on, () => s3(on, { key }));
  },
  'user-with-keys': (on) => answered(() => on.iam.send(new DeleteUserCommand({ UserName: on.users.wide }))),
  'user-taken': async (on) => {
    const iam = await on.run.aws(regionBeside(on.run.place.region)).iam();
    return answered(() => iam.send(new CreateUserCommand({ UserName: on.users.wide, Path: IAM_ROOT_PATH })));
  },
  quarantine: async (on) => {
    const PolicyArn = `arn:${partitionOf(on.run.place.region)}:iam::aws:policy/${QUARANTINE_POLICY}V3`;
    await on.iam.send(new AttachUserPolicyCommand({ UserName: on.users.narrow, PolicyArn }));
    return refusedAtLast(on, () => s3(on, { key: on.narrow }));
  },
  'stack-user-keys': async (on) => (await on.stackGone()).get('User') ?? 'not asked',
  'stack-bucket-full': async (on) => (await on.stackGone()).get('Bucket') ?? 'not asked',
  'secret-empty': (on) => answered(async () => on.secrets.send(new GetSecretValueCommand({ SecretId: await on.secret('empty') }))),
  'secret-again': async (on) => {
    const SecretId = await on.secret('again');
    const ClientRequestToken = 'accept.probe.again..............................';
    const once = () => on.secrets.send(new PutSecretValueCommand({ SecretId, SecretString: 'same', ClientRequestToken }));
    await once();
    await once();
    return String((await versionsOf(on, SecretId)).length);
  },
  'secret-label': async (on) => {
    const SecretId = await on.secret('label');
    for (const [SecretString, label] of [
      ['first', 'AWSCURRENT'],
      ['a', 'AWSPENDING'],
      ['b', 'AWSPENDING'],
    ] as const)
      await on.secrets.send(new PutSecretValueCommand({ SecretId, SecretString, VersionStages: [label] }));
    return String((await versionsOf(on, SecretId)).filter(({ VersionStages }) => VersionStages?.includes('AWSPENDING')).length);
  },
  'release-none': (on) => releasesBy(on, () => on.run.heroku.patchConfigVars(on.app, { ONE: '1' })),
  'release-unset': (on) => releasesBy(on, () => on.run.heroku.patchConfigVars(on.app, { NONE: null })),
  'release-buildpacks': (on) => releasesBy(on, () => on.run.heroku.setBuildpacks(on.app, ['https://github.com/mietek/haskell-on-heroku'])),
  'patch-answer': async (on) => String(Object.keys(await on.run.heroku.patchConfigVars(on.app, { TWO: '2' })).length),
  'released-at': async (on) => {
    const at = async () => (await on.run.heroku.apps()).find(({ name }) => name === on.app)?.releasedAt;
    const before = await at();
    await pause(1100, on.run.host.signal);
    await on.run.heroku.patchConfigVars(on.app, { ONE: 'other' });
    return before !== undefined && before !== (await at()) ? 'moves' : 'stays';
  },
};

interface Asked {
  readonly method?: 'GET' | 'PUT';
  readonly key?: KeyPair;
  readonly object?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers that are sent and not signed. */
  readonly add?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly region?: string;
  readonly now?: Date;
  readonly sign?: (request: UnsignedRequest, key: KeyPair, region: string, now: Date) => Promise<SignedHeaders>;
}

const upload = { method: 'PUT', object: 'written', body: Buffer.from('x') } as const;
const md5 = (text: string): string => createHash('md5').update(text).digest('base64');

/** One request to the probes' bucket, with nothing tried twice. */
export async function s3(on: ProbeGround, asked: Asked = {}): Promise<string> {
  const { method = 'GET', key = on.wide, object = 'there', headers = {}, add = {}, body, now = new Date(), sign = signV4 } = asked;
  const region = asked.region ?? on.run.place.region;
  const host = s3Endpoint({ s3Url: on.aws.network.s3Url }, { region });
  const request = { method, host, path: `/${on.bucket}/${object}`, query: {}, headers, ...(body === undefined ? {} : { body }) };
  const signed = await sign(request, key, region, now);
  const { status, error, failure } = await sendSigned(request, { ...signed, ...add }, { network: on.aws.network });
  return `${status ?? failure?.code}${error?.code === undefined ? '' : ` ${error.code}`}`;
}

const put = (on: ProbeGround, acl: string): Promise<string> => s3(on, { ...upload, headers: { 'x-amz-acl': acl } });

/** Version 4 over headers in an order of their own. */
async function signUnsorted({ method, host, path }: UnsignedRequest, key: KeyPair, region: string, now: Date): Promise<SignedHeaders> {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (secret: string | Buffer, text: string) => createHmac('sha256', secret).update(text).digest();
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const headers: Record<string, string> = { 'x-amz-date': time, 'x-amz-content-sha256': sha256(''), host };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const scope = [time.slice(0, 8), region, 's3', 'aws4_request'];
  const canonical = `${method}\n${path}\n\n${lines.join('')}\n${names}\n${sha256('')}`;
  const secret = scope.reduce<string | Buffer>((made, part) => hmac(made, part), `AWS4${key.secretAccessKey}`);
  const signature = hmac(secret, `AWS4-HMAC-SHA256\n${time}\n${scope.join('/')}\n${sha256(canonical)}`).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope.join('/')}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

/** Status and code of what a call ended with. */
async function answered(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return '200';
  } catch (error) {
    return isKitError(error)
      ? error.code
      : `${httpStatus(error)} ${errorName(error).replace(/(NoSuchEntity|LimitExceeded|DeleteConflict|EntityAlreadyExists)Exception$/, '$1')}`;
  }
}

/** How long until `work` is answered 200 five times in a row. */
export async function known({ run }: ProbeGround, work: () => Promise<string>): Promise<string> {
  const began = Date.now();
  for (let row = 0, last = ''; row < 5; row = last === '200' ? row + 1 : 0) {
    if (Date.now() - began > 60_000) return `later (${last})`;
    last = await work();
    await pause(last === '200' ? 100 : 1000, run.host.signal);
  }
  return `within 60 s (${((Date.now() - began) / 1000).toFixed(1)} s)`;
}

/** What is answered once a change is known, or after a minute. */
async function refusedAtLast({ run }: ProbeGround, work: () => Promise<string>): Promise<string> {
  for (const until = Date.now() + 60_000; ; await pause(1000, run.host.signal)) {
    const answer = await work();
    if (answer !== '200' || Date.now() > until) return answer;
  }
}

async function versionsOf(on: ProbeGround, SecretId: string) {
  const { Versions = [] } = await on.secrets.send(new ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated: true }));
  return Versions;
}

async function releasesBy(on: ProbeGround, work: () => Promise<unknown>): Promise<string> {
  const count = async () => (await on.run.heroku.releases(on.app)).length;
  const before = await count();
  await work();
  return String((await count()) - before);
}
