import { desiredConfigVars, withKeyVars } from '../../contract/index.js';
import { KitError } from '../../errors.js';
import type { ConfigVarWrite } from '../../heroku/sync.js';
import type { AppWrite, TeamObservation } from '../model.js';
import type { AppsPort, AppWritten, VerifierPort } from '../ports/ports.js';
import type { RunContext } from './run.js';

type AppsContext = Pick<RunContext, 'config' | 'vault' | 'signal'>;

/** Write apps' config vars. @returns what became of each. @throws KitError `lease-lost`. */
export async function writeApps(
  context: AppsContext & { readonly apps: AppsPort; readonly guard: () => Promise<void> },
  writes: readonly AppWrite[],
  observation: TeamObservation,
): Promise<AppWritten[]> {
  const items = writes.map((write) => withValues(context, write, observation));
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

/** The plan's write with its values: secrets come from the vault only here. */
function withValues({ vault }: Pick<AppsContext, 'vault'>, { app, keyId, changes }: AppWrite, { apps }: TeamObservation): ConfigVarWrite {
  const wanted = apps.find(({ name }) => name === app)?.wanted;
  const key = vault.pairOf(keyId);
  return {
    app,
    changes,
    desired: wanted === undefined || key === undefined ? desiredConfigVars({ mode: 'public' }) : withKeyVars(wanted, key),
  };
}
