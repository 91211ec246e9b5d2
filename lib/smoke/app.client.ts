import type { Aws } from '../aws/aws.js';
import { isMissing } from '../aws/errors.js';
import type { KitConfig } from '../config/model.js';
import {
  type AppStorage,
  desiredConfigVars,
  differing,
  isOurBuildpack,
  type KeyPair,
  parseSecretValue,
  type PrincipalId,
  principalLabel,
  secretName,
  STAGES,
} from '../contract/index.js';
import { isKitError, KitError } from '../errors.js';
import { isHaskellOnHeroku } from '../heroku/buildpacks.plan.js';
import { forksOf } from '../heroku/buildpacks.sync.js';
import type { Heroku, HerokuApp } from '../heroku/heroku.js';
import { pause } from '../heroku/pause.js';
import { registerSecret, registerUrlSecrets } from '../io/redaction.js';
import { DEFAULT_GHC, platformOf, type Place } from './archive.js';
import type { SmokeContext } from './context.js';
import type { Subject } from './subject.js';

/** What a smoke deploy is made from: the app it stands for, the key, and what its own app is to have. */
export interface Prepared {
  readonly app: HerokuApp;
  readonly key?: KeyPair;
  readonly buildpacks: readonly string[];
  readonly configVars: Readonly<Record<string, string>>;
  /** What the app itself has not as it should: names of config vars of ours, `buildpacks`. */
  readonly differs: readonly string[];
  /** Where its builds should look for archives; the platform is empty for a stack we do not know. */
  readonly place: Place;
}

/**
 * Read all of it; nothing is made.
 * @param options.key - in place of the current one. @param options.copied - names of config vars, beside the kit's own, that come along.
 */
export async function prepare(
  { config, heroku, aws, signal, signingBuildpackUrl }: SmokeContext,
  subject: Subject,
  storage: AppStorage,
  { key: given, copied = COPIED_CONFIG_VARS }: { readonly key?: KeyPair; readonly copied?: RegExp } = {},
): Promise<Prepared> {
  const { name } = subject.app;
  const [app, vars, buildpacks] = await Promise.all([heroku.app(name), heroku.configVars(name), heroku.buildpacks(name)]);
  const key = subject.principal && (given ?? (await currentKey(aws, subject.principal)));
  if (key) registerSecret(key.secretAccessKey);
  signal?.throwIfAborted();
  // What it is built on next.
  const stack = app.buildStack ?? app.stack;
  const wanted = copiedBuildpacks(config, signingBuildpackUrl, buildpacks);
  const asWanted = wanted.join('\n') === buildpacks.join('\n') && [wanted[0], undefined].includes(signingBuildpackUrl);
  const prepared = {
    app: { ...app, stack },
    key,
    buildpacks: wanted,
    differs: [...differing(vars, desiredConfigVars(storage, key)), ...(asWanted ? [] : ['buildpacks'])],
    configVars: copiedConfigVars(config, storage, key, vars, copied),
    place: { platform: platformOf(stack) ?? '', ghc: vars.HALCYON_GHC_VERSION || DEFAULT_GHC },
  };
  registerUrlSecrets([...Object.values(prepared.configVars), ...prepared.buildpacks]);
  return prepared;
}

/**
 * A principal's current key, from its secret.
 * @throws KitError `key-missing` | `secret-malformed`.
 * @internal
 */
export async function currentKey(aws: Aws, principal: PrincipalId): Promise<KeyPair> {
  const name = secretName(principal);
  const [client, { GetSecretValueCommand }] = await Promise.all([aws.secrets(), import('@aws-sdk/client-secrets-manager')]);
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: name, VersionStage: STAGES.current }));
    return parseSecretValue(answer.SecretString ?? '', name);
  } catch (cause) {
    if (cause instanceof KitError) throw cause;
    const missing = isMissing(cause, 'secret');
    throw new KitError(
      missing ? 'key-missing' : 'secret-unreadable',
      missing
        ? `${principalLabel(principal)} has no key yet; run \`halcyon-kit up ${principal.team}\``
        : `secret ${name} cannot be read (${cause instanceof Error ? cause.message : String(cause)}); you need secretsmanager:GetSecretValue on it`,
      { cause },
    );
  }
}

/** Names of config vars, beside the kit's own, that decide which code a build runs and where it looks. Copied from the team's app. */
const COPIED_CONFIG_VARS = /^(HALCYON_(URL|GHC_VERSION|NO_PRIVATE_STORAGE|PUBLIC_STORAGE_URL)|BASHMENOT_URL)$/;

/** The config vars to set: what the app should have of ours, and what it has of those above. @internal */
export function copiedConfigVars(
  config: KitConfig,
  storage: AppStorage,
  key: KeyPair | undefined,
  current: Readonly<Record<string, string>>,
  names: RegExp = COPIED_CONFIG_VARS,
): Record<string, string> {
  const copied = Object.fromEntries(Object.entries(current).filter(([name]) => names.test(name)));
  const wanted = Object.entries({ ...forksOf(config.buildpack), ...copied, ...desiredConfigVars(storage, key) });
  return Object.fromEntries(wanted.filter((entry): entry is [string, string] => Boolean(entry[1])));
}

/**
 * The app's buildpacks, haskell-on-heroku among them, the SigV4 buildpack first where requests are signed with version 4: the app's own, whose
 * version may be that of another kit. @internal
 */
export function copiedBuildpacks(config: KitConfig, signingUrl: string | undefined, current: readonly string[]): string[] {
  const list = current.some((url) => isHaskellOnHeroku(url, config.buildpack.url)) ? [...current] : [...current, config.buildpack.url];
  if (config.signing.version !== 4 || signingUrl === undefined) return list;
  const isOurs = (url: string) => url === signingUrl || isOurBuildpack(url, config.signing.buildpack);
  return [list.find(isOurs) ?? signingUrl, ...list.filter((url) => !isOurs(url))];
}

export const withoutUserInfo = (url: string): string => url.replace(/^([a-z+]+:\/\/)[^/@]*@/, '$1');

/** The app of a smoke deploy. */
export interface ShortLived {
  readonly name: string;
  readonly stack: string;
  readonly team?: string;
  readonly buildpacks: readonly string[];
  readonly configVars: Readonly<Record<string, string>>;
}

/** Make the app. Config vars come before any build, which could not see them otherwise. @param made - comes before the app is given a key. */
export async function createShortLived(heroku: Heroku, wanted: ShortLived, made?: (app: HerokuApp) => Promise<void>): Promise<HerokuApp> {
  const { name, stack, team, buildpacks, configVars } = wanted;
  const app = await heroku.createApp({ name, stack, ...(team ? { team } : {}) });
  await made?.(app);
  // A new app needs a moment until all of Heroku knows it.
  await untilKnown(() => heroku.setBuildpacks(name, buildpacks));
  if (Object.keys(configVars).length > 0) await untilKnown(() => heroku.patchConfigVars(name, configVars));
  return app;
}

async function untilKnown<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= 5 || !isKitError(error, 'app-not-found')) throw error;
      await pause(500 * attempt);
    }
  }
}
