import { expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/index.js';
import type { Team } from '../../lib/config/model.js';
import { appFacts } from '../../lib/doctor/apps.client.js';
import { switches } from '../../lib/doctor/checks/apps.js';
import { runChecks } from '../../lib/doctor/checks/index.js';
import type { Observation } from '../../lib/doctor/model.js';
import { KitError } from '../../lib/errors.js';
import type { Heroku, HerokuApp } from '../../lib/heroku/heroku.js';

const config = parseConfig(
  'teams: { shop: { bucket: { account: "111122223333", region: eu-west-1 }, apps: { web: { mode: public } }, pipelines: { shop: { review: { mode: read-only } } } } }\nsigning: { version: 4, buildpack: "https://example.com/x.tgz" }\n',
);
const stageFacts = async (configVars: Heroku['configVars']) => {
  const heroku: Pick<Heroku, 'configVars' | 'app'> = {
    configVars,
    app: async () => ({ name: 'pipeline:shop:review', generation: 'cedar' }) as HerokuApp,
  };
  const team = { ...(config.teams[0] as Team), apps: [] };
  const question = { config, heroku: heroku as Heroku, team };
  const [stage] = await appFacts({ ...question, held: new Map(), buildpacks: new Map(), stacks: new Map() });
  return { stage: stage!, team };
};

test('a stage whose config vars could not be read is not taken for a sound one', async () => {
  const { stage } = await stageFacts(() => Promise.reject(new KitError('heroku-forbidden', 'not allowed to read them')));
  expect(stage).toMatchObject({ name: 'pipeline:shop:review', unread: [expect.stringContaining('not allowed to read them')] });
});

test('a switch of Halcyon’s that is set on a stage is told of, and where to take it out', async () => {
  const { stage, team } = await stageFacts(async () => ({ HALCYON_PURGE_CACHE: '1', HALCYON_NO_PRIVATE_STORAGE: '1', OTHER: 'x' }));
  const observation: Observation = { config, at: '', buckets: [], teams: [{ team, principals: [], apps: [stage], unread: [] }] };
  const fix = (name: string) => `take ${name} out of the pipeline’s settings, in Heroku’s Dashboard`;
  expect(runChecks(observation, [switches])).toMatchObject([
    { name: 'private-storage-off', subject: 'pipeline:shop:review', fix: fix('HALCYON_NO_PRIVATE_STORAGE') },
    { name: 'purge-cache-left', subject: 'pipeline:shop:review', fix: fix('HALCYON_PURGE_CACHE') },
  ]);
});
