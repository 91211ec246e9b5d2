#!/usr/bin/env node
import './quiet.js';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { CommanderError } from 'commander';
import { addAccept } from '../accept/program.js';
import type { CommandHost } from '../lib/cli/command.js';
import { withEvidence } from '../lib/cli/evidence.js';
import { createProgram, type Runner } from '../lib/commands/program.js';
import { isKitError, KitError } from '../lib/errors.js';
import { printable } from '../lib/io/printable.js';
import { outgoing } from '../lib/io/redaction.js';
import { createTerminal, fitted } from '../lib/io/terminal.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

// V8 lets a heap grow fourfold before it looks what is still in use; of a large fleet's answers most is not.
setFlagsFromString('--heap-growing-percent=100');

const abort = new AbortController();
let interrupts = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (++interrupts > 1) process.exit(130);
    process.stderr.write('\nstopping where a rerun can go on; press Ctrl-C again to stop at once\n');
    abort.abort(new KitError('interrupted', 'interrupted; run the same command again to go on'));
  });
}

// Whoever reads may go away, and a disk may be full: no run ends half way because of that.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (stream !== process.stdout || code === 'EPIPE') return;
    process.exitCode ||= 1;
    process.stderr.write(`error: the result could not be written: ${message}\n`);
  });

const run: Runner = async (command, options) => {
  const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true && !options.json;
  const io = createTerminal({ verbose: options.verbose, live: options.json || options.verbose ? false : undefined });
  const host: Omit<CommandHost, 'evidence'> = {
    io,
    signal: abort.signal,
    env: process.env,
    async confirm(question) {
      if (options.yes) return true;
      if (!interactive)
        throw new KitError('confirmation-needed', `${question} Nobody can be asked here: add --yes to go on, or --dry-run to look first`);
      const { confirm, isCancel } = await import('@clack/prompts');
      const answer = await confirm({ message: outgoing(question), initialValue: false, output: process.stderr });
      return !isCancel(answer) && answer;
    },
  };
  try {
    const file = options.dryRun ? undefined : options.evidence;
    const result = await withEvidence(file, host, (evidence) => command({ ...host, evidence }));
    io.close();
    const text = options.json ? JSON.stringify(result.data, null, 2) : result.text;
    process.exitCode = result.exitCode ?? 0;
    const shown = result.unredacted ? printable(text) : options.json || result.verbatim ? outgoing(text) : fitted(text, process.stdout);
    if (text !== '') process.stdout.write(`${shown}\n`);
  } catch (error) {
    io.close();
    fail(error, options);
  }
};
const program = addAccept(createProgram(run, version), run, version);
if (['completion', 'complete', 'help', '--help', '-h'].includes(process.argv[2] ?? '')) {
  // To completion the value of an option is a word of its own.
  process.argv = process.argv.flatMap((word) => /^(--config)=(.*)$/.exec(word)?.slice(1) ?? [word]);
  const { addCompletion, BASH_ALONE } = await import('../lib/cli/completion.js');
  await addCompletion(program, process.argv);
  if (process.argv[2] === 'completion' && process.argv[3] === 'bash') process.stdout.write(BASH_ALONE);
}
// Of a command that is not there, commander's help tells everything but that.
const asked = process.argv.slice(2);
const isHelp = asked[0] === 'help';
const named = (isHelp ? asked.slice(1) : asked).find((word) => word !== '--json' && word !== '--verbose') ?? '-';
if (/^[^-]/.test(named) && (isHelp || named !== 'help') && !program.commands.some((one) => one.name() === named))
  process.argv.splice(2, Infinity, named, ...asked.filter((word) => ![named, 'help', '--help', '-h'].includes(word)));

function fail(error: unknown, options: { json?: boolean; verbose?: boolean }): void {
  const known = isKitError(error);
  const code = known ? error.code : 'bug';
  const message = error instanceof Error ? error.message : String(error);
  if (options.json)
    process.stdout.write(
      outgoing(`${JSON.stringify({ error: { code, message, ...(known && error.details ? { details: error.details } : {}) } }, null, 2)}\n`),
    );
  else
    process.stderr.write(
      fitted(
        known ? `error: ${message}\n` : `error: this should not happen, please report it: ${(error as Error)?.stack ?? message}\n`,
        process.stderr,
      ),
    );
  if (options.verbose && known && error.cause !== undefined)
    process.stderr.write(outgoing(`caused by: ${(error.cause as Error).stack ?? String(error.cause)}\n`));
  process.exitCode = code === 'interrupted' ? 130 : 1;
}

for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
  command.exitOverride().configureOutput({ writeErr: (text) => void process.stderr.write(outgoing(text)) });
try {
  if (process.argv.length <= 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) fail(error, {});
  else if (error.exitCode !== 0) {
    process.exitCode = 1;
    // What is wrong is on stderr already.
    const reason = { code: 'command-line-invalid', message: error.message.replace(/^error: /, '') };
    if (process.argv.includes('--json')) process.stdout.write(outgoing(`${JSON.stringify({ error: reason }, null, 2)}\n`));
  }
}
