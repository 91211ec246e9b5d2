import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalAws, startLocalAws } from '../../aws/index.js';
import { type LocalHeroku, startLocalHeroku } from '../../heroku/index.js';
import { type Files, build, ok, runDyno, until } from './heroku-client.js';
import { EVERY } from '../../../test/support/every.js';

/* What stands for haskell-on-heroku: by itself, and beside the real one, which it must equal in every request and log line. */

const upstreamDir = process.env.HALCYON_UPSTREAM_DIR ?? '';
const hasUpstream = upstreamDir !== '' && existsSync(upstreamDir);
const CABAL =
  'name: hello\nversion: 1.0\nbuild-type: Simple\ncabal-version: >=1.2\nexecutable hello\n  main-is: Main.hs\n  build-depends: base\n';
const CONFIG = 'constraints: base ==4.7.0.2,\n             text ==1.1.0.0\n';
const HASKELL: Files = {
  'hello.cabal': CABAL,
  'cabal.config': CONFIG,
  'Main.hs': 'main = return ()\n',
  'with space.txt': 'x',
  file10: '',
  file9: '',
};
const SERVER = `#!${process.execPath}\nrequire('http').createServer((_, res) => res.end('page ' + process.env.VERSION)).listen(process.env.PORT);\n`;
const S3 = [
  'export BASHMENOT_S3_ENDPOINT=$HALCYON_S3_ENDPOINT BASHMENOT_NO_SELF_UPDATE=1',
  'BASHMENOT_AWS_ACCESS_KEY_ID=$HALCYON_AWS_ACCESS_KEY_ID BASHMENOT_AWS_SECRET_ACCESS_KEY=$HALCYON_AWS_SECRET_ACCESS_KEY;',
  '. /app/.buildpack/lib/halcyon/lib/bashmenot/src.sh;',
].join(' ');

let aws: LocalAws;
let s3: S3Client;
let key: { AccessKeyId?: string | undefined; SecretAccessKey?: string | undefined };
const herokus: LocalHeroku[] = [];
beforeAll(async () => {
  aws = await startLocalAws({ settings: { sigv2: { default: 'accept' } } });
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = aws.env;
  const requestHandler = new NodeHttpHandler({ httpsAgent: new Agent({ ca: await readFile(aws.caFile) }) });
  const client = { endpoint: aws.url, region: aws.region, credentials: { accessKeyId, secretAccessKey }, requestHandler };
  s3 = new S3Client({ ...client, forcePathStyle: true });
  const iam = new IAMClient(client);
  const Statement = [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }];
  await iam.send(new CreateUserCommand({ UserName: 'halcyon' }));
  await iam.send(
    new PutUserPolicyCommand({
      UserName: 'halcyon',
      PolicyName: 's3',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
    }),
  );
  key = (await iam.send(new CreateAccessKeyCommand({ UserName: 'halcyon' }))).AccessKey ?? {};
}, 300_000);
afterAll(async () => {
  await Promise.all(herokus.map((heroku) => heroku.stop()));
  await aws?.stop();
});

async function start(dir: string | null): Promise<LocalHeroku> {
  const heroku = await startLocalHeroku({ caFile: aws.caFile, upstreamDir: dir });
  herokus.push(heroku);
  return heroku;
}

const storage = (bucket: string) => ({
  HALCYON_AWS_ACCESS_KEY_ID: key.AccessKeyId,
  HALCYON_AWS_SECRET_ACCESS_KEY: key.SecretAccessKey,
  HALCYON_S3_BUCKET: `${bucket}/team/pre`,
  HALCYON_S3_ENDPOINT: new URL(aws.url).host,
  HALCYON_S3_ACL: 'private',
  HALCYON_NO_PUBLIC_STORAGE: '1',
});

async function newBucket(name: string): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: name, ObjectOwnership: 'ObjectWriter' }));
}
const keys = async (bucket: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).map((object) => object.Key);
const s3Requests = () =>
  aws
    .log()
    .filter((entry) => entry.service === 's3')
    .map((entry) => {
      const { operation, resource, signatureVersion, status, acl } = entry as unknown as Record<string, unknown>;
      return { operation, resource, signatureVersion, status, acl };
    });

