// A rotation under load, the kit's way and the naive way (create, write, delete), with the same load in the same run: every app asks for its
// key and uses it, over and over, as Halcyon does, while real builds run that began with the key of their time. Failed requests are counted.
import { execFileSync } from 'node:child_process';
import { CreateAccessKeyCommand, DeleteAccessKeyCommand, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as tar from 'tar';
import { principalsOf, storageOf } from '../../lib/config/derive.js';
import type { KitConfig, Team } from '../../lib/config/model.js';
import { desiredConfigVars, userName } from '../../lib/contract/index.js';
import { DEFAULT_POLICY, runTeam } from '../../lib/engine/index.js';
import { sigv2 } from '../../sandbox/test/support/clients.js';
import { configOf, plant, startWire, type Wire } from '../../test/engine/support/wire.js';
import type { Figure } from './measure.js';

export interface LoadOptions {
  readonly apps: number;
  /** Of them, apps that build all the time. */
  readonly building: number;
  /** Storage requests of one build, half a second apart. */
  readonly buildRequests: number;
  /** Pause of an app between two requests, ms. */
  readonly pause: number;
  readonly keyDelayMs: number;
  /** Load before and after the rotation, ms. */
  readonly margin: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly builds: number;
  readonly failed: number;
  /** The first few, in words. */
  readonly failures: readonly string[];
  readonly seconds: number;
}

type Rotate = (wire: Wire, config: KitConfig, team: Team) => Promise<void>;

/** Observe, plan, act, with a retire barrier. */
export const kitWay: Rotate = async (wire, config, team) => {
  const outcome = await runTeam(
    wire.context(config),
    team,
    { kind: 'rotate', due: false },
    { ...DEFAULT_POLICY, soak: 0, quiet: 2000, poll: 500 },
  );
  if (outcome.status !== 'done') throw new Error(`the rotation is ${outcome.status}: ${outcome.summary}`);
};

/** What a short script would do. */
export const naiveWay: Rotate = async (wire, config, team) => {
  const iam = await wire.aws.iam();
  for (const principal of principalsOf(team)) {
    const UserName = userName(principal);
    const { AccessKeyMetadata: old = [] } = await iam.send(new ListAccessKeysCommand({ UserName }));
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    for (const app of team.apps.filter(({ name }) => principal.apps.includes(name))) {
      const vars = desiredConfigVars(storageOf(wire.context(config).config, team, app), {
        accessKeyId: key?.AccessKeyId ?? '',
        secretAccessKey: key?.SecretAccessKey ?? '',
      });
      await wire.heroku.patchConfigVars(app.name, vars);
    }
    for (const { AccessKeyId } of old) await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  }
};

/** One rotation under load, in a sandbox of its own. */
export async function underLoad(options: LoadOptions, rotate: Rotate): Promise<LoadResult> {
  const dir = mkdtempSync(join(tmpdir(), 'halcyon-load-'));
  const buildpack = makeBuildpack(dir, options.buildRequests);
  const wire = await startWire({
    aws: { settings: { sigv2: { default: 'accept' }, keyDelayMs: options.keyDelayMs } },
    heroku: { readable: [dir], settings: { rateLimit: 10_000_000 } },
  });
  try {
    const apps = Object.fromEntries(
      Array.from({ length: options.apps }, (_, n) => [`load-${n}`, n === 0 ? 'mode: upload' : 'mode: read-only']),
    );
    const config = configOf('loaded', apps);
    const team = await plant(wire, config);
    const bucket = team.bucket?.spec.name ?? '';
    const first = await runTeam(wire.context(config), team, { kind: 'ensure' });
    if (first.status !== 'done') throw new Error(first.summary);

    const seen = { requests: 0, builds: 0, failures: [] as string[] };
    let going = true;
    const ask = makeAsker(wire, bucket);
    const use = async (app: string): Promise<void> => {
      while (going) {
        const { HALCYON_AWS_ACCESS_KEY_ID: accessKeyId = '', HALCYON_AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
          await wire.heroku.configVars(app);
        const status = await ask({ accessKeyId, secretAccessKey });
        seen.requests += 1;
        if (status !== 404) seen.failures.push(`${app}: ${status} with ${accessKeyId}`);
        await sleep(options.pause);
      }
    };
    const source = await tarball(dir);
    const build = async (app: string): Promise<void> => {
      await wire.heroku.setBuildpacks(app, [buildpack]);
      while (going) {
        const started = await wire.heroku.startBuild(app, source);
        let log = '';
        if (started.outputStreamUrl !== undefined) await wire.heroku.followStream(started.outputStreamUrl, (text) => (log += text));
        const answers = [...log.matchAll(/answer (\d+)/g)].map((match) => match[1]);
        seen.builds += 1;
        seen.requests += answers.length;
        if (answers.length !== options.buildRequests)
          seen.failures.push(`build of ${app} made ${answers.length} requests: ${log.slice(-300)}`);
        for (const status of answers) if (status !== '200') seen.failures.push(`build of ${app}: ${status}`);
      }
    };
    const load = Promise.all([
      ...team.apps.map(({ name }) => use(name)),
      ...team.apps.slice(0, options.building).map(({ name }) => build(name)),
    ]);
    await sleep(options.margin);
    const began = Date.now();
    try {
      await rotate(wire, config, team);
      const seconds = (Date.now() - began) / 1000;
      await sleep(options.margin);
      going = false;
      await load;
      return { requests: seen.requests, builds: seen.builds, failed: seen.failures.length, failures: seen.failures.slice(0, 5), seconds };
    } finally {
      going = false;
      await load.catch(() => undefined);
    }
  } finally {
    await wire.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Halcyon's download of a package that is not there: 404 with a good key. */
function makeAsker(wire: Wire, bucket: string): (key: { accessKeyId: string; secretAccessKey: string }) => Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca: readFileSync(wire.sandbox.aws.caFile) });
  const path = `/${bucket}/linux/none.tar.gz`;
  return (key) =>
    new Promise((resolve, reject) => {
      const asked = request(`${wire.sandbox.aws.url}${path}`, { agent, headers: sigv2(key, 'GET', path, {}) }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      });
      asked.on('error', reject);
      asked.end();
    });
}

