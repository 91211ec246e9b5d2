import { expect, test } from 'vitest';
import { activityOf, keyReleaseOf } from '../../lib/engine/ports/heroku-apps.client.js';
import { KitError } from '../../lib/errors.js';
import type { Build, Heroku } from '../../lib/heroku/heroku.js';
import { withStages, type StageApi } from '../../lib/heroku/stages.js';

const STAGE = 'pipeline:shop:test';
const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

function rig() {
  let second = 0;
  let vars: Record<string, string> = { HALCYON_AWS_ACCESS_KEY_ID: 'old', OTHER: 'kept' };
  const runs: Build[] = [];
  const asked: string[] = [];
  const api: StageApi = {
    pipeline: async (identity) => {
      asked.push(identity);
      if (!['shop', 'p-1'].includes(identity)) throw new KitError('heroku-not-found', `no ${identity}`);
      return { id: 'p-1', name: 'shop', createdAt: at(0) };
    },
    configVars: async () => vars,
    patch: async (_pipeline, _stage, changes) =>
      (vars = Object.fromEntries(Object.entries({ ...vars, ...changes }).filter((one): one is [string, string] => one[1] !== null))),
    runs: async () => [...runs].reverse(),
  };
  const plain = {
    now: () => Date.parse(at(second)),
    configVars: async (app: string) => ({ APP: app }),
    appsById: async (ids: readonly string[]) => ids.map((id) => ({ id })),
  } as unknown as Heroku;
  const heroku = withStages(plain, api);
  const run = (id: string, begun: number, status: Build['status'] = 'pending') =>
    runs.push({ id, status, createdAt: at(begun), updatedAt: at(second) });
  const running = async () => {
    const { keyRelease, running: all } = activityOf(await heroku.releases(STAGE), await heroku.builds(STAGE), await heroku.dynos(STAGE));
    return all
      .filter(({ startedAt }) => startedAt <= (keyRelease?.at ?? ''))
      .map(({ id }) => id)
      .sort();
  };
  return {
    heroku,
    asked,
    run,
    running,
    until: (to: number) => (second = to),
    set: (id: string) => (vars = { HALCYON_AWS_ACCESS_KEY_ID: id }),
  };
}

test('what a stage is told for an app, and an app for a stage: neither', async () => {
  const { heroku, asked } = rig();
  expect(await heroku.configVars('shop')).toEqual({ APP: 'shop' });
  expect(await heroku.configVars(STAGE)).toMatchObject({ OTHER: 'kept' });
  expect(await heroku.app('pipeline:p-1:review')).toMatchObject({ id: 'pipeline:p-1:review', name: 'pipeline:shop:review' });
  expect(await heroku.appsById(['a', 'pipeline:p-1:review'])).toEqual([{ id: 'a' }]);
  expect(asked).toEqual(['shop', 'p-1']);
  await expect(heroku.configVars('pipeline:nosuch:test')).rejects.toMatchObject({ code: 'app-not-found' });
});

test('a run that began before the stage was seen with its key may have the one before; one that began later has not', async () => {
  const { heroku, run, running, until } = rig();
  until(10);
  run('early', 5);
  // Nothing was seen yet: whatever runs counts.
  expect(await running()).toEqual(['early']);
  await heroku.configVars(STAGE);
  until(20);
  run('later', 15);
  expect(await running()).toEqual(['early']);
  until(30);
  await heroku.patchConfigVars(STAGE, { HALCYON_AWS_ACCESS_KEY_ID: 'new' });
  until(40);
  run('last', 35);
  expect(await running()).toEqual(['early', 'later']);
});

test('another change of its config vars moves nothing; another key does, whoever set it', async () => {
  const { heroku, running, run, until, set } = rig();
  await heroku.configVars(STAGE);
  until(10);
  run('between', 5);
  await heroku.patchConfigVars(STAGE, { OTHER: 'changed' });
  expect(await running()).toEqual([]);
  set('another');
  await heroku.configVars(STAGE);
  expect(await running()).toEqual(['between']);
  expect(keyReleaseOf(await heroku.releases(STAGE))).toMatchObject({ version: 0 });
});