test(
  'the prebuild path: buildpack only, then built on a dyno, then downloaded and served; a new build removes the old archive',
  { timeout: 300_000 },
  async () => {
    await newBucket('prebuilt');
    const heroku = await start(null);
    await heroku.ensureApp('prebuild');
    await ok(heroku, 'PATCH', '/apps/prebuild/config-vars', { ...storage('prebuilt'), VERSION: 'one' });
    const webUrl = (await ok(heroku, 'GET', '/apps/prebuild')).web_url as string;
    const source = { ...HASKELL, 'Main.hs': SERVER };

    const first = await build(heroku, 'prebuild', source);
    expect(first.build.status).toBe('succeeded');
    expect(first.output).toContain('Deploying buildpack only');
    expect(first.output).toContain('Procfile declares types -> (none)');
    expect((await fetch(webUrl)).status).toBe(503);

    const made = await runDyno(heroku, 'prebuild', 'build', { size: 'performance-l' });
    expect(made.lines.join('\n')).toMatch(/App built:.*hello-1\.0/);
    const [archive] = (await keys('prebuilt')).filter((key) => key?.includes('halcyon-install-'));
    expect(archive).toMatch(/^team\/pre\/linux-[\w.-]+\/ghc-7\.8\.4\/halcyon-install-[0-9a-f]{7}-hello-1\.0\.tar\.gz$/);

    const second = await build(heroku, 'prebuild', source);
    expect(second.output).toMatch(new RegExp(`Downloading s3://prebuilt/${archive}\\.\\.\\. done`));
    expect(second.output).toContain('Procfile declares types -> web');
    expect(await (await fetch(webUrl)).text()).toBe('page one');

    // Changed source: its dependencies are in storage by now, so the compile dyno itself builds and archives it.
    const third = await build(heroku, 'prebuild', { ...source, more: 'x' });
    expect(third.output).toMatch(/Uploading s3:\S+halcyon-install-\S+ done/);
    expect(third.output).toContain(`Deleting s3://prebuilt/${archive}... 204 (no content)`);
    const installs = (await keys('prebuilt')).filter((key) => key?.includes('halcyon-install-'));
    expect(installs).toHaveLength(1);
    expect(installs).not.toContain(archive);
    // No value of a secret is ever in a build's log.
    for (const { output } of [first, second, third]) expect(output).not.toContain(key.SecretAccessKey);
  },
);

/** Without what differs from run to run: addresses, ids, commits, sizes. */
const normal = (text: string): string[] =>
  text
    .replace(/\/build_[0-9a-f]{8}/g, '/BUILD')
    .replace(/127\.0\.0\.1:\d+/g, 'LOCAL')
    .replace(/\bdone, [0-9a-f]{7}$/gm, 'done, COMMIT')
    .replace(/\bdone, [\d.]+[KMG]?B?$/gm, 'done, SIZE')
    .replace(/Done: .*$/gm, 'Done: SIZE')
    .replace(/^\S+ (app|heroku)\[run\.\d+\]: /gm, '$1: ')
    .split('\n');

type Step = (heroku: LocalHeroku, app: string) => Promise<string>;
const building =
  (files: Files): Step =>
  async (heroku, app) =>
    (await build(heroku, app, files)).output;
const running =
  (command: string): Step =>
  async (heroku, app) =>
    (await runDyno(heroku, app, command)).lines.join('\n');
const setting =
  (changes: Record<string, string | null>): Step =>
  async (heroku, app) =>
    Object.keys(await ok(heroku, 'PATCH', `/apps/${app}/config-vars`, changes)).join(' ');

/** Makes, on a dyno, the archive that a build of HASKELL looks for. */
const PLANT = `${S3} mkdir -p /tmp/s /tmp/i/app/bin /tmp/i/app/.halcyon/hello-1.0; tar xzf /app/.buildpack/source.tar.gz -C /tmp/s; cd /tmp/s
H=$(find . -type f -exec openssl sha1 {} ';' | sort -V | openssl sha1 | sed 's/^.* //'); . /etc/os-release; P=linux-$ID-$VERSION_ID-$(uname -m); cd /tmp/i
printf '#!/bin/sh\\nsleep 600\\n' >app/bin/hello; chmod +x app/bin/hello; echo hello >app/.halcyon/hello-1.0/executable; echo /app/share >app/.halcyon/hello-1.0/data-dir
printf '1\\t%s\\t/app\\t/app\\thello-1.0\\t%s\\t\\t\\t7.8.4\\t\\t\\t\\t\\t\\t\\n' "$P" "$H" >.halcyon-tag; tar czf /tmp/a.tar.gz .
s3_upload /tmp/a.tar.gz "$HALCYON_S3_BUCKET" "$P/ghc-7.8.4/halcyon-install-\${H:0:7}-hello-1.0.tar.gz" private`;
const CALLS = `${S3} echo hi >/tmp/f; for call in "s3_upload /tmp/f $HALCYON_S3_BUCKET some/key private" "s3_list $HALCYON_S3_BUCKET some" "s3_download $HALCYON_S3_BUCKET some/key /tmp/g" \
"s3_download $HALCYON_S3_BUCKET some/none /tmp/h" "s3_delete $HALCYON_S3_BUCKET some/key" "s3_list $HALCYON_S3_BUCKET some"; do $call; echo "status $?"; sleep 0.1; done; cat /tmp/g`;

