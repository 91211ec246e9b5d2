import { ListUsersCommand } from '@aws-sdk/client-iam';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import pMap from 'p-map';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { clients } from '../../sandbox/test/support/clients.js';
import { fleetFile } from '../../script/bench/fleet.js';
import { Workplace } from '../integration/support/target.js';

/** A fleet is brought up, edited, rotated in bad weather and taken down, by the built CLI over the wire. HALCYON_FLEET apps; default 1,000. */
const APPS = Number(process.env.HALCYON_FLEET ?? 1000);
const file = fleetFile(APPS);
const apps = [...file.matchAll(/(fleet-\d+-\d+):/g)].map(([, name]) => name as string);
let sandbox: Sandbox;
let heroku: Heroku;
let work: Workplace;

beforeAll(async () => {
  sandbox = await startSandbox({ heroku: { upstreamDir: null, settings: { rateLimit: 100_000_000 } } });
  heroku = createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url });
  work = new Workplace(sandbox.env);
  work.write(file);
  for (const app of apps) await sandbox.heroku.ensureApp(app);
});
afterAll(async () => {
  work?.remove();
  await sandbox?.stop();
});

const of = <T>(look: (app: string) => Promise<T>): Promise<T[]> => pMap(apps, look, { concurrency: 20 });
const keys = () => of(async (app) => (await heroku.configVars(app)).HALCYON_AWS_ACCESS_KEY_ID);
const versions = () => of(async (app) => (await heroku.releases(app, { max: 1 }))[0]?.version ?? 0);

/** Runs it, and tells what it took. */
async function run(...args: string[]): Promise<number> {
  sandbox.heroku.clearLog();
  sandbox.aws.clearLog();
  const began = Date.now();
  const { code, stdout, stderr } = await work.kit([...args, '--all', '--yes']);
  const asked = sandbox.heroku.log().length;
  const took = `${asked} of Heroku (${(asked / APPS).toFixed(2)} an app), ${sandbox.aws.log().length} of AWS, ${((Date.now() - began) / 1000).toFixed(0)} s`;
  process.stderr.write(`${args.join(' ')}, ${APPS} apps: ${took}\n`);
  expect(code, `${stderr}\n${stdout}`.slice(-3000)).toBe(0);
  return asked;
}

test('is brought up', async () => {
  expect(await run('up', '--no-smoke')).toBeLessThanOrEqual(6 * APPS + 110);
  expect((await keys()).filter((key) => key === undefined)).toEqual([]);
});

test('is not asked for again', async () => {
  await run('up', '--no-smoke');
  expect(await run('sync')).toBeLessThanOrEqual(60);
});

test('is edited: every tenth app uploads now, and the rest is left alone', async () => {
  const before = await versions();
  const edited = (app: string) => app.endsWith('-5') || app.endsWith('-15');
  work.write(file.replace(/(fleet-\d+-1?5): { mode: read-only }/g, '$1: { mode: upload }'));
  await run('up', '--no-smoke');
  const moved = (await versions()).map((version, n) => version - (before[n] ?? 0));
  expect(apps.filter((app, n) => moved[n] !== (edited(app) ? 1 : 0))).toEqual([]);
});

test('is rotated while Heroku fails now and then: each app ends right, and none is written twice', async () => {
  const [before, old] = [await versions(), new Set(await keys())];
  // One in twenty is one too many, two in a hundred find no server, and of one in a hundred each the connection breaks.
  for (const [kind, every] of [
    ['429', 20],
    ['503', 50],
    ['reset-before', 100],
    ['reset-after', 101],
  ] as const)
    sandbox.heroku.addFault({ kind, every, times: Infinity });
  await run('rotate', '--soak', '0s', '--no-smoke');
  sandbox.heroku.clearFaults();
  expect((await keys()).filter((key) => key === undefined || old.has(key))).toEqual([]);
  const moved = (await versions()).map((version, n) => version - (before[n] ?? 0));
  expect(apps.filter((_, n) => moved[n] !== 1)).toEqual([]);
});

test('is taken down, and nothing of it is left', async () => {
  await run('down', '--delete-bucket');
  expect((await keys()).filter((key) => key !== undefined)).toEqual([]);
  const { iam, secrets } = clients(sandbox.aws, { region: 'eu-west-1' });
  expect((await iam.send(new ListUsersCommand({ PathPrefix: '/halcyon/' }))).Users).toEqual([]);
  expect((await secrets.send(new ListSecretsCommand({}))).SecretList).toEqual([]);
});
