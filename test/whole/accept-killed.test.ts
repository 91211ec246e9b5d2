import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clients } from '../../sandbox/test/support/clients.js';
import { HERE, NOTHING, startAcceptGround, type AcceptGround } from '../integration/support/accept-ground.js';

/** What becomes of a run that does not come to its end. */
let ground: AcceptGround;
beforeAll(async () => void (ground = await startAcceptGround()));
afterAll(() => ground?.stop());

test('a killed run is swept by the next, which lets be one that is under way and what only looks like a run’s', async () => {
  const s3 = clients(ground.sandbox.aws).s3;
  await ground.heroku.createApp({ name: 'halcyon-accept-abcdefgh-api' });
  const going = await begun();
  const killed = await begun('SIGKILL');
  const before = await ground.thingsOfRun(killed.id);
  expect(before.apps).toHaveLength(6);
  expect(before.stacks.length).toBeGreaterThan(0);

  const { code, stderr } = await ground.work.kit([...HERE, '--probes']);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`removing what run ${killed.id} left behind`);
  expect(stderr).not.toContain(going.id);
  expect(await ground.thingsOfRun(killed.id)).toEqual(NOTHING);
  expect((await ground.thingsOfRun(going.id)).apps).toHaveLength(6);

  // Ctrl-C takes its own down.
  going.child.kill('SIGINT');
  expect((await going.ended).code).toBe(130);
  expect(await ground.thingsOfRun(going.id)).toEqual(NOTHING);
  expect((await s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
  expect((await ground.heroku.apps()).map(({ name }) => name)).toEqual(['halcyon-accept-abcdefgh-api']);
});

/** A run whose fleet is being made. @param signal - it is ended by. */
async function begun(signal?: 'SIGKILL') {
  let child: Parameters<NonNullable<Parameters<AcceptGround['work']['kit']>[1]>['onStart'] & {}>[0] | undefined;
  let id = '';
  let ready: () => void = () => undefined;
  const making = new Promise<void>((done) => (ready = done));
  const ended = ground.work.kit([...HERE, '--verbose'], {
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
  for (let tries = 0; (await ground.thingsOfRun(id)).stacks.length === 0 && tries < 60; tries++)
    await new Promise((done) => setTimeout(done, 500));
  if (child === undefined) throw new Error('it was not started');
  if (signal !== undefined) {
    child.kill(signal);
    await ended;
  }
  return { id, child, ended };
}
