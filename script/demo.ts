// The main job end to end, on the sandbox: three teams, one of them with a bucket of its own and two in a shared one; five Heroku apps; every
// mode proven by a real build; then a rotation. Nothing leaves this machine, and nothing stays on it.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { loadConfig } from '../lib/config/index.js';
import { startSandbox } from '../sandbox/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const began = Date.now();
const say = (text: string) => process.stdout.write(`${text}\n`);
const title = (text: string) => say(`\n${pc.bold(pc.cyan(`▍${text}`))}`);

const dir = mkdtempSync(join(tmpdir(), 'halcyon-demo-'));
title('A local AWS and a local Heroku');
const sandbox = await startSandbox();
say(`AWS    ${sandbox.aws.url}  (MiniStack behind a strict front, account ${sandbox.aws.account})\nHeroku ${sandbox.heroku.url}`);

let exitCode = 0;
const stop = async () => {
  await sandbox.stop();
  rmSync(dir, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (exitCode = 130));

try {
  copyFileSync(join(root, 'examples/demo.yaml'), join(dir, 'halcyon.yaml'));
  const config = await loadConfig(join(dir, 'halcyon.yaml'));
  for (const app of config.teams.flatMap((team) => team.apps))
    await sandbox.heroku.ensureApp(app.name, { buildpacks: [config.buildpack.url] });

  title('1. One file says what should be');
  await kit('validate');
  title('2. Stacks, keys, config vars, and a smoke deploy in each mode');
  await kit('up', '--all', '--yes');
  title('3. The same again changes nothing');
  await kit('up', '--all', '--yes', '--no-smoke');
  title('4. New keys for a team, while its apps go on building');
  await kit('rotate', 'payments', '--yes', '--soak', '0s');
  title('5. What there is now');
  await kit('status', '--all');
} catch (error) {
  say(pc.red(`\n${error instanceof Error ? error.message : String(error)}`));
  exitCode ||= 1;
} finally {
  await stop();
}
say(
  exitCode === 0
    ? pc.green(`\nDone in ${Math.round((Date.now() - began) / 1000)} s. Next: README.md, "For real".`)
    : pc.red('\nThe demo did not finish.'),
);
process.exit(exitCode);

/** Run the kit as a user would, in an empty directory, with nothing but the environment to aim it at the sandbox. */
async function kit(...args: string[]): Promise<void> {
  if (exitCode !== 0) throw new Error('interrupted');
  say(pc.bold(`$ halcyon-kit ${args.join(' ')}`));
  const child = spawn(process.execPath, [join(root, 'dist/bin/halcyon-kit.js'), ...args], {
    cwd: dir,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...sandbox.env },
  });
  const code = await new Promise<number | null>((done, fail) => child.on('error', fail).on('exit', done));
  if (code !== 0) throw new Error(`halcyon-kit ${args.join(' ')} ended with exit code ${code}`);
}
