import pMap from 'p-map';
import type { KeyPair } from '../../contract/index.js';
import { isKitError, KitError } from '../../errors.js';
import type { KeyState, PrincipalState, Step, TeamObservation } from '../model.js';
import { beforeEffect, type RunContext, type RunMemory } from './run.js';
import { LAG } from './recent.js';
import { verifyKey } from './verify.client.js';

/** What cannot be undone, or may cut someone off: done only on what was seen since the last step, and while the key that stays works. */
const FINAL: ReadonlySet<Step['kind']> = new Set(['deactivate', 'delete-key', 'delete-principal', 'delete-unknown']);

/** A leaked key does not live on until something else has been looked at. */
export const isFinal = (step: Step): boolean => FINAL.has(step.kind) && !(step.kind === 'deactivate' && step.cause === 'leaked');

const POLL = 2000;

/** The keys that apps go on with: the current one of each principal that the file wants, where it is usable. */
export function stayingKeys({ principals }: TeamObservation): Array<{ principal: PrincipalState; key: KeyState }> {
  return principals.flatMap((principal) => {
    const key = principal.keys.find(({ id }) => id === principal.current);
    const usable = key?.status === 'Active' && key.fingerprint !== undefined && key.refused === undefined;
    return principal.declared && usable ? [{ principal, key }] : [];
  });
}

/**
 * That IAM itself lists the key as active, with nothing of what this process remembers laid over its answer.
 * @throws KitError `state-changed` when it does not for as long as its lists may be late: someone else deleted it.
 */
export async function confirmListed({ ports, clock, signal }: RunContext, { user, label }: PrincipalState, keyId: string): Promise<void> {
  const waited = clock.stopwatch();
  while (!(await ports.keys.activeKeys(user)).includes(keyId)) {
    if (waited() > LAG)
      throw new KitError('state-changed', `the current key ${keyId} of ${label} is gone or inactive, by someone else's hand; run again`);
    await clock.sleep(POLL, signal);
  }
}

/**
 * That the key is there and works, tried afresh: once where this run has seen that it is known everywhere, since AWS's servers do not forget.
 * @throws what stops a final step.
 */
export async function confirmStays(context: RunContext, { verified }: RunMemory, principal: PrincipalState, keyId: string): Promise<void> {
  const { ports, vault } = context;
  const policy = verified.has(keyId) ? { ...context.policy, verifications: 1 } : context.policy;
  await confirmListed(context, principal, keyId);
  const before = () => beforeEffect(context);
  const known = { ...context, policy, verifier: ports.verifier };
  const verifying = verifyKey({ ...known, before, say: () => {} }, principal, vault.pairOf(keyId) as KeyPair);
  await verifying.catch(async (error: unknown) => {
    // Where it went meanwhile, there is something to do about it.
    await confirmListed(context, principal, keyId);
    throw error;
  });
  verified.add(keyId);
}

/**
 * That a key which apps are about to be given works, unless it was tried in this run: IAM's lists may still show one that another run deleted.
 * @throws KitError `state-changed` once IAM lists it no more, `key-not-accepted` where it lists it all the same.
 */
export async function confirmGiven(context: RunContext, { verified }: RunMemory, principal: PrincipalState, key: KeyPair): Promise<void> {
  if (verified.has(key.accessKeyId)) return;
  const before = async () => {
    await beforeEffect(context);
    if (!(await context.ports.keys.activeKeys(principal.user)).includes(key.accessKeyId))
      throw new KitError(
        'state-changed',
        `key ${key.accessKeyId} of ${principal.label} is gone or inactive, by another run; looking again`,
      );
  };
  await verifyKey({ ...context, verifier: context.ports.verifier, before, say: () => {} }, principal, key);
  verified.add(key.accessKeyId);
}

/** Heroku's times are whole seconds, and what a service's clock is known to is one more. */
const COARSE = 1000;

/** Until a release of our own can be told from one that comes after the look which is about to begin. */
export async function letReleasesAge({ clock, signal }: RunContext, taken: ReadonlyMap<string, string>): Promise<void> {
  const latest = Math.max(0, ...[...taken.values()].map((at) => Date.parse(at)));
  const rest = latest + 2 * COARSE - clock.now();
  if (rest > 0) await clock.sleep(Math.min(rest, 2 * COARSE), signal);
}

/**
 * That no app which was released since the look began has the key by now: a look at many apps takes long, and someone rolls one back. Who
 * deploys meanwhile does not stop the step.
 * @throws KitError `state-changed` otherwise.
 */
export async function confirmNotTakenUp(
  { ports, concurrency }: RunContext,
  { since, apps, outside = [] }: TeamObservation,
  keyId: string,
): Promise<void> {
  const before = new Date(Math.floor(Date.parse(since) / 1000) * 1000 - COARSE - 1).toISOString();
  // Who has it all along, and holds nothing up, is no news: one outside the file that has a leaked key.
  const looked = [...apps, ...outside]
    .filter(({ state, vars }) => state === 'present' && vars.HALCYON_AWS_ACCESS_KEY_ID !== keyId)
    .map(({ name }) => [name, before] as const);
  const holds = async (app: string): Promise<string[]> => {
    const vars = await ports.apps.vars(app).catch((error: unknown) => {
      if (!isKitError(error, 'app-not-found')) throw error;
    });
    return vars?.HALCYON_AWS_ACCESS_KEY_ID === keyId ? [app] : [];
  };
  const holding = (await pMap(await ports.apps.releasedSince(new Map(looked)), holds, { concurrency })).flat();
  if (holding.length > 0) throw new KitError('state-changed', `${holding.join(', ')} took up ${keyId} again meanwhile`);
}
