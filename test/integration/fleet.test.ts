import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createAws } from '../../lib/aws/aws.js';
import { confirmedKey } from '../../lib/contract/index.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { InProcess } from './support/in-process.js';

/** Requests are what is scarce with many apps: they are counted here, over the wire. */

const APPS = 24;
const apps = Array.from({ length: APPS }, (_, n) => `fleet-${n}`);
const bucket = 'halcyon-fleet-111122223333-eu-west-1';
let sandbox: Sandbox;
let work: InProcess;
let heroku: Heroku;
const plan = () => join(work.dir, 'next.plan');

beforeAll(async () => {
  sandbox = await startSandbox({ heroku: { upstreamDir: null } });
  Object.assign(process.env, sandbox.env);
  heroku = createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url });
  work = new InProcess(sandbox.env);
  const lines = apps.map((app, n) => `      ${app}: { mode: ${n === 0 ? 'upload' : 'read-only'} }`);
  work.write(`teams:\n  fleet:\n    bucket: { account: '111122223333', region: eu-west-1 }\n    apps:\n${lines.join('\n')}\n`);
  for (const app of apps) await sandbox.heroku.ensureApp(app);
});
afterAll(async () => {
  work.remove();
  await sandbox.stop();
});

/** Runs it, and counts what it asked of Heroku, in all and of the kind. */
async function count(args: readonly string[]) {
  sandbox.heroku.clearLog();
  const { stdout, stderr } = await work.ok(args);
  const paths = sandbox.heroku.log().map(({ method, path }) => `${method} ${path}`);
  const asked = paths.filter((path) => /^GET .*config-vars$/.test(path)).length;
  return { all: paths.length, asked, printed: stdout + stderr };
}

