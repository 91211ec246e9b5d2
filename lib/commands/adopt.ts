import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, bucketsOf, regionOfBucket, type Described } from '../adopt/describe.plan.js';
import { fileText } from '../adopt/file.plan.js';
import { lookAtApps, lookAtBucket, usersBehind } from '../adopt/look.client.js';
import type { LeftOut, Seen, SeenApp, SeenBucket } from '../adopt/model.js';
import { readTerraform, type InTerraform } from '../adopt/terraform.js';
import { createAws } from '../aws/aws.js';
import { identity } from '../aws/identity.js';
import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { textGiven } from '../cli/given.js';
import { openHeroku, refuseLocalAws } from '../cli/session.js';
import { parseConfig } from '../config/index.js';
import { isKitError, KitError } from '../errors.js';
import type { Heroku, HerokuApp } from '../heroku/heroku.js';
import { inStep } from '../io/io-host.js';
import { counted } from '../io/printable.js';
import { networkOf, type Network } from '../network/network.js';
import { schemaFor } from './init.js';

export interface AdoptOptions extends ChangeOptions {
  readonly herokuTeam?: string;
  readonly pipeline?: string;
  readonly terraform?: string;
  readonly output?: string;
  readonly force?: boolean;
}

/** From so many apps on, what asking them costs is said. */
const MANY = 1_000;

/** Describe apps that were set up by hand in a halcyon.yaml. Changes nothing but that file. */
export async function adopt(names: readonly string[], options: AdoptOptions, host: CommandHost): Promise<CommandResult> {
  const { io, signal } = host;
  const output = options.output ?? options.config;
  const dryRun = options.dryRun || output === '-';
  if (!dryRun && !options.force && existsSync(resolve(output)))
    throw new KitError('config-exists', `${output} exists already; name another with -o FILE, or look first with --dry-run`);
  refuseLocalAws(host.env);
  const network = networkOf(host.env, (text) => io.warn(text));
  const terraform = options.terraform === undefined ? undefined : readTerraform(await textGiven(options.terraform, 'terraform-unreadable'));
  const heroku = await openHeroku(host, network);
  const { apps, missing } = await inStep(io, 'looking for apps', () => appsOf(heroku, names, options, terraform));
  if (apps.length >= MANY)
    io.warn(
      `asking ${apps.length} apps takes as many requests of Heroku's 4,500 an hour; name a --heroku-team, a --pipeline or apps to ask fewer`,
    );
  const { seen, unread } = await inStep(
    io,
    `reading the config vars of ${counted(apps.length, 'app')}`,
    (step) => lookAtApps(heroku, apps, { signal, onProgress: (done) => step.update(`${done} of ${apps.length}`) }),
    (found) => `${found.seen.length} with config vars of Halcyon`,
  );
  const aws = await inStep(io, 'looking at buckets and keys', () => lookAtAws(host, network, options, seen));
  const described = describe({
    ...aws,
    apps: seen,
    terraform: terraform?.sets ?? new Map(),
    unread: [...missing, ...unread],
    s3Url: network.s3Url,
  });
  if (described.teams.length === 0)
    throw new KitError(
      'nothing-to-adopt',
      `none of ${apps.length} apps has config vars of Halcyon that a file could describe${described.leftOut.map(({ app, why }) => `; ${app}: ${why}`).join('')}`,
    );
  const text = fileText(described, { on: new Date().toISOString().slice(0, 10), schema: schemaFor(resolve(output)) });
  const mistakes = mistakesIn(text, output === '-' ? undefined : output);
  if (mistakes !== undefined) io.warn(mistakes);
  if (!dryRun)
    await writeFile(resolve(output), text, { flag: options.force ? 'w' : 'wx' }).catch((cause: Error) => {
      throw new KitError('file-not-written', `cannot write ${output}: ${cause.message}`, { cause });
    });
  const data = { file: output === '-' ? '-' : resolve(output), written: !dryRun, text, ...described };
  return dryRun ? { data, text: text.trimEnd(), verbatim: true } : { data, text: said(described, output) };
}

