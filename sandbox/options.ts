import { parseArgs } from 'node:util';
import { KitError } from '../lib/errors.js';
import type { SandboxOptions } from './index.js';

export const HELP = `Start a local AWS and a local Heroku, and say how to aim clients at them.

Usage: npm run sandbox -- [options]

  --aws-port PORT      port of the local AWS        (default: a free one)
  --heroku-port PORT   port of the local Heroku     (default: a free one)
  --account ID         twelve digits                (default: 111122223333)
  --region REGION      for clients that name none   (default: us-east-1)
  --accept-sigv2       buckets in older regions take Signature Version 2 (default: refused, as on new buckets)
  --key-delay MS       how long a new access key may be unknown (default: 0)
  --log FILE           append every AWS request, a JSON line each
  --write-env FILE     also write the exports there, readable by you alone; removed at the end
  --json               print one JSON object instead of exports
  --help

Examples:
  npm run sandbox                                    then paste the exports into another terminal
  npm run sandbox -- --write-env .cache/sandbox.env  then, in another terminal:  . .cache/sandbox.env
Stop it with Ctrl-C. Several run side by side. State is in memory and ends with it.`;

export interface MainOptions {
  readonly help: boolean;
  readonly json: boolean;
  readonly envFile?: string;
  readonly sandbox: SandboxOptions;
}

/** @throws KitError `usage`. */
export function parseOptions(argv: readonly string[]): MainOptions {
  const { values } = parse(argv);
  return {
    help: values.help === true,
    json: values.json === true,
    envFile: values['write-env'],
    sandbox: {
      aws: {
        port: number('--aws-port', values['aws-port'], 65_535),
        account: matching('--account', values.account, /^\d{12}$/, 'twelve digits'),
        region: matching('--region', values.region, /^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as eu-west-1'),
        logFile: values.log,
        settings: {
          keyDelayMs: number('--key-delay', values['key-delay']) ?? 0,
          ...(values['accept-sigv2'] ? { sigv2: { default: 'accept' as const } } : {}),
        },
      },
      heroku: { port: number('--heroku-port', values['heroku-port'], 65_535) },
    },
  };
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        'aws-port': text,
        'heroku-port': text,
        account: text,
        region: text,
        'accept-sigv2': flag,
        'key-delay': text,
        log: text,
        'write-env': text, // not --env-file, which Node 20 takes for its own
        json: flag,
        help: { ...flag, short: 'h' },
      },
    });
  } catch (cause) {
    const first = (cause as Error).message.split(/\.|\n/)[0] as string;
    throw new KitError('usage', `${first.charAt(0).toLowerCase()}${first.slice(1)}; see npm run sandbox -- --help`, { cause });
  }
}

function number(name: string, text: string | undefined, most = Number.MAX_SAFE_INTEGER): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > most)
    throw new KitError('usage', `${name} must be a whole number${most === 65_535 ? ' up to 65535' : ''}, got: ${text}`);
  return value;
}

function matching(name: string, text: string | undefined, pattern: RegExp, what: string): string | undefined {
  if (text !== undefined && !pattern.test(text)) throw new KitError('usage', `${name} must be ${what}, got: ${text}`);
  return text;
}

/** `export NAME='value'` lines that any POSIX shell reads. */
export const exportLines = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join('');
