// Fleets over the wire, with the local Heroku's rate limit off: requests, wall time and peak memory of each command, by the built CLI, and how
// they grow with the fleet.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAws } from '../../lib/aws/aws.js';
import { confirmedKey } from '../../lib/contract/index.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { installHerokuCli } from '../../sandbox/test/support/heroku-cli.js';
import { median, run as runProgram, type Figure } from './measure.js';

const CLI = fileURLToPath(new URL('../../dist/bin/halcyon-kit.js', import.meta.url));

interface Command {
  readonly name: string;
  readonly args: readonly string[];
  /** Heroku's requests: an app, or in all where the aim is a whole number of pages and samples. */
  readonly aim: { readonly perApp: number } | { readonly inAll: number };
  /** Where it takes more than that. */
  readonly why?: string;
  /** At 1,000 apps: half of what it took before requests were counted, on two busy cores. */
  readonly seconds?: number;
  /** Before it, so that the record of confirmed apps is gone. */
  readonly forget?: boolean;
}

/** What a command took. */
interface Taken {
  readonly name: string;
  readonly heroku: number;
  /** Of those, lists: each tells of a thousand apps. */
  readonly lists: number;
  readonly aws: number;
  readonly seconds: number;
  readonly cpu: number;
  readonly peakMiB: number;
}

const LIST_AGAIN =
  "the list of buildpacks is read once more before it is replaced whole, which keeps a team's own change (docs/adr/0009-requests.md)";
const SAMPLE = 'of the apps whose record is trusted, ten and one in a thousand are asked all the same (docs/adr/0009-requests.md)';

const COMMANDS: readonly Command[] = [
  { name: 'first up --no-smoke', args: ['up', '--all', '--yes', '--no-smoke'], aim: { perApp: 5 }, why: LIST_AGAIN, seconds: 77 },
  // After it the buildpacks that the first one set are known, too.
  { name: 'the next up', args: ['up', '--all', '--yes', '--no-smoke'], aim: { perApp: 2.1 } },
  { name: 'up, nothing to do', args: ['up', '--all', '--yes', '--no-smoke'], aim: { inAll: 60 }, seconds: 16.5 },
  { name: 'sync, nothing to do', args: ['sync', '--all', '--yes'], aim: { inAll: 60 } },
  { name: 'status', args: ['status', '--all'], aim: { inAll: 60 }, seconds: 11.5 },
  {
    name: 'rotate --soak 0s',
    args: ['rotate', '--all', '--yes', '--soak', '0s', '--no-smoke'],
    aim: { perApp: 6 },
    why: SAMPLE,
    seconds: 84.5,
  },
  { name: 'status without a record', args: ['status', '--all'], aim: { perApp: 1.1 }, forget: true },
  { name: 'up without a record', args: ['up', '--all', '--yes', '--no-smoke'], aim: { perApp: 2.1 }, forget: true },
];

/** Of a fleet whose stacks take the local AWS longer than anyone waits: what looks at all of it, and changes nothing. */
const LOOKS: readonly Command[] = [
  { name: 'plan of a first up', args: ['plan', '--all'], aim: { perApp: 2.1 } },
  { name: 'status without a record', args: ['status', '--all'], aim: { perApp: 1.1 } },
];
const LARGE = 5000;
/** Peak of the CLI's own process, MiB. */
const MEMORY = (apps: number): string => (apps > 1000 ? '< 400' : '< 250');

/** `apps` in teams of twenty: one uploads, the others only read. */
export function fleetFile(apps: number): string {
  const team = (n: number): string => {
    const size = Math.min(20, apps - n * 20);
    const lines = Array.from({ length: size }, (_, i) => `      fleet-${n}-${i}: { mode: ${i === 0 ? 'upload' : 'read-only'} }`);
    return `  team-${n}:\n    bucket: { account: '111122223333', region: eu-west-1 }\n    apps:\n${lines.join('\n')}\n`;
  };
  return `buildpack: { install: true }\nteams:\n${Array.from({ length: Math.ceil(apps / 20) }, (_, n) => team(n)).join('')}`;
}

