import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isKitError, KitError } from '../lib/errors.js';
import { startSandbox, type Sandbox } from './index.js';
import { exportLines, HELP, parseOptions, type MainOptions } from './options.js';

const HEADER = '# halcyon-kit sandbox: made by npm run sandbox, removed when it ends\n';

/** `npm run sandbox`: start, say how to reach it, wait for a signal, stop. Resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  let written: string | undefined;
  let running: Sandbox | undefined;
  const stopped = signalled();
  try {
    const options: MainOptions = parseOptions(argv);
    if (options.help) {
      process.stdout.write(`${HELP}\n`);
      return 0;
    }
    const started = performance.now();
    const onProgress = (text: string): void => say(`• ${text}`);
    running = await startSandbox({ ...options.sandbox, aws: { ...options.sandbox.aws, onProgress } });
    const env = { ...running.env, NODE_EXTRA_CA_CERTS: await trustBoth(running) };
    if (options.envFile !== undefined) {
      await writeEnvFile(options.envFile, env);
      written = options.envFile;
    }
    const readyMs = Math.round(performance.now() - started);
    const { aws, heroku } = running;
    if (options.json) {
      process.stdout.write(
        `${JSON.stringify({ readyMs, aws: { url: aws.url, account: aws.account, region: aws.region, pid: aws.pid }, heroku: { url: heroku.url }, env })}\n`,
      );
    } else {
      say(
        `✔ local AWS ${aws.url} (account ${aws.account}) and local Heroku ${heroku.url}, ready in ${(readyMs / 1000).toFixed(1)} s; Ctrl-C stops them`,
      );
      process.stdout.write(exportLines(env));
    }
    await stopped;
    if (!options.json) say('• stopping');
    return 0;
  } catch (error) {
    say(`✘ ${isKitError(error) ? error.message : ((error as Error).stack ?? String(error))}`);
    return isKitError(error, 'usage') ? 2 : 1;
  } finally {
    await running?.stop();
    if (written !== undefined) await rm(written, { force: true });
  }
}

/** One Ctrl-C may arrive several times: from the terminal, and passed on by npm or by `halcyon-kit sandbox`. */
const ONE_CTRL_C_MS = 1_000;

/** Resolves at the first signal that asks to end; a later one ends at once. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (): void => {
      first ??= Date.now();
      if (Date.now() - first > ONE_CTRL_C_MS) process.exit(130);
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    // npm passes a signal on to its shell, which does not pass it on to us: its end is what we see.
    const parent = process.ppid;
    if (process.env.npm_lifecycle_event === 'sandbox') setInterval(() => process.ppid !== parent && resolve(), 500).unref();
  });
}

/** Node takes one file of further authorities: the local AWS's, and the local Heroku's for attached dynos. */
async function trustBoth({ aws, heroku }: Sandbox): Promise<string> {
  const attach = await heroku.prepareAttach().then(
    () => readFile(heroku.attachCaFile, 'utf8'),
    () => '', // without openssl there are no attached dynos
  );
  const both = join(dirname(aws.caFile), 'sandbox-ca.pem');
  await writeFile(both, `${await readFile(aws.caFile, 'utf8')}\n${attach}`);
  return both;
}

/** It holds the sandbox's root key: for its owner's eyes, and never over a file of somebody else's. */
async function writeEnvFile(path: string, env: Readonly<Record<string, string>>): Promise<void> {
  if (existsSync(path) && !(await readFile(path, 'utf8')).startsWith(HEADER)) {
    throw new KitError('env-file-exists', `${path} exists and is not of the sandbox's making: choose another --write-env`);
  }
  await writeFile(`${path}.new`, HEADER + exportLines(env), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
