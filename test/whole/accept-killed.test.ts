import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { namesOf } from '../../accept/fleet.plan.js';
import { thingsOf } from '../../accept/things.client.js';
import { createAws } from '../../lib/aws/aws.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { clients } from '../../sandbox/test/support/clients.js';
import { Workplace } from '../integration/support/target.js';

/** What becomes of a run that does not come to its end. */
const account = '111122223333';
const here = ['accept', '--account', account, '--region', 'eu-west-1', '--yes'];
let sandbox: Sandbox;
let work: Workplace;

beforeAll(async () => {
  sandbox = await startSandbox();
  Object.assign(process.env, sandbox.env);
  work = new Workplace(sandbox.env);
});
afterAll(async () => {
  work?.remove();
  await sandbox?.stop();
});

const heroku = () => createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url });
const thingsOfRun = (id: string) => {
  const place = { account, region: 'eu-west-1' };
  return thingsOf({ aws: (region) => createAws({ region }), heroku: heroku(), place, names: namesOf(id, place) });
};
const NOTHING = { apps: [], stacks: [], users: [], secrets: [], buckets: [] };

test('a killed run is swept by the next, which lets be one that is under way and what only looks like a run’s', async () => {
  const s3 = clients(sandbox.aws).s3;
  await heroku().createApp({ name: 'halcyon-accept-abcdefgh-api' });
  const going = await begun();
  const killed = await begun('SIGKILL');
  const before = await thingsOfRun(killed.id);
  expect(before.apps).toHaveLength(6);
  expect(before.stacks.length).toBeGreaterThan(0);

  const { code, stderr } = await work.kit([...here, '--probes']);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`removing what run ${killed.id} left behind`);
  expect(stderr).not.toContain(going.id);
  expect(await thingsOfRun(killed.id)).toEqual(NOTHING);
  expect((await thingsOfRun(going.id)).apps).toHaveLength(6);

  // Ctrl-C takes its own down.
  going.child.kill('SIGINT');
  expect((await going.ended).code).toBe(130);
  expect(await thingsOfRun(going.id)).toEqual(NOTHING);
  expect((await s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
  expect((await heroku().apps()).map(({ name }) => name)).toEqual(['halcyon-accept-abcdefgh-api']);
});

/** A run whose fleet is being made. @param signal - it is ended by. */
async function begun(signal?: 'SIGKILL') {
  let child: Parameters<NonNullable<Parameters<Workplace['kit']>[1]>['onStart'] & {}>[0] | undefined;
  let id = '';
  let ready: () => void = () => undefined;
  const making = new Promise<void>((done) => (ready = done));
  const ended = work.kit([...here, '--verbose'], {
    onStart(started) {
      child = started;
      let said = '';
      started.stderr?.on('data', (chunk) => {
        said += String(chunk);
        id ||= /run ([0-9a-z]{8}) on account/.exec(said)?.[1] ?? '';
        if (/looking at stacks, keys and apps/.test(said)) ready();
      });
    },
  });
  await making;
  for (let tries = 0; (await thingsOfRun(id)).stacks.length === 0 && tries < 60; tries++)
    await new Promise((done) => setTimeout(done, 500));
  if (child === undefined) throw new Error('it was not started');
  if (signal !== undefined) {
    child.kill(signal);
    await ended;
  }
  return { id, child, ended };
}
