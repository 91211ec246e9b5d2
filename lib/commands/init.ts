import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAws } from '../aws/aws.js';
import { identity } from '../aws/identity.js';
import { parseConfig } from '../config/index.js';
import { SCHEMA_PATH, starterFile } from '../config/starter.js';
import { MODES, type Mode } from '../contract/index.js';
import { KitError } from '../errors.js';
import { networkOf } from '../network/network.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';

export interface InitOptions extends ChangeOptions {
  readonly team?: string;
  readonly app?: string[];
  readonly account?: string;
  readonly region?: string;
  readonly force?: boolean;
}

/** Writes a starter file; whatever is not given is asked of AWS, or stands as an example to edit. */
export async function init(options: InitOptions, host: CommandHost): Promise<CommandResult> {
  const file = resolve(options.config);
  const dryRun = options.dryRun || options.config === '-';
  if (!dryRun && !options.force && existsSync(file)) {
    throw new KitError(
      'config-exists',
      `${options.config} exists already; edit it ("halcyon-kit init --dry-run" prints an example), or give another name with --config`,
    );
  }
  const region = options.region ?? host.env.AWS_REGION ?? host.env.AWS_DEFAULT_REGION;
  const account = options.account ?? (await accountOf(region ?? 'us-east-1', options.profile, host));
  const schema = schemaFor(file);
  const text = starterFile({ account, schema, region, team: options.team, apps: options.app?.map(parseApp) });
  parseConfig(text, options.config); // What init writes is valid, whatever was passed in.
  if (dryRun) return { data: { file: options.config === '-' ? '-' : file, text, written: false }, text: text.trimEnd(), verbatim: true };
  await writeFile(file, text, { flag: options.force ? 'w' : 'wx' }).catch((cause: Error) => {
    throw new KitError('file-not-written', `cannot write ${options.config}: ${cause.message}`, { cause });
  });
  // That of this machine is no good in a file that others have as well.
  const here = fileURLToPath(new URL('../../../schema/halcyon.schema.json', import.meta.url));
  const editors = schema === undefined ? `; editors complete and check it by ${here}` : '';
  return {
    data: { file, text, written: true },
    text: `wrote ${options.config}\n\nNext:\n  1. edit it: teams, apps and their modes${editors}\n  2. halcyon-kit validate\n  3. halcyon-kit up --all --dry-run\n  4. halcyon-kit up --all`,
  };
}

async function accountOf(region: string, profile: string | undefined, host: CommandHost): Promise<string | undefined> {
  try {
    return (await identity(createAws({ region, profile, maxAttempts: 1, network: networkOf(host.env) }))).account;
  } catch (error) {
    host.io.warn(`the account in the file is an example, edit it: ${(error as Error).message}`);
    return undefined;
  }
}

/** Where an editor finds the schema in whatever clone of the project; undefined where the kit is not installed in it. */
export const schemaFor = (file: string): string | undefined => (existsSync(join(dirname(file), SCHEMA_PATH)) ? SCHEMA_PATH : undefined);

function parseApp(text: string): { name: string; mode: Mode } {
  const [name = '', mode = 'upload'] = text.split('=');
  const known = MODES.find((candidate) => candidate === mode);
  if (known === undefined) throw new KitError('mode-unknown', `--app ${text}: the mode must be ${MODES.join(', ')}, got "${mode}"`);
  return { name, mode: known };
}
