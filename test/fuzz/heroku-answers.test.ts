import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/index.js';
import { herokuApps } from '../../lib/engine/ports/heroku-apps.client.js';
import { observeBuildpacks } from '../../lib/heroku/buildpacks.sync.js';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { preflight } from '../../lib/heroku/preflight.js';
import { syncApps } from '../../lib/heroku/sync.js';
import { silentIo } from '../../lib/io/io-host.js';
import { RUNS, sayHow, SEED } from './support/runs.js';
import { change, changed, endsWell, places, type Change, type Json } from './support/wrong.js';

const at = '2026-01-01T00:00:00Z';
const id = '01234567-89ab-cdef-0123-456789abcdef';
const app = { id, name: 'web', generation: { name: 'cedar' }, stack: { name: 'heroku-24' }, created_at: at, maintenance: false };
const stream = 'https://output.example.com/streams/abc';
const release = { id, version: 3, status: 'succeeded', current: true, description: 'Set A config vars', created_at: at, updated_at: at };
const build = {
  ...{ id, status: 'pending', created_at: at, updated_at: at, output_stream_url: stream, release: { id } },
  ...{ source_blob: { url: 'https://source.example.com/1', version: 'x' }, buildpacks: [{ url: 'https://example.com/b', name: 'b' }] },
};
const dyno = { id, name: 'run.1', type: 'run', state: 'up', release: { version: 3 }, created_at: at, command: 'x' };
const installations = [{ ordinal: 0, buildpack: { url: 'https://github.com/mietek/haskell-on-heroku', name: 'x/y' } }];
const vars = { A: '1', HALCYON_AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000001' };

/** Every answer that is read, by what it answers. */
const ANSWERS: Record<string, Json> = {
  'GET /apps/web': { ...app, web_url: 'https://web.example.com/', team: { name: 'payments' } },
  'POST /apps': app,
  'GET /apps': [app, app],
  'GET /stacks': [{ name: 'heroku-24', state: 'public', default: true }],
  'GET /apps/web/config-vars': vars,
  'PATCH /apps/web/config-vars': vars,
  'GET /apps/web/releases': [release, { ...release, status: 'pending', output_stream_url: stream }],
  'GET /apps/web/releases/3': release,
  'GET /apps/web/releases/3/config-vars': vars,
  'GET /pipelines/web': { id, name: 'web', created_at: at, updated_at: at },
  [`GET /pipelines/${id}/pipeline-couplings`]: [{ id, app: { id }, pipeline: { id }, stage: 'review' }],
  [`GET /pipelines/${id}/stage/review/config-vars`]: vars,
  [`PATCH /pipelines/${id}/stage/review/config-vars`]: vars,
  [`GET /pipelines/${id}/review-apps`]: [{ id, status: 'creating', created_at: at, updated_at: at }],
  [`GET /pipelines/${id}/test-runs`]: [{ id, status: 'running', created_at: at, updated_at: at }],
  'POST /filters/apps': [app],
  'GET /apps/web/buildpack-installations': installations,
  'PUT /apps/web/buildpack-installations': installations,
  'GET /apps/web/builds': [build, { ...build, status: 'failed' }],
  'POST /apps/web/builds': build,
  'GET /apps/web/builds/1': build,
  'POST /sources': { source_blob: { put_url: 'TO/put', get_url: 'TO/get' } },
  'GET /apps/web/dynos': [dyno],
  'POST /apps/web/dynos': dyno,
  'GET /apps/web/formation': [{ type: 'web', quantity: 1 }],
  'POST /apps/web/log-sessions': { logplex_url: stream },
};
const [team] = parseConfig('teams: { payments: { heroku: { team: payments }, apps: { web: { mode: public } } } }').teams;

/** What the kit does with them. */
const WORK: ReadonlyArray<(heroku: Heroku) => Promise<unknown>> = [
  (heroku) => preflight(heroku, team === undefined ? [] : [team]),
  (heroku) => heroku.createApp({ name: 'web' }),
  (heroku) => heroku.apps(),
  (heroku) => heroku.stacks(),
  (heroku) => herokuApps(heroku, { io: silentIo, concurrency: 1, guard: async () => {} }).vars('web'),
  (heroku) => herokuApps(heroku, { io: silentIo, concurrency: 1, guard: async () => {} }).activity('web'),
  (heroku) =>
    syncApps(heroku, [{ app: 'web', changes: ['HALCYON_S3_BUCKET'], desired: { HALCYON_S3_BUCKET: null } as never }], { io: silentIo }),
  (heroku) => heroku.release('web', 3),
  (heroku) => heroku.releaseConfigVars('web', 3),
  (heroku) => heroku.pipelineApps('web'),
  (heroku) => herokuApps(heroku, { io: silentIo, concurrency: 1, guard: async () => {} }).members('pipeline:web:review'),
  (heroku) => herokuApps(heroku, { io: silentIo, concurrency: 1, guard: async () => {} }).activity('pipeline:web:review'),
  (heroku) => herokuApps(heroku, { io: silentIo, concurrency: 1, guard: async () => {} }).activity('pipeline:web:test'),
  (heroku) =>
    syncApps(heroku, [{ app: 'pipeline:web:review', changes: ['HALCYON_S3_BUCKET'], desired: { HALCYON_S3_BUCKET: null } as never }], {
      io: silentIo,
    }),
  (heroku) =>
    observeBuildpacks(
      heroku,
      [
        {
          app: 'web',
          desired: { signing: { version: 4, buildpackUrl: 'https://x' }, ours: () => false, install: { enabled: true, url: 'https://y' } },
        },
      ],
      { install: true, url: 'https://y', halcyonUrl: 'https://z' } as never,
    ),
  (heroku) => heroku.setBuildpacks('web', ['https://github.com/x/y']),
  (heroku) => heroku.build('web', '1'),
  (heroku) => heroku.startBuild('web', Buffer.from('x')),
  (heroku) => heroku.runDyno('web', { command: 'x', timeToLive: 60 }),
  (heroku) => heroku.logSession('web', {}),
  (heroku) => heroku.processTypes('web'),
];

let server: Server;
let heroku: Heroku;
let now: Change | undefined;
const asked = new Set<string>();

beforeAll(async () => {
  server = createServer((req, res) => {
    req.resume().on('end', () => {
      const route = `${req.method} ${req.url}`;
      asked.add(route);
      if (req.url === '/put') return res.end();
      const value = ANSWERS[route];
      const body = JSON.stringify(now?.answer === route ? changed(value, now) : value) ?? '';
      res.end(body.replaceAll('TO/', `http://${req.headers.host}/`));
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  heroku = createHeroku({ token: 'canary-token-fuzz', host, patience: { baseMs: 1, attempts: 2, timeoutMs: 5_000 } });
});
afterAll(() => void server.close());

test('each field of each answer of Heroku in each wrong shape: only coded errors', async () => {
  /** Which answers each work reads, as it went with what is documented. */
  const reads: Array<{ work: (typeof WORK)[number]; answers: ReadonlySet<string> }> = [];
  for (const work of WORK) {
    asked.clear();
    expect(await endsWell(() => work(heroku))).toBe('well');
    reads.push({ work, answers: new Set(asked) });
  }
  expect(Object.keys(ANSWERS).filter((answer) => !reads.some(({ answers }) => answers.has(answer)))).toEqual([]);

  sayHow(`${Object.values(ANSWERS).flatMap((value) => places(value)).length} fields of Heroku in wrong shapes`);
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(change(ANSWERS), async (wrong) => {
      now = wrong;
      for (const { work, answers } of reads)
        if (answers.has(wrong.answer) && (await endsWell(() => work(heroku))) === 'refused') refused += 1;
    }),
    { numRuns: RUNS, seed: SEED },
  );
  expect(refused).toBeGreaterThan(RUNS / 10);
}, 1_800_000);