async function appsOf(
  heroku: Heroku,
  names: readonly string[],
  { herokuTeam, pipeline }: AdoptOptions,
  terraform: InTerraform | undefined,
): Promise<{ apps: HerokuApp[]; missing: LeftOut[] }> {
  const wanted = [...new Set([...names, ...(terraform?.apps ?? [])])];
  const missing: LeftOut[] = [];
  const named = await Promise.all(
    wanted.map((name) =>
      heroku.app(name).catch((error: unknown) => {
        if (!isKitError(error, 'app-not-found', 'heroku-forbidden')) throw error;
        missing.push({ app: name, why: error.message });
        return [];
      }),
    ),
  );
  const everything = wanted.length === 0 && terraform === undefined && pipeline === undefined;
  const [coupled, listed] = await Promise.all([
    pipeline === undefined ? [] : heroku.pipelineApps(pipeline).then((ids) => heroku.appsById(ids)),
    everything || herokuTeam !== undefined ? heroku.apps() : [],
  ]);
  const all = [...named.flat(), ...coupled, ...listed.filter(({ team }) => herokuTeam === undefined || team === herokuTeam)];
  return { apps: [...new Map(all.map((app) => [app.id, app])).values()], missing };
}

/** What AWS tells; without credentials, or where it refuses, the file says what was not known. */
async function lookAtAws(
  host: CommandHost,
  network: Network,
  { profile }: AdoptOptions,
  apps: readonly SeenApp[],
): Promise<Pick<Seen, 'account' | 'users' | 'buckets'>> {
  const aws = createAws({ region: host.env.AWS_REGION ?? 'us-east-1', profile, network });
  const users = new Map<string, string>();
  const buckets = new Map<string, SeenBucket>();
  try {
    const { account } = await identity(aws);
    const keys = [...new Set(apps.flatMap(({ vars }) => vars.HALCYON_AWS_ACCESS_KEY_ID || []))];
    for (const [key, user] of await usersBehind(aws, keys)) users.set(key, user);
    for (const name of bucketsOf(apps)) {
      host.signal.throwIfAborted();
      buckets.set(name, await lookAtBucket(aws, { name, account }, regionOfBucket(apps, name)));
    }
    return { account, users, buckets };
  } catch (error) {
    if (!isKitError(error)) throw error;
    host.io.warn(`not all of AWS could be looked at, so the file has more to fill in: ${error.message}`);
    return { users, buckets };
  }
}

/** What exists need not be what a file may say: then it is for a person to mend. */
function mistakesIn(text: string, output?: string): string | undefined {
  try {
    parseConfig(text, output);
    return undefined;
  } catch (error) {
    if (!isKitError(error, 'config-invalid')) throw error;
    return `what is there cannot be described without mistakes; mend them in the file: ${error.message}`;
  }
}

function said({ teams, leftOut }: Described, output: string): string {
  const remarks = teams.flatMap(({ name, remarks: ofTeam, apps }) => [
    ...ofTeam.map((text) => `note: ${name}: ${text}`),
    ...apps.flatMap((app) => app.remarks.map((text) => `note: ${app.name}: ${text}`)),
  ]);
  return [
    ...remarks,
    ...leftOut.map(({ app, why }) => `left out: ${app}: ${why}`),
    `wrote ${output}: ${teams.map(({ name, apps }) => `team ${name} with ${apps.map((app) => app.name).join(', ')}`).join('; ')}. Nothing else was changed`,
    '',
    'Next:',
    '  1. read it, and mend what is marked EDIT',
    '  2. halcyon-kit validate',
    '  3. halcyon-kit up --all --dry-run    what the first "up" would do, with every value that it would overwrite',
    '  4. halcyon-kit up --all',
  ].join('\n');
}
