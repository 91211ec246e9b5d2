import { desiredConfigVars, withKeyVars } from '../../contract/index.js';
import { KitError } from '../../errors.js';
import type { AppReport, ConfigVarWrite } from '../../heroku/sync.js';
import type { AppState, AppWrite, TeamObservation } from '../model.js';
import type { AppsPort, VerifierPort } from '../ports/ports.js';
import type { RunContext } from './run.js';

type AppsContext = Pick<RunContext, 'config' | 'vault' | 'signal'>;

/** Write apps' config vars. @returns what became of each. @throws KitError `lease-lost`. */
export async function writeApps(
  context: AppsContext & { readonly apps: AppsPort },
  writes: readonly AppWrite[],
  observation: TeamObservation,
): Promise<AppReport[]> {
  const wanted = new Map(observation.apps.map((app) => [app.name, app.wanted]));
  const items = writes.map((write) => withValues(context, write, wanted.get(write.app)));
  const written = await context.apps.write(items, context.signal);
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

/** The plan's write with its values: secrets come from the vault only here. @throws KitError `state-changed` where it lacks one: that never means none. */
function withValues({ vault }: Pick<AppsContext, 'vault'>, write: AppWrite, wanted: AppState['wanted'] | undefined): ConfigVarWrite {
  const { app, keyId } = write;
  const changes = write.changes.map(({ name }) => name);
  if (keyId === null) return { app, changes, desired: desiredConfigVars({ mode: 'public' }) };
  const key = vault.pairOf(keyId);
  if (wanted === undefined || key === undefined)
    throw new KitError('state-changed', `the secret of key ${keyId} for ${app} is not known, so the app keeps what it has; run again`);
  return { app, changes, desired: withKeyVars(wanted, key) };
}
