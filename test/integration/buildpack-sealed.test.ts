import {
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packBuildpack } from '../../lib/buildpack/pack.js';
import { buildpackBucketName, hostedKey } from '../../lib/contract/index.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { userWithKey } from '../../sandbox/test/support/accounts.js';
import { clients, failure } from '../../sandbox/test/support/clients.js';
import { InProcess } from './support/in-process.js';

/** The buildpack that every build executes, against whoever may do all of S3, and against root. */
let sandbox: Sandbox;
let work: InProcess;
const APP = 'sealed-api';
const Bucket = buildpackBucketName('111122223333', 'us-east-1');
let Key = '';

beforeAll(async () => {
  sandbox = await startSandbox({ heroku: { upstreamDir: null } });
  Object.assign(process.env, sandbox.env);
  work = new InProcess(sandbox.env);
  work.write(`teams:
  sealed:
    bucket: { account: '111122223333', region: us-east-1 }
    apps: { ${APP}: { mode: read-only } }
buildpack: { install: true }
`);
  Key = hostedKey((await packBuildpack()).sha256);
  await heroku('POST', '/apps', { name: APP, stack: 'heroku-24' });
  await work.ok(['up', '--yes', '--no-smoke']);
});
afterAll(async () => {
  work?.remove();
  await sandbox?.stop();
});

const heroku = (method: string, path: string, body: object) =>
  fetch(`${sandbox.heroku.url}${path}`, {
    method,
    headers: {
      Accept: 'application/vnd.heroku+json; version=3',
      Authorization: `Bearer ${sandbox.heroku.token}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
  });
const put = (condition: object = {}) => new PutObjectCommand({ Bucket, Key, Body: 'evil', ...condition });

test('nobody but root overwrites or deletes it, or changes what says so', async () => {
  const { s3 } = clients(sandbox.aws, { key: await userWithKey(sandbox.aws, 'storage-admin', { actions: ['s3:*'] }) });
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  expect(Versions.map(({ VersionId }) => VersionId)).toEqual([expect.not.stringMatching(/^null$/)]);
  const attempts = {
    overwrite: put(),
    'overwrite on a condition': put({ IfNoneMatch: '*' }),
    'overwrite what is there': put({ IfMatch: Versions[0]?.ETag }),
    delete: new DeleteObjectCommand({ Bucket, Key }),
    'delete the version': new DeleteObjectCommand({ Bucket, Key, VersionId: Versions[0]?.VersionId }),
    'another policy': new PutBucketPolicyCommand({ Bucket, Policy: '{"Version":"2012-10-17","Statement":[]}' }),
    'no policy': new DeleteBucketPolicyCommand({ Bucket }),
    'no versions': new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }),
    expiry: new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [] } }),
    'no bucket': new DeleteBucketCommand({ Bucket }),
  };
  const names: Record<string, string> = {};
  for (const [what, command] of Object.entries(attempts)) names[what] = (await failure(s3.send(command as PutObjectCommand))).name;
  const refused = Object.fromEntries(Object.keys(attempts).map((what) => [what, 'AccessDenied']));
  expect(names).toEqual({ ...refused, 'overwrite on a condition': 'PreconditionFailed' });
  expect((await s3.send(new GetObjectCommand({ Bucket, Key }))).ContentLength).toBeGreaterThan(1000);
});

describe('once root has swapped it', () => {
  beforeAll(async () => {
    await clients(sandbox.aws).s3.send(put());
    sandbox.heroku.clearLog();
  });

  test.each([['up', '--yes'], ['up', '--dry-run'], ['sync', '--yes'], ['rotate', '--yes'], ['smoke']])(
    '%s %s stops before any app is touched',
    async (...args) => {
      const { code, stdout } = await work.kit([...args, '--json']);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'buildpack-tampered' } });
      expect(sandbox.heroku.log().filter(({ method }) => method !== 'GET')).toEqual([]);
    },
  );

  test('doctor finds it', async () => {
    const { code, stdout } = await work.kit(['doctor', '--json']);
    expect(code).toBe(1);
    const { findings } = JSON.parse(stdout) as { findings: Array<{ name: string; severity: string }> };
    expect(findings).toContainEqual(expect.objectContaining({ name: 'buildpack-tampered', severity: 'broken' }));
  });

  test('the version that was published is still there, and comes back', async () => {
    const { s3 } = clients(sandbox.aws);
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const bad = Versions.find(({ IsLatest }) => IsLatest);
    await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: bad?.VersionId }));
    await work.ok(['sync', '--yes']);
  });
});