const { 'cabal.config': _config, ...UNFROZEN } = HASKELL;
const STEPS: Array<[string, Step]> = [
  ['no archive: buildpack only', building(HASKELL)],
  ['the four functions on a dyno', running(CALLS)],
  ['plant an archive', running(PLANT)],
  ['deploy from the archive', building(HASKELL)],
  ['deploy from the cache', building(HASKELL)],
  ['build on a dyno finds the archive', running('build')],
  ['read-only, cache purged', setting({ HALCYON_PURGE_CACHE: '1', HALCYON_NO_UPLOAD: '1', HALCYON_NO_CLEAN_PRIVATE_STORAGE: '1' })],
  ['deploy read-only', building(HASKELL)],
  ['fall back to public', setting({ HALCYON_NO_PUBLIC_STORAGE: null, HALCYON_PURGE_CACHE: null })],
  ['other source, private then public', building({ ...HASKELL, more: 'x' })],
  ['a wrong secret', setting({ HALCYON_AWS_SECRET_ACCESS_KEY: 'not-the-secret', HALCYON_PURGE_CACHE: '1' })],
  ['deploy refused by storage', building(HASKELL)],
  [
    'public',
    setting({
      HALCYON_AWS_ACCESS_KEY_ID: null,
      HALCYON_AWS_SECRET_ACCESS_KEY: null,
      HALCYON_S3_BUCKET: null,
      HALCYON_S3_ENDPOINT: null,
      HALCYON_S3_ACL: null,
    }),
  ],
  ['deploy without private storage', building(HASKELL)],
];
/** Only with HALCYON_EVERY=1. */
const ODD: typeof STEPS = [
  ['build on a dyno without private storage', running('build')],
  ['without cabal.config', building(UNFROZEN)],
  ['with .buildpack', building({ ...HASKELL, '.buildpack/x': '' })],
  ['without a package', building({ x: '' })],
];

const tried = EVERY ? [...STEPS, ...ODD] : STEPS;

describe.skipIf(!hasUpstream)('beside the real haskell-on-heroku (HALCYON_UPSTREAM_DIR)', () => {
  test('the same source and config vars give the same requests and log lines', { timeout: 600_000 }, async () => {
    await newBucket('compared');
    const seen: Array<Record<string, { lines: string[]; requests: unknown[] }>> = [];
    for (const dir of [upstreamDir, null]) {
      const heroku = await start(dir);
      await heroku.ensureApp('compared');
      await ok(heroku, 'PATCH', '/apps/compared/config-vars', { ...storage('compared'), DATABASE_URL: 'x', PLAIN: 'shown' });
      const steps: Record<string, { lines: string[]; requests: unknown[] }> = {};
      for (const [name, step] of tried) {
        aws.clearLog();
        const text = await step(heroku, 'compared');
        steps[name] = { lines: normal(text), requests: s3Requests() };
      }
      seen.push(steps);
      // The second starts from an empty bucket too.
      for (const key of await keys('compared')) await s3.send(new DeleteObjectCommand({ Bucket: 'compared', Key: key }));
      await until(
        () => keys('compared'),
        (left) => left.length === 0,
      );
    }
    const [real, standIn] = seen;
    expect(real?.['deploy from the archive']?.requests).toMatchObject([{ operation: 'GetObject', signatureVersion: 2, status: 200 }]);
    expect(real?.['deploy refused by storage']?.requests).toMatchObject([{ status: 403 }, { status: 403 }]);
    for (const [name] of tried) {
      expect(standIn?.[name]?.requests, name).toEqual(real?.[name]?.requests);
      // Lines of two processes on one dyno may change places.
      expect([...(standIn?.[name]?.lines ?? [])].sort(), name).toEqual([...(real?.[name]?.lines ?? [])].sort());
    }
  });
});
