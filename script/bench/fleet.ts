// A fleet over the wire, with the local Heroku's rate limit off: requests an app, wall time and peak memory of each command, by the built CLI.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAws } from '../../lib/aws/aws.js';
import { confirmedKey } from '../../lib/contract/index.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { run as runProgram, type Figure } from './measure.js';

const CLI = fileURLToPath(new URL('../../dist/bin/halcyon-kit.js', import.meta.url));

interface Command {
  readonly name: string;
  readonly args: readonly string[];
  /** Heroku's requests: an app, or in all where the aim is a whole number of pages and samples. */
  readonly aim: { readonly perApp: number } | { readonly inAll: number };
  /** Before it, so that the record of confirmed apps is gone. */
  readonly forget?: boolean;
}

const COMMANDS: readonly Command[] = [
  { name: 'first up --no-smoke', args: ['up', '--all', '--yes', '--no-smoke'], aim: { perApp: 5 } },
  // After it the buildpacks that the first one set are known, too.
  { name: 'the next up', args: ['up', '--all', '--yes', '--no-smoke'], aim: { perApp: 2.1 } },
  { name: 'up, nothing to do', args: ['up', '--all', '--yes', '--no-smoke'], aim: { inAll: 60 } },
  { name: 'sync, nothing to do', args: ['sync', '--all', '--yes'], aim: { inAll: 60 } },
  { name: 'status', args: ['status', '--all'], aim: { inAll: 60 } },
  { name: 'rotate --soak 0s', args: ['rotate', '--all', '--yes', '--soak', '0s', '--no-smoke'], aim: { perApp: 6 } },
  { name: 'status without a record', args: ['status', '--all'], aim: { perApp: 1.1 }, forget: true },
  { name: 'up without a record', args: ['up', '--all', '--yes', '--no-smoke'], aim: { perApp: 2.1 }, forget: true },
];

/** `apps` in teams of twenty: one uploads, the others only read. */
export function fleetFile(apps: number): string {
  const team = (n: number): string => {
    const size = Math.min(20, apps - n * 20);
    const lines = Array.from({ length: size }, (_, i) => `      fleet-${n}-${i}: { mode: ${i === 0 ? 'upload' : 'read-only'} }`);
    return `  team-${n}:\n    bucket: { account: '111122223333', region: eu-west-1 }\n    apps:\n${lines.join('\n')}\n`;
  };
  return `buildpack: { install: true }\nteams:\n${Array.from({ length: Math.ceil(apps / 20) }, (_, n) => team(n)).join('')}`;
}

export async function measureFleet(apps: number, commands: readonly Command[] = COMMANDS): Promise<Figure[]> {
  const sandbox = await startSandbox({ heroku: { upstreamDir: null, settings: { rateLimit: 100_000_000 } } });
  const dir = mkdtempSync(join(tmpdir(), 'halcyon-fleet-'));
  try {
    const file = fleetFile(apps);
    writeFileSync(join(dir, 'halcyon.yaml'), file);
    for (const [, name] of file.matchAll(/(fleet-\d+-\d+):/g)) await sandbox.heroku.ensureApp(name as string);
    const figures: Figure[] = [];
    for (const command of commands) {
      if (command.forget) await forget(sandbox);
      figures.push(...(await measure(command, { apps, sandbox, dir })));
    }
    return figures;
  } finally {
    await sandbox.stop();
    rmSync(dir, { recursive: true, force: true });
  }
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

async function measure(
  { name, args, aim }: Command,
  { apps, sandbox, dir }: { readonly apps: number; readonly sandbox: Sandbox; readonly dir: string },
): Promise<Figure[]> {
  sandbox.heroku.clearLog();
  sandbox.aws.clearLog();
  const env = { PATH: process.env.PATH, HOME: dir, ...sandbox.env };
  const { ms, peakMiB } = await runProgram(process.execPath, [CLI, ...args], { cwd: dir, env });
  const calls = sandbox.heroku.log().length;
  const note = `${sandbox.aws.log().length} AWS requests, ${(ms / 1000).toFixed(0)} s, peak ${peakMiB.toFixed(0)} MiB`;
  return 'inAll' in aim
    ? [{ name: `${name}, ${apps} apps`, value: calls, unit: 'Heroku requests', aim: `≤ ${aim.inAll}`, note }]
    : [{ name: `${name}, ${apps} apps`, value: calls / apps, unit: 'Heroku requests an app', aim: `≤ ${aim.perApp}`, note }];
}

export const run = (): Promise<Figure[]> => measureFleet(Number(process.env.HALCYON_FLEET ?? 100));
