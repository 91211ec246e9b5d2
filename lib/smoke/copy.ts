import type { KitConfig } from '../config/model.js';
import { desiredConfigVars, type AppStorage, type KeyPair } from '../contract/index.js';
import { isHaskellOnHeroku } from '../heroku/buildpacks.plan.js';

/** What a short-lived app takes over from the team's. */

/** Names of config vars, beside the kit's own, that decide which code a build runs and where it looks. Copied from the team's app. */
const COPIED_CONFIG_VARS = [
  'HALCYON_URL',
  'BASHMENOT_URL',
  'HALCYON_GHC_VERSION',
  'HALCYON_NO_PRIVATE_STORAGE',
  'HALCYON_PUBLIC_STORAGE_URL',
] as const;

/** The config vars to set: what the app should have of ours, and what it has of those above. */
export function copiedConfigVars(
  config: KitConfig,
  storage: AppStorage,
  key: KeyPair | undefined,
  current: Readonly<Record<string, string>>,
): Record<string, string> {
  const forks = { HALCYON_URL: config.buildpack.halcyonUrl, BASHMENOT_URL: config.buildpack.bashmenotUrl };
  const copied = Object.fromEntries(COPIED_CONFIG_VARS.flatMap((name) => (current[name] ? [[name, current[name]]] : [])));
  const wanted = Object.entries({ ...forks, ...copied, ...desiredConfigVars(storage, key) });
  return Object.fromEntries(wanted.filter((entry): entry is [string, string] => Boolean(entry[1])));
}

/** The app's buildpacks, haskell-on-heroku among them, the SigV4 buildpack first where requests are signed with version 4. */
export function copiedBuildpacks(config: KitConfig, signingUrl: string | undefined, current: readonly string[]): string[] {
  const list = current.some((url) => isHaskellOnHeroku(url, config.buildpack.url)) ? [...current] : [...current, config.buildpack.url];
  if (config.signing.version !== 4 || signingUrl === undefined) return list;
  return [signingUrl, ...list.filter((url) => url !== signingUrl)];
}

export const withoutUserInfo = (url: string): string => url.replace(/^([a-z+]+:\/\/)[^/@]*@/, '$1');
