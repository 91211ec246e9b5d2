import { expect, test } from 'vitest';
import { parseConfig } from '../../../lib/config/index.js';
import type { Team } from '../../../lib/config/model.js';
import { DEFAULT_POLICY, type Intent } from '../../../lib/engine/model.js';
import { reconcile } from '../../../lib/engine/run/reconcile.client.js';
import { KitError } from '../../../lib/errors.js';
import { silentIo, type IoHost } from '../../../lib/io/io-host.js';
import { runContext } from '../support/run-context.js';
import type { Hook } from '../support/world/process.js';
import { World } from '../support/world/world.js';

const config = parseConfig(
  'teams: { team: { bucket: { account: "111122223333", region: eu-west-1 }, apps: { one: { mode: upload } } } }\nsigning: { version: 4, buildpack: "https://example.com/x.tgz" }\n',
);
const policy = { ...DEFAULT_POLICY, soak: 0 };

/** Runs on one world, and the lines that they say: a key's id is told as KEY. */
function setUp() {
  const world = new World();
  world.deploy(config.teams[0] as Team);
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line.replace(/AKIA\w+/g, 'KEY'));
  const io: IoHost = {
    ...silentIo,
    step(title) {
      say(`- ${title}`);
      return {
        update: () => {},
        done: (outcome) => say(`✔ ${title}${outcome ? `: ${outcome}` : ''}`),
        fail: (why) => say(`✘ ${title}: ${why instanceof Error ? why.message : String(why)}`),
      };
    },
  };
  const run = async (intent: Intent, more: { hook?: Hook; signal?: AbortSignal } = {}) => {
    lines.length = 0;
    await reconcile(runContext(world, config, { policy, io, ...more }), intent).catch(() => undefined);
    return [...lines];
  };
  return run;
}

test('a key is one line from its making until it is current', async () => {
  const run = setUp();
  const [first, second, ...rest] = await run({ kind: 'ensure' });
  expect([first, second]).toEqual(['- Key of team/upload', '✔ Key of team/upload: KEY is verified and current']);
  expect(rest.filter((line) => line.includes('Key of'))).toEqual([]);
  expect((await run({ kind: 'rotate', due: false })).filter((line) => line.startsWith('✔'))).toEqual([
    '✔ Key of team/upload: KEY is verified and current',
    expect.stringMatching(/^✔ Deactivating key KEY/),
    expect.stringMatching(/^✔ Deleting key KEY/),
  ]);
});

/** At a key's steps, and between them, where AWS is looked at again. */
test.each([
  ['CreateAccessKey', 1],
  ['PutSecretValue', 1],
  ['verify', 1],
  ['GetSecretValue', 2],
])('its line ends, and once, where the run is stopped at %s (%i)', async (moment, time) => {
  const controller = new AbortController();
  let times = 0;
  const hook: Hook = (operation, phase) => {
    if (operation === moment && phase !== 'after' && (times += 1) === time) controller.abort(new KitError('interrupted', 'stopped'));
  };
  const lines = await setUp()({ kind: 'ensure' }, { hook, signal: controller.signal });
  expect(lines).toEqual(['- Key of team/upload', '✘ Key of team/upload: stopped']);
});
