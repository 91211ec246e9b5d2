import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KitError } from '../errors.js';
import type { CommandHost, CommandResult } from '../cli/command.js';

/** The sandbox is a program of its own that comes with the source checkout: the kit only starts it. */
export async function sandbox(options: { json?: boolean; writeEnv?: string }, host: CommandHost): Promise<CommandResult> {
  const script = fileURLToPath(new URL('../../../script/sandbox.mjs', import.meta.url));
  if (!existsSync(script))
    throw new KitError(
      'sandbox-missing',
      'the sandbox comes with a checkout of the project, not with the package: clone it and run "npm run sandbox" there',
    );
  const args = [...(options.json ? ['--json'] : []), ...(options.writeEnv ? ['--write-env', options.writeEnv] : [])];
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit', env: host.env });
  // A terminal sends Ctrl-C to the child as well; a signal to this process alone is passed on.
  host.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const exitCode = await new Promise<number>((done, fail) =>
    child.on('error', fail).on('exit', (code) => done(code ?? (host.signal.aborted ? 0 : 1))),
  );
  return { data: {}, text: '', exitCode };
}
