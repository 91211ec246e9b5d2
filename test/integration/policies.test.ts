import { CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  ListObjectsV2Command,
  PutBucketAclCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketReplicationCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig, principalsOf, teamNamed, type KitConfig, type Team } from '../../lib/config/index.js';
import { userPolicy } from '../../lib/constructs/policies.js';
import { ACCESSES, ACLS, iamPath, KIT_OBJECT_PREFIX, userName, type Access } from '../../lib/contract/index.js';
import { startLocalAws, type LocalAws } from '../../sandbox/aws/index.js';
import { clients, failure, rootKey, type Key } from '../../sandbox/test/support/clients.js';
import { deployAll, keyOf } from '../support/deploy.js';
import { storageRequest } from '../support/halcyon-request.js';
import { formatTable } from '../support/table.js';
import { principalIn } from '../support/principals.js';

/**
 * Every policy, proven by what it answers: each team's three principals make each request of Halcyon's, in either signature version, in every
 * place, with every ACL. What should come back is worked out below from the modes alone, never from the policies.
 */
const REGION = 'eu-west-1';
const place = (bucket: string) => `bucket: { account: "111122223333", region: ${REGION}${bucket} }`;
const apps = (team: string) =>
  `apps: { ${team}-r: { mode: read-only }, ${team}-u: { mode: upload }, ${team}-a: { mode: upload, clean: false } }`;
const team = (name: string, bucket: string) => `  ${name}:\n    ${bucket}\n    ${apps(name)}\n`;

const VERSION_4 = `buckets:
  common: { account: "111122223333", region: ${REGION} }
teams:
${team('own', place(''))}${team('deep', place(', prefix: one/two'))}${team('alpha', 'bucket: { shared: common, prefix: alpha }')}
${team('beta', 'bucket: { shared: common, prefix: beta }')}${team('secretive', place(', acl: private'))}
${team('open', place(', acl: public-read, allowPublicRead: true'))}
${team('guest', 'bucket: { existing: was-here-before, account: "111122223333", region: eu-west-1, prefix: guest }')}
${team('tenant', 'bucket: { existing: was-here-before-too, account: "111122223333", region: eu-west-1 }')}
signing: { version: 4, buildpack: "https://example.com/sigv4.tgz" }
`;
const VERSION_2 = `teams:
${team('old-own', place(''))}${team('old-deep', place(', prefix: packages, acl: private'))}
signing: { version: 2, acknowledgeV2: true }
`;

let aws: LocalAws;
const configs: KitConfig[] = [parseConfig(VERSION_4), parseConfig(VERSION_2)];

beforeAll(async () => {
  // Every bucket takes version 2 here: whether a request is refused for its signature is the policies' doing alone.
  aws = await startLocalAws({ region: REGION, settings: { sigv2: { default: 'accept' } } });
  const { s3 } = clients(aws);
  for (const Bucket of ['was-here-before', 'was-here-before-too']) {
    await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }));
  }
  for (const config of configs) await deployAll(aws, config);
});
afterAll(() => aws?.stop());

interface Case {
  readonly action: 'GET' | 'LIST' | 'PUT' | 'DELETE';
  readonly signature: 2 | 4;
  readonly where: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly acl?: string;
}

interface Place {
  readonly where: string;
  readonly bucket: string;
  /** Keys begin with it; a listing asks for it. */
  readonly prefix: string;
}

/** Where a principal of `team` may try its luck; `inside` is the one place that is its own. */
function placesOf(team: Team): Place[] {
  const { spec, prefix } = team.bucket as NonNullable<Team['bucket']>;
  const strangers = team.name === 'own' ? 'deep' : 'own';
  const foreign = configs.flatMap((config) => config.teams).find((other) => other.name === strangers)?.bucket?.spec.name as string;
  const here = { bucket: spec.name };
  return [
    { ...here, where: 'inside', prefix: prefix === undefined ? 'ghc/' : `${prefix}/ghc/` },
    { ...here, where: 'kit objects', prefix: KIT_OBJECT_PREFIX },
    { bucket: foreign, where: 'bucket of another team', prefix: 'ghc/' },
    ...(prefix === undefined
      ? []
      : [
          { ...here, where: 'root', prefix: '' },
          { ...here, where: 'prefix of another team', prefix: team.name === 'beta' ? 'alpha/' : 'beta/' },
          { ...here, where: 'prefix that begins alike', prefix: `${prefix}bet/` },
        ]),
  ];
}

