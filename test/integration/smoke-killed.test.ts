import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { EVERY } from '../support/every.js';
import { InProcess } from './support/in-process.js';
import { Workplace } from './support/target.js';

/** A smoke deploy that is killed, as no Ctrl-C is: its app holds the team's live key. */
let sandbox: Sandbox;
/** For what is killed. */
let work: Workplace;
let here: InProcess;
let aws: Aws;
let heroku: Heroku;
let bucket: string;

beforeAll(async () => {
  sandbox = await startSandbox({ heroku: { upstreamDir: null } });
  Object.assign(process.env, sandbox.env);
  aws = createAws({ region: 'us-east-1' });
  heroku = createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url });
  work = new Workplace(sandbox.env);
  bucket = `halcyon-payments-${sandbox.aws.account}-us-east-1`;
  sandbox.aws.settings.sigv2.buckets[bucket] = 'accept';
  await heroku.createApp({ name: 'payments-api' });
  await heroku.setBuildpacks('payments-api', ['https://github.com/mietek/haskell-on-heroku']);
  const file = `
teams:
  payments: { bucket: { account: '${sandbox.aws.account}', region: us-east-1 }, apps: { payments-api: { mode: upload } } }
signing: { version: 2, acknowledgeV2: true }
`;
  work.write(file);
  here = new InProcess(sandbox.env);
  here.write(file);
  await here.ok(['up', '--yes', '--no-smoke']);
});
afterAll(async () => {
  work?.remove();
  here?.remove();
  await sandbox?.stop();
});

const smokeApps = async () => (await heroku.apps()).map(({ name }) => name).filter((name) => name.startsWith('halcyon-smoke-'));
const keys = async () => {
  const { Contents = [] } = await (await aws.s3()).send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key = '' }) => Key);
};

/** What the doctor says of an app. */
async function findings(app: string) {
  const seen = JSON.parse((await here.ok(['doctor', '--json'])).stdout) as { findings: Array<{ subject: string }> };
  return seen.findings.filter(({ subject }) => subject === `app ${app}`);
}

/** SIGKILL a smoke deploy whose app has the key, and whose objects are planted. @returns the app. */
async function killed(): Promise<string> {
  let kill = () => {};
  const ended = work.kit(['smoke', '--yes'], { onStart: (child) => (kill = () => child.kill('SIGKILL')) });
  for (;;) {
    await sleep(100);
    const [app] = await smokeApps();
    const planted = (await keys()).filter((key) => app !== undefined && key.includes(app)).length > 3;
    if (app === undefined || !planted || (await heroku.configVars(app)).HALCYON_AWS_SECRET_ACCESS_KEY === undefined) continue;
    kill();
    expect((await ended).code).toBe(-1);
    expect(await smokeApps()).toEqual([app]);
    return app;
  }
}

// `sync` does it below.
test.each(EVERY ? ['smoke', 'rotate'] : ['rotate'])(
  'a killed one leaves an app that doctor shows, and that `%s` removes with all it had',
  async (command) => {
    const app = await killed();
    expect(await findings(app)).toEqual([expect.objectContaining({ name: 'smoke-app-left', severity: 'warning' })]);
    const { stderr } = await here.ok([command, '--yes', ...(command === 'rotate' ? ['--no-smoke', '--soak', '0s'] : [])]);
    expect(stderr).toMatch(new RegExp(`removed ${app}, left behind by a smoke deploy of \\S+@\\S+ \\(process \\d+\\), begun 20`));
    expect(await smokeApps()).toEqual([]);
    expect((await keys()).filter((key) => key.includes('smoke'))).toEqual([]);
  },
);

test('looking changes nothing; `sync` removes it', async () => {
  const app = await killed();
  await here.ok(['sync', '--dry-run']);
  expect(await smokeApps()).toEqual([app]);
  await here.ok(['sync', '--yes']);
  expect(await smokeApps()).toEqual([]);
});

test('one under way elsewhere is let be, by every command, and its owner is named; silent for ten minutes it is dead', async () => {
  const name = 'halcyon-smoke-elsewher';
  await heroku.createApp({ name });
  const owner = { id: 'x', who: 'ann@laptop', pid: 12, machine: 'another', since: '2026-11-22T12:00:00.000Z', ttl: 600_000 };
  const note = async (ttl: number) =>
    (await aws.s3()).send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: `.halcyon-kit/smoke-apps/payments/${name}.json`,
        Body: JSON.stringify({ ...owner, ttl }),
      }),
    );
  await note(owner.ttl);
  for (const command of EVERY ? ['sync', 'smoke'] : ['sync']) {
    const { stderr } = await here.ok([command, '--yes']);
    expect(stderr).toContain(
      `${name} is in use by a smoke deploy of ann@laptop (process 12), begun 2026-11-22T12:00:00.000Z; it is let be`,
    );
    expect(await smokeApps()).toEqual([name]);
  }
  expect(await findings(name)).toEqual([expect.objectContaining({ name: 'smoke-app-running', severity: 'info' })]);
  await note(0);
  await sleep(1500);
  await here.ok(['sync', '--yes']);
  expect(await smokeApps()).toEqual([]);
});