async function measureFleet(apps: number): Promise<{ readonly figures: Figure[]; readonly taken: Taken[] }> {
  const sandbox = await startSandbox({ heroku: { upstreamDir: null, settings: { rateLimit: 100_000_000 } } });
  const dir = mkdtempSync(join(tmpdir(), 'halcyon-fleet-'));
  try {
    const file = fleetFile(apps);
    writeFileSync(join(dir, 'halcyon.yaml'), file);
    for (const [, name] of file.matchAll(/(fleet-\d+-\d+):/g)) await sandbox.heroku.ensureApp(name as string);
    const figures: Figure[] = [];
    const taken: Taken[] = [];
    for (const command of apps > LARGE ? LOOKS : COMMANDS) {
      if (command.forget) await forget(sandbox);
      const took = await measure(command, { sandbox, dir });
      taken.push(took);
      figures.push(...figuresOf(command, apps, took));
    }
    if (apps <= LARGE) figures.push(...(await besideConfigSet(apps, taken, { sandbox, dir })));
    return { figures, taken };
  } finally {
    await sandbox.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Apps that are written by hand. */
const BY_HAND = 5;

/** What the commands that write to every app take, of what one `heroku config:set` an app would by Heroku's own CLI, one after the other. */
async function besideConfigSet(apps: number, taken: readonly Taken[], { sandbox, dir }: Place): Promise<Figure[]> {
  const cli = await installHerokuCli();
  const env = { PATH: process.env.PATH, HOME: dir, ...sandbox.env, DISABLE_TELEMETRY: 'true', HEROKU_DISABLE_AUTOUPDATE: '1' };
  const each: number[] = [];
  for (let n = 0; n < BY_HAND; n++)
    each.push((await runProgram(cli, ['config:set', 'BY_HAND=1', '-a', `fleet-0-${n}`], { cwd: dir, env })).ms / 1000);
  const byHand = median(each) * apps;
  return taken
    .filter(({ name }) => /^(first up|rotate)/.test(name))
    .map(({ name, seconds }) => ({
      name: `${name}, ${apps} apps, against one heroku config:set an app`,
      value: seconds / byHand,
      unit: '×',
      note: `${seconds.toFixed(0)} s against ${byHand.toFixed(0)} s, reckoned from ${BY_HAND} apps`,
    }));
}

async function forget(sandbox: Sandbox): Promise<void> {
  Object.assign(process.env, sandbox.env);
  const { ListBucketsCommand, DeleteObjectCommand } = await import('@aws-sdk/client-s3');
  const s3 = await createAws({ region: 'eu-west-1' }).s3();
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  for (const { Name: Bucket } of Buckets) {
    const team = /^halcyon-(team-\d+)-/.exec(Bucket ?? '')?.[1];
    if (team !== undefined) await s3.send(new DeleteObjectCommand({ Bucket, Key: confirmedKey(team) }));
  }
}

interface Place {
  readonly sandbox: Sandbox;
  readonly dir: string;
}

async function measure({ name, args }: Command, { sandbox, dir }: Place): Promise<Taken> {
  sandbox.heroku.clearLog();
  sandbox.aws.clearLog();
  const env = { PATH: process.env.PATH, HOME: dir, ...sandbox.env };
  const { ms, cpuMs, peakMiB } = await runProgram(process.execPath, [CLI, ...args], { cwd: dir, env });
  const log = sandbox.aws.log();
  const asked = sandbox.heroku.log();
  const lists = asked.filter(({ path }) => path === '/apps' || path === '/filters/apps').length;
  const took = { name, heroku: asked.length, lists, aws: log.length, seconds: ms / 1000, cpu: cpuMs / 1000, peakMiB };
  process.stderr.write(`${name}: ${inWords(took)}; ${kindsOf(log.map(({ service, operation }) => `${service}:${operation}`))}\n`);
  return took;
}

const inWords = ({ heroku, aws, seconds, peakMiB }: Taken): string =>
  `${heroku} Heroku requests, ${aws} AWS requests, ${seconds.toFixed(0)} s, peak ${peakMiB.toFixed(0)} MiB`;

/** The most frequent first. */
function kindsOf(operations: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const one of operations) counts.set(one, (counts.get(one) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([operation, count]) => `${count} ${operation}`).join(', ');
}

function figuresOf({ name, aim, seconds, why }: Command, apps: number, took: Taken): Figure[] {
  const of = `${name}, ${apps} apps`;
  const requests =
    'inAll' in aim
      ? { value: took.heroku, unit: 'Heroku requests', aim: `≤ ${aim.inAll}` }
      : { value: (took.heroku - took.lists) / apps, unit: `Heroku requests an app, and ${took.lists} lists`, aim: `≤ ${aim.perApp}` };
  const own = `${took.cpu.toFixed(0)} s of it are the CLI's own CPU time`;
  const timed = seconds === undefined || apps !== 1000 ? {} : { aim: `≤ ${seconds}` };
  return [
    { name: of, ...requests, why, note: `${took.aws} AWS requests, ${(took.aws / apps).toFixed(1)} an app` },
    { name: '… peak memory of the CLI', value: took.peakMiB, unit: 'MiB', aim: MEMORY(apps) },
    {
      name: '… wall',
      value: took.seconds,
      unit: 's',
      ...timed,
      note: own,
      why: `${own}; the rest is waiting for the sandbox on the same cores, and what else ran there`,
    },
  ];
}

/** How what a command takes grows from one size to the next; where the fleet is ten times as large, 10 is linear. */
function growthOf([from, before]: Sized, [to, after]: Sized): Figure[] {
  return after.flatMap((now) => {
    const was = before.find(({ name }) => name === now.name);
    if (was === undefined) return [];
    const times = (of: (taken: Taken) => number) => `${(of(now) / of(was)).toFixed(1)} ×`;
    const note = `Heroku ${times(({ heroku }) => heroku)}, AWS ${times(({ aws }) => aws)}, memory ${times(({ peakMiB }) => peakMiB)}`;
    return [
      { name: `${now.name}, from ${from} to ${to} apps: wall`, value: now.seconds / was.seconds, unit: '×', aim: `≤ ${to / from}`, note },
    ];
  });
}
type Sized = readonly [apps: number, taken: readonly Taken[]];

export async function run(sizes: readonly number[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  let before: Sized | undefined;
  for (const apps of sizes) {
    const measured = await measureFleet(apps);
    figures.push(...measured.figures);
    const now: Sized = [apps, measured.taken];
    if (before !== undefined) figures.push(...growthOf(before, now));
    before = now;
  }
  return figures;
}