/** By place. */
const casesOf = (team: Team): Case[][] =>
  placesOf(team).map((spot) =>
    ([2, 4] as const).flatMap((signature) => [
      ...(['GET', 'LIST', 'DELETE'] as const).map((action) => ({ action, signature, ...spot })),
      ...[undefined, ...ACLS].map((acl) => ({ action: 'PUT' as const, signature, acl, ...spot })),
    ]),
  );

/** What the mode promises. */
function mayDo(config: KitConfig, team: Team, access: Access, request: Case): boolean {
  const bucket = team.bucket as NonNullable<Team['bucket']>;
  const ours = bucket.kind !== 'existing';
  if (ours && request.signature === 2 && config.signing.version === 4) return false;
  const kit = request.where === 'kit objects';
  // Without a prefix the whole bucket is the team's to read, what the kit keeps there included.
  const within = request.where === 'inside' || (kit && bucket.prefix === undefined);
  if (!within) return false;
  if (request.action === 'GET' || request.action === 'LIST') return true;
  if (kit || access === 'read-only') return false;
  return request.action === 'DELETE' ? access === 'upload' : request.acl === bucket.spec.acl;
}

const SUCCESS = { GET: 200, LIST: 200, PUT: 200, DELETE: 204 };
let serial = 0;

interface Row extends Record<string, string> {
  readonly expected: string;
  readonly actual: string;
}

const asRoot = (bucket: string, object: string) =>
  storageRequest(aws, rootKey(aws), { method: 'PUT', bucket, object, region: REGION, signature: 4 });

/** One place's requests, and what is there after them: not only what was answered counts. */
async function attempt(key: Key, requests: readonly Case[], mayDo: (request: Case) => boolean): Promise<Row[]> {
  const [{ bucket, prefix }] = requests as readonly [Case];
  const mine = `${prefix}case-${++serial}-`;
  const present = `${mine}present`;
  expect((await asRoot(bucket, present)).status).toBe(200);
  const answers: Array<{ request: Case; object: string; answer: string }> = [];
  for (const [number, request] of requests.entries()) {
    const { action, signature, acl } = request;
    const object = action === 'GET' ? present : `${mine}${number}`;
    if (action === 'DELETE') expect((await asRoot(bucket, object)).status).toBe(200);
    const { status, body } = await storageRequest(aws, key, {
      signature,
      region: REGION,
      bucket,
      acl,
      method: action === 'LIST' ? 'GET' : action,
      ...(action === 'LIST' ? { prefix } : { object }),
    });
    answers.push({ request, object, answer: `${status} ${/<Code>(\w+)<\/Code>/.exec(body)?.[1] ?? ''}`.trim() });
  }
  const { Contents = [] } = await clients(aws).s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: mine }));
  const there = new Set(Contents.map(({ Key }) => Key));
  return answers.map(({ request, object, answer }) => {
    const { action, signature, where, acl = '' } = request;
    const allowed = mayDo(request);
    const after = (is: boolean) => (action === 'PUT' || action === 'DELETE' ? (is ? ', object there' : ', no object') : '');
    return {
      action,
      signature: String(signature),
      where,
      acl,
      expected: `${allowed ? SUCCESS[action] : '403 AccessDenied'}${after((action === 'PUT') === allowed)}`,
      actual: `${answer}${after(there.has(object))}`,
    };
  });
}

