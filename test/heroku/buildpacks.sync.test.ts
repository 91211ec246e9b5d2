import { expect, test } from 'vitest';
import { observeBuildpacks, syncBuildpacks } from '../../lib/heroku/buildpacks.sync.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { silentIo } from '../../lib/io/io-host.js';

const OURS = 'https://ours.example.com/v4.tgz';
const HOH = 'https://github.com/mietek/haskell-on-heroku';
const NODE = 'heroku/nodejs';
const desired = {
  signing: { version: 4, buildpackUrl: OURS },
  ours: (url: string) => url === OURS,
  install: { enabled: false, url: HOH },
} as const;
const settings = { install: false, url: HOH };

/** An app with these buildpacks; `set` has what was sent. */
function app(list: string[]) {
  const set: string[][] = [];
  const heroku = {
    buildpacks: async () => [...list],
    setBuildpacks: async (_: string, urls: string[]) => void set.push((list = [...urls])),
  } as unknown as Heroku;
  return { heroku, set, by: (...urls: string[]) => void (list = urls) };
}

test.each([
  ['a buildpack that the team added after the look stays', [NODE, HOH], [[OURS, NODE, HOH]]],
  ['a list that another put right meanwhile is not sent', [OURS, HOH], []],
])('%s', async (_, meanwhile, sent) => {
  const { heroku, set, by } = app([HOH]);
  const plans = await observeBuildpacks(heroku, [{ app: 'web', desired }], settings);
  by(...meanwhile);
  expect(await syncBuildpacks(heroku, plans, { io: silentIo })).toEqual([]);
  expect(set).toEqual(sent);
});
