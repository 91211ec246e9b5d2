import { namesOf } from '../../../accept/fleet.plan.js';
import { thingsOf } from '../../../accept/things.client.js';
import { createAws } from '../../../lib/aws/aws.js';
import { createHeroku } from '../../../lib/heroku/heroku.client.js';
import { startSandbox } from '../../../sandbox/index.js';
import { block, linesOf } from '../../support/markdown.js';
import { Workplace } from './target.js';

const place = { account: '111122223333', region: 'eu-west-1' };
/** The command line, as far as all runs have it. */
export const HERE = ['accept', '--account', place.account, '--region', place.region, '--yes'];
/** What docs/accept.md tells to enter: what it would make, the whole, and the probes alone. */
export const [DRY = [], WHOLE = [], PROBES = []] = linesOf(block('docs/accept.md', 'Acceptance on your own accounts')).map((line) => [
  ...line.replace('halcyon-kit ', '').split(' '),
  '--yes',
]);
/** What is there of a run that left nothing. */
export const NOTHING = { apps: [], stacks: [], users: [], secrets: [], buckets: [] };

export type AcceptGround = Awaited<ReturnType<typeof startAcceptGround>>;

/** A sandbox for runs of `accept`, and a directory to run them in. */
export async function startAcceptGround() {
  const sandbox = await startSandbox({ heroku: { upstreamDir: null } });
  Object.assign(process.env, sandbox.env);
  const work = new Workplace(sandbox.env);
  const heroku = createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url });
  return {
    sandbox,
    work,
    heroku,
    thingsOfRun: (id: string) => thingsOf({ aws: (region) => createAws({ region }), heroku, place, names: namesOf(id, place) }),
    async stop() {
      work.remove();
      await sandbox.stop();
    },
  };
}
