import { expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/index.js';
import type { Team } from '../../lib/config/model.js';
import { appFacts } from '../../lib/doctor/apps.client.js';
import { KitError } from '../../lib/errors.js';
import type { Heroku, HerokuApp } from '../../lib/heroku/heroku.js';

test('a stage whose config vars could not be read is not taken for a sound one', async () => {
  const config = parseConfig(
    'teams: { shop: { bucket: { account: "111122223333", region: eu-west-1 }, apps: { web: { mode: public } }, pipelines: { shop: { review: { mode: read-only } } } } }\nsigning: { version: 4, buildpack: "https://example.com/x.tgz" }\n',
  );
  const heroku: Pick<Heroku, 'configVars' | 'app'> = {
    configVars: () => Promise.reject(new KitError('heroku-forbidden', 'not allowed to read them')),
    app: async () => ({ name: 'pipeline:shop:review', generation: 'cedar' }) as HerokuApp,
  };
  const question = { config, heroku: heroku as Heroku, team: config.teams[0] as Team };
  const [, stage] = await appFacts({ ...question, held: new Map(), buildpacks: new Map(), stacks: new Map() });
  expect(stage).toMatchObject({ name: 'pipeline:shop:review', unread: [expect.stringContaining('not allowed to read them')] });
});
