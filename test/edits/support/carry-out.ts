import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Preview } from '../../../lib/cli/preview.js';
import { rotate } from '../../../lib/commands/rotate.js';
import { up } from '../../../lib/commands/up.js';
import { principalsOf } from '../../../lib/config/derive.js';
import { parseConfig, type KitConfig } from '../../../lib/config/index.js';
import { CONFIG_VAR_NAMES, keyPrefix, parseUserName, userName } from '../../../lib/contract/index.js';
import { userNames } from '../../../lib/engine/ports/iam.client.js';
import { startWire, type Wire } from '../../engine/support/wire.js';
import type { Edit, File } from './edit.js';
import { Load, PLANTED, type Met } from './load.js';
import { quietHost } from '../../support/host.js';

/** Brings what is there to the file of `path`. It may throw: then the edit could not be carried out. */
export type Way = (path: string, config: KitConfig) => Promise<void>;

export interface Carried extends Met {
  readonly seconds: number;
  /** What is not as the last file says, or why the edit could not be carried out. */
  readonly wrong: readonly string[];
}

/** A sandbox whose buckets accept either signature version, and in which a new key is not known everywhere at once. */
export const startGround = (): Promise<Wire> =>
  startWire({
    aws: { settings: { sigv2: { default: 'accept' }, refusePrivateAcl: true, keyDelayMs: 300 } },
    heroku: { settings: { rateLimit: 10_000_000 } },
  });

const KEYS = { waves: '100%', soak: '0s', smoke: false };

/** One `up`; throws what went wrong. */
export const kitUp: Way = (path) => upWith(path, {});

const upWith = async (path: string, more: { prune?: boolean }): Promise<void> => {
  const { exitCode, text } = await up([], { config: path, all: true, smoke: false, ...more }, quietHost());
  if (exitCode === 1) throw new Error(text);
};

/** `up`; what it left soaking is finished; and another `up`, which takes back what was wide for those that were still running, and what left the file. */
export const kitWay: Way = async (path, config) => {
  await kitUp(path, config);
  await sleep(1000);
  await finish(path);
  await upWith(path, { prune: true });
  await finish(path);
  await upWith(path, { prune: true });
};

/** `up`, and what it left soaking is finished: what builds archived until then has followed. */
export const kitFinished: Way = async (path, config) => {
  await kitUp(path, config);
  await sleep(500);
  await finish(path);
};

/** Keys that soak are deleted, and users without keys. */
async function finish(path: string): Promise<void> {
  const { exitCode, text } = await rotate([], { config: path, all: true, yes: true, finish: true, ...KEYS }, quietHost());
  if (exitCode !== 0) throw new Error(text);
}

const configOf = (file: File): KitConfig => parseConfig(JSON.stringify(file));

/**
 * An edit with builds running all the time: the first file is brought up and packages are planted, then the others follow.
 * @param way - how. Default: the kit's.
 * @param options.checked - whether all must be as the last file says. Default: with the kit's way.
 */