const PRINCIPALS = configs.flatMap((config) =>
  config.teams.flatMap((team) => ACCESSES.map((access) => [`${team.name}/${access}`, config, team, access] as const)),
);

describe('what a principal may do', () => {
  test.each(PRINCIPALS)('%s', async (_label, config, team, access) => {
    const principal = principalsOf(team).find((one) => one.access === access);
    const key = await keyOf(aws, principal as NonNullable<typeof principal>);
    const rows: Row[] = [];
    for (const requests of casesOf(team)) rows.push(...(await attempt(key, requests, (request) => mayDo(config, team, access, request))));
    const wrong = rows.filter((row) => row.expected !== row.actual);
    expect(wrong, `${wrong.length} of ${rows.length} answers differ\n${formatTable(wrong)}`).toEqual([]);
    expect(rows.some((row) => row.actual.startsWith('2'))).toBe(true);
    expect(rows.some((row) => row.actual.startsWith('403'))).toBe(true);
  });
});

describe('the bucket itself', () => {
  const bucketOf = (name: string) => teamNamed(configs[0] as KitConfig, name).bucket?.spec.name as string;

  test('public-read uploads can be read by anyone, others by nobody', async () => {
    const readable = async (name: string, acl: string) => {
      const object = `public/${++serial}`;
      const team = teamNamed(configs[0] as KitConfig, name);
      const key = await keyOf(aws, principalIn(configs[0] as KitConfig, team.name, 'append-only'));
      const request = { bucket: bucketOf(name), object, region: REGION };
      expect((await storageRequest(aws, key, { ...request, method: 'PUT', acl, signature: 4 })).status).toBe(200);
      return (await storageRequest(aws, key, { ...request, method: 'GET', signature: 0 })).status;
    };
    expect(await readable('open', 'public-read')).toBe(200);
    expect(await readable('secretive', 'private')).toBe(403);
    expect(await readable('own', 'bucket-owner-full-control')).toBe(403);
  });

  test('a read-only principal that another policy lets write is refused all the same', async () => {
    const reader = principalIn(configs[0] as KitConfig, 'alpha', 'read-only');
    const key = await keyOf(aws, reader);
    await allowEverything(userName(reader));
    const request = { region: REGION, signature: 4, object: 'alpha/ghc/slip' } as const;
    const put = (bucket: string) => storageRequest(aws, key, { ...request, bucket, method: 'PUT', acl: 'bucket-owner-full-control' });
    expect((await put('was-here-before')).status, 'the slip works where no bucket policy stands against it').toBe(200);
    expect((await put(bucketOf('alpha'))).status).toBe(403);
    expect((await storageRequest(aws, key, { ...request, bucket: bucketOf('alpha'), method: 'DELETE' })).status).toBe(403);
  });

  test('an upload principal that another policy lets do all writes none of the kit’s objects', async () => {
    // With a prefix: without one its own policy denies that, too.
    const principal = principalIn(configs[0] as KitConfig, 'deep', 'upload');
    const key = await keyOf(aws, principal);
    await allowEverything(userName(principal));
    const request = { region: REGION, signature: 4, object: `${KIT_OBJECT_PREFIX}slip` } as const;
    const tries = async (bucket: string) => [
      (await storageRequest(aws, key, { ...request, bucket, method: 'PUT', acl: 'bucket-owner-full-control' })).status,
      (await storageRequest(aws, key, { ...request, bucket, method: 'DELETE' })).status,
    ];
    expect(await tries('was-here-before'), 'the slip works where no bucket policy stands against it').toEqual([200, 204]);
    expect(await tries(bucketOf('deep'))).toEqual([403, 403]);
  });

  test('a bucket of that name in another account than the file says is neither read nor written', async () => {
    const { iam } = clients(aws);
    const access = 'upload';
    const tries = async (bucketAccount: string) => {
      const principal = { team: `of-${bucketAccount}`, access } as const;
      const [UserName, bucketName] = [userName(principal), 'was-here-before'];
      await iam.send(new CreateUserCommand({ UserName, Path: iamPath(access, principal.team) }));
      const policy = userPolicy({ partition: 'aws', bucketName, bucketAccount, access, acl: 'bucket-owner-full-control', region: REGION });
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'halcyon', PolicyDocument: JSON.stringify(policy) }));
      const key = await keyOf(aws, principal);
      const at = { bucket: bucketName, region: REGION, signature: 4 } as const;
      const answers = [
        await storageRequest(aws, key, { ...at, object: 'ghc/mine', method: 'PUT', acl: 'bucket-owner-full-control' }),
        await storageRequest(aws, key, { ...at, object: 'ghc/mine', method: 'GET' }),
        await storageRequest(aws, key, { ...at, object: 'ghc/mine', method: 'DELETE' }),
        await storageRequest(aws, key, { ...at, method: 'GET', prefix: '' }),
      ];
      return answers.map(({ status }) => status);
    };
    expect(await tries('111122223333')).toEqual([200, 200, 204, 200]);
    expect(await tries('444455556666')).toEqual([403, 403, 403, 403]);
  });

  const encryption = { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const } }] };
  const rule = { Status: 'Enabled' as const, Destination: { Bucket: 'arn:aws:s3:::elsewhere' } };
  const changes = {
    acl: (Bucket: string) => new PutBucketAclCommand({ Bucket, ACL: 'private' }),
    policy: (Bucket: string) => new PutBucketPolicyCommand({ Bucket, Policy: '{}' }),
    'no policy': (Bucket: string) => new DeleteBucketPolicyCommand({ Bucket }),
    lifecycle: (Bucket: string) => new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [] } }),
    versioning: (Bucket: string) => new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }),
    encryption: (Bucket: string) => new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: encryption }),
    'public access': (Bucket: string) => new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: {} }),
    ownership: (Bucket: string) =>
      new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: 'ObjectWriter' }] } }),
    replication: (Bucket: string) =>
      new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration: { Role: 'arn:aws:iam::111122223333:role/r', Rules: [rule] } }),
    tags: (Bucket: string) => new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [] } }),
    'no bucket': (Bucket: string) => new DeleteBucketCommand({ Bucket }),
  };

  test('a principal that another policy lets do all changes nothing of the bucket itself', async () => {
    const principal = principalIn(configs[0] as KitConfig, 'beta', 'upload');
    const key = await keyOf(aws, principal);
    await allowEverything(userName(principal));
    const { s3 } = clients(aws, { key });
    for (const [what, change] of Object.entries(changes)) {
      const refused = await failure(s3.send(change(bucketOf('beta')) as PutBucketAclCommand));
      expect([what, refused.name, refused.message]).toEqual([what, 'AccessDenied', expect.stringContaining('explicit deny')]);
    }
  });

  test('an upload key of an existing bucket does not change who may read the kit’s own objects', async () => {
    const Key = `${KIT_OBJECT_PREFIX}lease/tenant.json`;
    const at = { Bucket: 'was-here-before-too', ACL: 'bucket-owner-full-control' as const };
    for (const key of [Key, 'ghc/package']) await clients(aws).s3.send(new PutObjectCommand({ Bucket: at.Bucket, Key: key, Body: '{}' }));
    const { s3 } = clients(aws, { key: await keyOf(aws, principalIn(configs[0] as KitConfig, 'tenant', 'upload')) });
    // The bucket has no ACLs; that it says so shows that the key may ask.
    expect((await failure(s3.send(new PutObjectAclCommand({ ...at, Key: 'ghc/package' })))).name).toBe('AccessControlListNotSupported');
    expect((await failure(s3.send(new PutObjectAclCommand({ ...at, Key })))).name).toBe('AccessDenied');
  });
});

/** As someone might by mistake, or with bad intent. */
async function allowEverything(UserName: string): Promise<void> {
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] });
  await clients(aws).iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'slip', PolicyDocument }));
}