describe('a team of many apps', () => {
  test('is planned first: what is alike is one line, and what is planned is done, or refused once anything has changed', async () => {
    const planned = await work.kit(['plan', '--out', plan(), '--detailed-exitcode']);
    expect(planned.code, planned.stderr).toBe(2);
    expect(planned.stdout).toContain('fleet-1, fleet-2, fleet-3 and 20 more');
    expect(planned.stdout).toMatch(new RegExp(`In all: .*2 keys made.*${APPS} restarts, ${4 * APPS} requests to Heroku`));
    await heroku.patchConfigVars(apps[4] as string, { HALCYON_S3_ACL: 'private' });
    const refused = await work.kit(['up', plan(), '--no-smoke']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/the world moved .*\n.*fleet-4: HALCYON_S3_ACL from unset/)]);
    expect(Object.keys(await heroku.configVars(apps[5] as string))).toEqual([]);
    await heroku.patchConfigVars(apps[4] as string, { HALCYON_S3_ACL: null });
  });

  test('is first brought up with six requests an app', async () => {
    const { all } = await count(['up', plan(), '--no-smoke']);
    // Besides lists.
    expect(all - 6).toBeLessThanOrEqual(6 * APPS);
    expect((await work.kit(['plan', '--detailed-exitcode'])).code).toBe(0);
  });

  test('is not asked again where nothing has changed, but for a sample', async () => {
    const { asked } = await count(['up', '--yes', '--no-smoke']);
    expect(asked).toBe(10);
    const again = await count(['sync', '--yes']);
    expect(again).toMatchObject({ asked: 10 });
    expect(again.all).toBeLessThan(APPS);
  });

  test('what someone changed is seen, of any app, and mended', async () => {
    for (const app of [apps[3], apps[20]] as string[]) await heroku.patchConfigVars(app, { HALCYON_NO_UPLOAD: null });
    expect((await count(['status', '--json'])).printed.match(/"HALCYON_NO_UPLOAD":"1"/g)?.length).toBeGreaterThan(0);
    const { printed } = await count(['sync', '--yes']);
    expect(printed).toContain(apps[3]);
    for (const app of [apps[3], apps[20]] as string[]) expect(await heroku.configVars(app)).toMatchObject({ HALCYON_NO_UPLOAD: '1' });
  });

  test('a rotation takes six requests an app and no more, the whole barrier among them', async () => {
    const before = (await heroku.configVars(apps[5] as string)).HALCYON_AWS_ACCESS_KEY_ID;
    const dry = await work.kit(['rotate', '--soak', '0s', '--no-smoke', '--detailed-exitcode']);
    expect([dry.code, dry.stdout]).toEqual([2, expect.stringContaining(`${6 * APPS} requests to Heroku`)]);
    const { all } = await count(['rotate', '--yes', '--soak', '0s', '--no-smoke']);
    // Besides lists, and the sample.
    expect(all - 16).toBeLessThanOrEqual(6 * APPS);
    const keys = new Set<string | undefined>();
    for (const app of apps.slice(1)) keys.add((await heroku.configVars(app)).HALCYON_AWS_ACCESS_KEY_ID);
    expect([keys.size, keys.has(before)]).toEqual([1, false]);
  });

  test('a record that is wrong is found by its sample, said, and no longer trusted', async () => {
    await count(['up', '--yes', '--no-smoke']);
    const s3 = await createAws({ region: 'eu-west-1' }).s3();
    const at = { Bucket: bucket, Key: confirmedKey('fleet') };
    const body = (await (await s3.send(new GetObjectCommand(at))).Body?.transformToString()) ?? '';
    const record = JSON.parse(body) as { apps: Record<string, { at: string; configVars: { stamp: string } }> };
    const wrong = await heroku.app(apps[7] as string);
    await heroku.patchConfigVars(wrong.name, { HALCYON_NO_UPLOAD: null });
    const entry = record.apps[wrong.id];
    const releasedAt = (await heroku.app(wrong.name)).releasedAt;
    if (entry === undefined || releasedAt === undefined) throw new Error('the app is not on the record');
    // As if its release had not moved the time.
    Object.assign(entry, { at: '', configVars: { ...entry.configVars, stamp: releasedAt } });
    await s3.send(new PutObjectCommand({ ...at, Body: JSON.stringify(record) }));
    const { asked, printed } = await count(['sync', '--yes']);
    expect(printed).toContain(`app ${wrong.name} changed without Heroku saying so`);
    expect(asked).toBeGreaterThanOrEqual(APPS);
    expect(await heroku.configVars(wrong.name)).toMatchObject({ HALCYON_NO_UPLOAD: '1' });
  });

  test('a record, and a journal, that may neither be read nor kept stop nothing', async () => {
    for (const resource of ['confirmed/', 'journal/'])
      sandbox.aws.addFault({ kind: 'status', service: 's3', resource, status: 403, code: 'AccessDenied', count: 1000 });
    await heroku.patchConfigVars(apps[2] as string, { HALCYON_NO_UPLOAD: null });
    expect(await count(['sync', '--yes'])).toMatchObject({ asked: APPS });
    expect(await heroku.configVars(apps[2] as string)).toMatchObject({ HALCYON_NO_UPLOAD: '1' });
  });

  test('has a journal of who did what, by which file', async () => {
    sandbox.aws.clearFaults();
    const { teams } = JSON.parse((await work.ok(['log', '--json'])).stdout) as {
      teams: [
        { entries: Array<{ who: string; intent: string; file: string; status: string; ended?: string; events: Array<{ step: string }> }> },
      ];
    };
    const [{ entries }] = teams;
    expect(entries.map(({ intent }) => intent)).toEqual(expect.arrayContaining(['ensure', 'rotate']));
    expect(new Set(entries.map(({ who, file }) => `${who} ${file}`)).size).toBe(1);
    const rotation = entries.find(({ intent }) => intent === 'rotate');
    expect(rotation).toMatchObject({ status: 'done', ended: expect.any(String) });
    expect(rotation?.events.map(({ step }) => step)).toEqual(expect.arrayContaining(['create-key', 'write-apps', 'delete-key']));
    const { stdout } = await work.ok(['log', 'fleet', '--verbose']);
    for (const command of ['up', 'sync', 'rotate']) expect(stdout).toMatch(new RegExp(`fleet +\\S+@\\S+ +${command} +done +`));
    expect((await work.ok(['log', '--since', '0s'])).stdout).toContain('no run since');
  });

  test('shows what goes before it is taken down', async () => {
    const dry = await work.kit(['down', '--delete-bucket', '--detailed-exitcode']);
    expect([dry.code, dry.stdout]).toEqual([2, expect.stringContaining('- stack halcyon-fleet in eu-west-1\n- bucket halcyon-fleet-')]);
    expect(dry.stdout).toMatch(new RegExp(`^In all: 1 stack deleted, 1 bucket deleted, .*, ${APPS} restarts, `, 'm'));
    await work.ok(['down', '--delete-bucket', '--yes']);
    expect((await work.ok(['down', '--delete-bucket', '--dry-run', '--json'])).stdout).toMatch(/"stacks":\[\],"buckets":\[\]/);
  });
});
