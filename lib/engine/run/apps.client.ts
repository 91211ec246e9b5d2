import { storageOf } from '../../config/derive.js';
import { desiredConfigVars, type DesiredConfigVars } from '../../contract/index.js';
import { KitError } from '../../errors.js';
import { planConfigVars, type ConfigVarPlan } from '../../heroku/config-vars.plan.js';
import type { AppWrite, TeamObservation } from '../model.js';
import type { AppsPort, AppWritten, VerifierPort } from '../ports/ports.js';
import type { RunContext } from './run.js';

type AppsContext = Pick<RunContext, 'config' | 'team' | 'vault' | 'signal'>;

/** Write apps' config vars. @returns what became of each. @throws KitError `lease-lost`. */
export async function writeApps(
  context: AppsContext & { readonly apps: AppsPort; readonly guard: () => Promise<void> },
  writes: readonly AppWrite[],
  observation: TeamObservation,
): Promise<AppWritten[]> {
  const items = writes.map((write) => itemOf(context, write, observation));
  const written = await context.apps.write(items, { guard: context.guard, signal: context.signal });
  const lost = written.find(({ error }) => error?.code === 'lease-lost');
  if (lost?.error !== undefined) throw new KitError(lost.error.code, lost.error.message);
  return written;
}

/** With signature version 2, before any app is told to sign so: it must be accepted. The file's word alone is not enough. */
export async function requireVersion2(
  { config, vault, verifier }: Pick<AppsContext, 'config' | 'vault'> & { readonly verifier: VerifierPort },
  writes: readonly AppWrite[],
): Promise<void> {
  if (config.signing.version !== 2) return;
  const key = vault.pairOf(writes.find(({ keyId }) => keyId !== null)?.keyId);
  if (key !== undefined) await verifier.checkVersion2?.(key);
}

/** The plan's item in the terms of `lib/heroku`: secrets come from the vault only here. */
function itemOf(
  { config, team, vault }: AppsContext,
  write: AppWrite,
  observation: TeamObservation,
): { plan: ConfigVarPlan; desired: DesiredConfigVars } {
  const app = team.apps.find((candidate) => candidate.name === write.app);
  const seen = observation.apps.find((candidate) => candidate.name === write.app);
  const key = vault.pairOf(write.keyId);
  const desired =
    app === undefined || key === undefined ? desiredConfigVars({ mode: 'public' }) : desiredConfigVars(storageOf(config, team, app), key);
  const current: Record<string, string> = { ...seen?.vars };
  // The observation holds a fingerprint; where it is the right one, there is nothing to change.
  if (key !== undefined && !write.changes.includes('HALCYON_AWS_SECRET_ACCESS_KEY'))
    current.HALCYON_AWS_SECRET_ACCESS_KEY = key.secretAccessKey;
  return { plan: planConfigVars(write.app, current, desired), desired };
}