/** A build that lists the bucket with the key it began with, until its end. */
const COMPILE = (requests: number) => `#!/bin/bash
BASHMENOT_S3_ENDPOINT=$(cat "$3/HALCYON_S3_ENDPOINT")
BASHMENOT_AWS_ACCESS_KEY_ID=$(cat "$3/HALCYON_AWS_ACCESS_KEY_ID")
BASHMENOT_AWS_SECRET_ACCESS_KEY=$(cat "$3/HALCYON_AWS_SECRET_ACCESS_KEY")
bucket=$(cat "$3/HALCYON_S3_BUCKET")
for n in $(seq 1 ${requests}); do
  date=$(LC_ALL=C date -u -R)
  signature=$(printf 'GET\\n\\n\\n%s\\n/%s/' "$date" "$bucket" | openssl sha1 -hmac "$BASHMENOT_AWS_SECRET_ACCESS_KEY" -binary | openssl base64)
  code=$(curl "https://$BASHMENOT_S3_ENDPOINT/$bucket/" --silent --output /dev/null --write-out '%{http_code}' \\
    --header "Host: $BASHMENOT_S3_ENDPOINT" --header "Date: $date" --header "Authorization: AWS $BASHMENOT_AWS_ACCESS_KEY_ID:$signature")
  echo "answer $code"
  sleep 0.5
done
`;

function makeBuildpack(dir: string, requests: number): string {
  const at = join(dir, 'buildpack');
  const files = { 'bin/detect': '#!/bin/bash\necho Load\n', 'bin/compile': COMPILE(requests) };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(at, name)), { recursive: true });
    writeFileSync(join(at, name), text, { mode: 0o755 });
  }
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', at, '-c', 'user.name=load', '-c', 'user.email=load@localhost', ...args], { stdio: 'pipe' });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'buildpack');
  return `file://${at}`;
}

async function tarball(dir: string): Promise<Buffer> {
  mkdirSync(join(dir, 'source'));
  writeFileSync(join(dir, 'source/Procfile'), 'web: sleep 1\n');
  await tar.c({ file: join(dir, 'source.tgz'), cwd: join(dir, 'source'), gzip: true, portable: true }, ['.']);
  return readFileSync(join(dir, 'source.tgz'));
}

const FULL: LoadOptions = { apps: 50, building: 4, buildRequests: 10, pause: 500, keyDelayMs: 10_000, margin: 4000 };

export async function run(): Promise<Figure[]> {
  const kit = await underLoad(FULL, kitWay);
  const naive = await underLoad(FULL, naiveWay);
  const note = ({ requests, builds, seconds }: LoadResult) =>
    `${requests} requests, ${builds} builds, rotation took ${seconds.toFixed(0)} s`;
  return [
    { name: `failed requests in a rotation of ${FULL.apps} apps`, value: kit.failed, unit: 'requests', aim: '0', note: note(kit) },
    { name: 'the same, create → write → delete', value: naive.failed, unit: 'requests', note: note(naive) },
  ];
}

// Run alone: tsx script/bench/rotation.ts
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(await run(), null, 2)}\n`);
}
