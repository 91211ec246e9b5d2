import pMap from 'p-map';
import { principalOf, storageOf } from '../config/derive.js';
import type { App, KitConfig, Team } from '../config/model.js';
import { desiredConfigVars, principalLabel, type KeyPair } from '../contract/index.js';
import { fingerprint, type Vault } from '../engine/run/vault.js';
import { isKitError } from '../errors.js';
import { planBuildpacks, type DesiredBuildpacks } from '../heroku/buildpacks.plan.js';
import type { Heroku } from '../heroku/heroku.js';
import { registerSecret } from '../io/redaction.js';
import { Reader } from './guard.js';
import type { AppFacts, PrincipalFacts } from './model.js';

export interface AppQuestion {
  readonly config: KitConfig;
  readonly heroku: Heroku;
  readonly team: Team;
  readonly principals: readonly PrincipalFacts[];
  readonly vault: Vault;
  /** Filled with the key that each app holds. */
  readonly held: Map<string, KeyPair>;
  readonly buildpacks: ReadonlyMap<string, DesiredBuildpacks>;
  readonly stacks: ReadonlyMap<string, string>;
  readonly signal?: AbortSignal;
}

/** Heroku, read-only. Secret keys that apps hold go into `held` and are shown by their fingerprint. */
export const observeApps = (question: AppQuestion): Promise<AppFacts[]> =>
  pMap(question.team.apps, (app) => observeApp(question, app), { concurrency: 5 });

async function observeApp(question: AppQuestion, app: App): Promise<AppFacts> {
  const { config, heroku, team, principals, vault, stacks, signal } = question;
  const reader = new Reader(signal);
  const principal = principalOf(team, app);
  const label = principal === undefined ? undefined : principalLabel(principal);
  const current = principals.find((one) => one.label === label)?.current;
  const secret = current === undefined ? undefined : vault.secretOf(current);
  const base = {
    team: team.name,
    app,
    ...(label === undefined ? {} : { principal: label }),
    wanted: desiredConfigVars(
      storageOf(config, team, app),
      current === undefined || secret === undefined ? undefined : { accessKeyId: current, secretAccessKey: fingerprint(secret) },
    ),
  };
  let info;
  try {
    info = await heroku.app(app.name);
  } catch (error) {
    if (isKitError(error, 'app-not-found')) return { ...base, state: 'missing', unread: [] };
    if (isKitError(error, 'heroku-forbidden')) return { ...base, state: 'forbidden', problem: error.message, unread: [] };
    throw error;
  }
  const [vars, buildpacks, releases, builds, dynos] = await Promise.all([
    reader.read('config vars', async () => halcyonVars(app.name, await heroku.configVars(app.name), question.held)),
    reader.read('buildpacks', () => heroku.buildpacks(app.name)),
    reader.read('releases', () => heroku.releases(app.name, { max: 20 })),
    reader.read('builds', () => heroku.builds(app.name, { max: 10 })),
    reader.read('dynos', () => heroku.dynos(app.name)),
  ]);
  const desired = question.buildpacks.get(app.name);
  const stackState = stacks.get(info.stack);
  return {
    ...base,
    state: 'present',
    info,
    ...(stackState === undefined ? {} : { stackState }),
    vars: vars ?? undefined,
    buildpacks: buildpacks ?? undefined,
    ...(buildpacks && desired ? { buildpackPlan: planBuildpacks(buildpacks, desired) } : {}),
    releases: releases ?? undefined,
    builds: builds?.filter((build) => build.status === 'pending'),
    oneOffs: dynos?.filter((dyno) => dyno.type === 'run'),
    unread: reader.unread,
  };
}

/** What has to do with Halcyon, and nothing of an app's own. */
function halcyonVars(app: string, all: Readonly<Record<string, string>>, held: Map<string, KeyPair>): Record<string, string> {
  const { HALCYON_AWS_ACCESS_KEY_ID: accessKeyId, HALCYON_AWS_SECRET_ACCESS_KEY: secretAccessKey } = all;
  registerSecret(secretAccessKey);
  if (accessKeyId && secretAccessKey) held.set(app, { accessKeyId, secretAccessKey });
  const ours = Object.entries(all).filter(([name]) => /^(HALCYON|BASHMENOT)_/.test(name));
  const shown = (name: string, value: string) => (name === 'HALCYON_AWS_SECRET_ACCESS_KEY' ? fingerprint(value) : value);
  // Any other secret is nothing to us, not even its fingerprint.
  return Object.fromEntries(
    ours
      .filter(([name]) => name.startsWith('HALCYON_AWS_') || !/SECRET|PASSWORD|TOKEN|PRIVATE_KEY|SSH/.test(name))
      .map(([name, value]) => [name, shown(name, value)]),
  );
}
