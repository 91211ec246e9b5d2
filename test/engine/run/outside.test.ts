import { expect, test } from 'vitest';
import { parseConfig } from '../../../lib/config/index.js';
import { herokuApps } from '../../../lib/engine/ports/heroku-apps.client.js';
import { s3Holders } from '../../../lib/engine/ports/s3-holders.client.js';
import type { ObjectStore } from '../../../lib/engine/ports/ports.js';
import type { ObserveContext } from '../../../lib/engine/run/looking.js';
import { observeOutside } from '../../../lib/engine/run/observe-apps.client.js';
import { KitError } from '../../../lib/errors.js';
import type { Heroku, HerokuApp } from '../../../lib/heroku/heroku.js';
import { silentIo } from '../../../lib/io/io-host.js';

const bucket = 'bucket: { account: "111122223333", region: eu-west-1 }';
const config = parseConfig(`teams:
  pay: { ${bucket}, apps: { pay-web: { mode: upload } } }
  ads: { ${bucket}, apps: { ads-web: { mode: upload } } }
`);

/** The apps that Heroku has, name by id, and team pay, which alone is worked on. */
function world(has: Record<string, string>) {
  const asked: string[] = [];
  const there = (app: string): string => {
    const found = Object.entries(has).find((one) => one.includes(app));
    if (found === undefined) throw new KitError('app-not-found', `no app ${app}`);
    return found[0];
  };
  const heroku = {
    app: async (id: string) => (asked.push(`GET ${id}`), { id: there(id), name: has[id] }),
    appsById: async (ids: string[]) => {
      if (ids.length > 0) asked.push(`list of ${ids.length}`);
      return ids.flatMap((id) => (has[id] ? [{ id, name: has[id] }] : []));
    },
    configVars: async (app: string) => (there(app), {}),
  } as unknown as Heroku & HerokuApp;
  const apps = herokuApps(heroku, { io: silentIo, concurrency: 1, guard: async () => {}, ids: new Map([['pay-web', 'id-pay']]) });
  const context = { config, team: config.teams[0], ports: { apps }, concurrency: 1 } as unknown as ObserveContext;
  const look = (recorded: Record<string, string>) => {
    const holders = Object.entries(recorded).map(([id, app]) => ({ id, app }));
    return observeOutside(context, { user: holders }, { activity: false, seen: [] });
  };
  return { asked, look };
}

test('apps that left the file are looked up together, and those that are gone are told', async () => {
  const { asked, look } = world({ 'id-pay': 'pay-web', 'id-1': 'one', 'id-2': 'two' });
  const { outside, gone } = await look({ 'id-1': 'one', 'id-2': 'two', 'id-3': 'three', 'id-pay': 'pay-web' });
  expect(outside?.map(({ name }) => name)).toEqual(['one', 'two']);
  expect(gone).toEqual(['id-3']);
  expect(asked).toEqual(['list of 3', 'GET id-3']);
});

test('who is gone leaves the record when others come', async () => {
  let body = JSON.stringify({ holders: ['a', 'b'].map((id) => ({ id, app: id })) });
  const store: Partial<ObjectStore> = {
    read: async () => ({ body, etag: '1', ageMs: 0 }),
    replace: async (next) => ((body = next), '2'),
  };
  await s3Holders(async () => store as ObjectStore).add('user', undefined, [{ id: 'c', app: 'c' }], ['a']);
  expect((JSON.parse(body) as { holders: Array<{ id: string }> }).holders.map(({ id }) => id)).toEqual(['b', 'c']);
});

test.each([
  ['renamed, and its team’s file has not followed', {}, 'ads'],
  ['renamed, and another has its former name', { 'id-new': 'ads-web' }, undefined],
])('an app that was of a team not worked on, %s', async (_, others, team) => {
  const { outside } = await world({ 'id-old': 'shop', ...others }).look({ 'id-old': 'ads-web' });
  expect(outside).toMatchObject([{ name: 'shop' }]);
  expect(outside?.[0]?.team).toBe(team);
});