export async function carryOut(wire: Wire, edit: Edit, t: string, way: Way = kitWay, { checked = way === kitWay } = {}): Promise<Carried> {
  const dir = await mkdtemp(join(tmpdir(), 'halcyon-edit-'));
  const path = join(dir, 'halcyon.yaml');
  try {
    // Each edit is a deployment of its own: what others have is not left over from it.
    const files = edit.files(t).map((file): File => ({ deployment: t, ...file }));
    const configs = files.map(configOf);
    const apps = [...new Set(configs.flatMap(({ teams }) => teams.flatMap((team) => team.apps.map(({ name }) => name))))];
    for (const app of apps) await wire.sandbox.heroku.ensureApp(app);
    await writeFile(path, JSON.stringify(files[0]));
    await kitUp(path, configs[0] as KitConfig);
    await plantPackages(wire, configs[0] as KitConfig);
    const regions = new Map(
      configs.flatMap(({ teams }) =>
        teams.flatMap(({ bucket }) => (bucket === undefined ? [] : [[bucket.spec.name, bucket.spec.region] as const])),
      ),
    );
    const deleted = edit.deleted?.(t);
    if (deleted !== undefined) await wire.heroku.deleteApp(deleted);
    const load = new Load(wire, { apps: apps.filter((name) => name !== deleted), regions });
    const wrong: string[] = [];
    let said = '';
    await sleep(1000);
    const began = Date.now();
    try {
      for (const [n, file] of files.entries()) {
        if (n === 0) continue;
        await writeFile(path, JSON.stringify(file));
        if (edit.says !== undefined) said += (await up([], { config: path, all: true, dryRun: true }, quietHost())).text;
        await way(path, configs[n] as KitConfig);
      }
    } catch (error) {
      wrong.push((error as Error).message);
    }
    const seconds = (Date.now() - began) / 1000;
    await sleep(1000);
    const met = await load.stop();
    const last = configs.at(-1) as KitConfig;
    if (checked && wrong.length === 0) wrong.push(...(await differences(wire, path, { configs, last, deleted })));
    const lost = [...met.missing.splice(0), ...(await lostPackages(wire, last, load))];
    if (edit.says === undefined) met.missing.push(...lost);
    else if (!edit.says.test(said)) wrong.push(`the plan does not say ${String(edit.says)}: ${said}`);
    return { ...met, seconds, wrong };
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function plantPackages(wire: Wire, config: KitConfig): Promise<void> {
  for (const { bucket } of config.teams) {
    if (bucket === undefined) continue;
    const s3 = await wire.aws.in(bucket.spec.region).s3();
    for (const object of PLANTED)
      await s3.send(new PutObjectCommand({ Bucket: bucket.spec.name, Key: `${keyPrefix(bucket.prefix)}${object}`, Body: 'planted' }));
  }
}

/** What builds archived before, meanwhile and after, and that is not where their apps look now. */
async function lostPackages(wire: Wire, config: KitConfig, load: Load): Promise<string[]> {
  const lost: string[] = [];
  for (const { bucket, apps } of config.teams) {
    if (bucket === undefined) continue;
    const s3 = await wire.aws.in(bucket.spec.region).s3();
    for (const app of apps.filter(({ mode }) => mode !== 'public')) {
      for (const object of load.archived.get(app.name) ?? []) {
        const Key = `${keyPrefix(bucket.prefix)}${object}`;
        await s3.send(new HeadObjectCommand({ Bucket: bucket.spec.name, Key })).catch(() => lost.push(`${bucket.spec.name}/${Key}`));
      }
    }
  }
  return lost;
}

/** What is not as the last file says: by the kit's own plan, and the users and config vars that are there. */
async function differences(
  wire: Wire,
  path: string,
  { configs, last, deleted }: { configs: readonly KitConfig[]; last: KitConfig; deleted: string | undefined },
): Promise<string[]> {
  const wrong: string[] = [];
  const { data, text } = await up([], { config: path, all: true, dryRun: true }, quietHost());
  const seen = data as Preview;
  if (seen.changes || seen.blocked) wrong.push(`there is something left to do: ${text}`);
  const teams = new Set(configs.flatMap((config) => config.teams.map(({ name }) => name)));
  const wanted = new Set(last.teams.flatMap((team) => principalsOf(team).map(userName)));
  const there = (await userNames(wire.aws)).filter((user) => teams.has(parseUserName(user)?.team ?? '')).map(({ name }) => base(name));
  for (const name of there) if (!wanted.has(name)) wrong.push(`user ${name} is left`);
  for (const name of wanted) if (!there.includes(name)) wrong.push(`user ${name} is not there`);
  const named = last.teams.flatMap(({ apps }) => apps.map(({ name }) => name));
  for (const app of new Set(configs.flatMap((config) => config.teams.flatMap(({ apps }) => apps.map(({ name }) => name))))) {
    if (named.includes(app) || app === deleted) continue;
    const vars = await wire.heroku.configVars(app);
    const left = CONFIG_VAR_NAMES.filter((name) => vars[name] !== undefined);
    if (left.length > 0) wrong.push(`${app}, which is not in the file any more, has ${left.join(', ')}`);
  }
  return wrong;
}

/** Without its generation. */
const base = (name: string): string => name.replace(/(\.[0-9a-f]{6})-\d+$/, '$1');
