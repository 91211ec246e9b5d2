// A rotation in a process of its own, to be killed: `node engine-child.mjs CONFIG TEAM`. AWS and Heroku come from the environment.
import { createAws } from '../../../lib/aws/aws.js';
import { loadConfig } from '../../../lib/config/index.js';
import { teamNamed } from '../../../lib/config/derive.js';
import { DEFAULT_POLICY, runTeam } from '../../../lib/engine/index.js';
import { createHeroku } from '../../../lib/heroku/heroku.client.js';
import { networkOf } from '../../../lib/network/network.js';
import { silentIo } from '../../../lib/io/io-host.js';

const [, , file = '', name = ''] = process.argv;
const config = { ...(await loadConfig(file)), s3Url: networkOf().s3Url };
const team = teamNamed(config, name);
const context = {
  config,
  aws: createAws({ region: team.bucket?.spec.region ?? 'us-east-1' }),
  heroku: createHeroku({ token: process.env.HEROKU_API_KEY ?? '', host: process.env.HEROKU_HOST }),
  io: silentIo,
};
const result = await runTeam(context, team, { kind: 'rotate', due: false }, { ...DEFAULT_POLICY, soak: 0, poll: 50 });
process.stdout.write(`${JSON.stringify(result)}\n`);
