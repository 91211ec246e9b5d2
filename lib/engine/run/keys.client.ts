import { KEY_TAGS, secretName, secretVersionId, type KeyPair } from '../../contract/index.js';
import { isKitError } from '../../errors.js';
import type { Making, PrincipalState, Step } from '../model.js';
import { isPendingLost } from '../plan/principal.plan.js';
import type { Ports } from '../ports/ports.js';
import { formatIntention, inactiveTag, refusedTag } from '../tags.js';
import type { RunContext } from './run.js';

/** Steps that change a user, its keys or its secret. */
export type KeyChange = Exclude<Step, { kind: 'wait' | 'write-apps' | 'copy-packages' | 'verify' | 'smoke' }>;

export interface KeyChangeContext extends Pick<RunContext, 'vault' | 'recent' | 'clock'>, Pick<Ports, 'keys' | 'secretsIn' | 'holders'> {
  /** Who does it, for people. */
  readonly by: string;
  /** Ids of holders that exist no more. */
  readonly gone?: readonly string[] | undefined;
  /** Comes before every effect; stops it by throwing. */
  readonly before: () => Promise<void>;
}

/** Carry out one such step. @returns the id of the key that it was about. */
export async function changeKeys(context: KeyChangeContext, step: KeyChange, principal: PrincipalState): Promise<string | undefined> {
  const { keys, holders, recent, vault } = context;
  const secrets = context.secretsIn(principal.reach?.region);
  const { user } = step;
  const secret = secretName(principal.id);
  /** Every effect goes through here. */
  const effect = async <T>(work: () => Promise<T>): Promise<T> => {
    await context.before();
    return work();
  };
  const tag = (name: string, value: string) => effect(() => keys.tag(user, name, value)).then(() => recent.tagged(user, name, value));
  const untag = (names: readonly string[]) => effect(() => keys.untag(user, names)).then(() => recent.untagged(user, names));
  const setStatus = (keyId: string, status: 'Active' | 'Inactive') =>
    effect(() => keys.setStatus(user, keyId, status)).then(() => recent.status(user, keyId, status));
  const store = (key: KeyPair) => effect(() => secrets.putPending(secret, key));
  const making = (value: Making | undefined) => effect(async () => holders?.making(user, principal.reach, value));
  const now = () => new Date(context.clock.now()).toISOString();
  switch (step.kind) {
    case 'create-key': {
      // The intention first: if the answer to the creation is lost, it proves whose the key is; and until IAM shows it, that there may be one.
      const intention = { at: now(), by: context.by, before: principal.keys.map((key) => key.id) };
      await tag(KEY_TAGS.creating, formatIntention(intention));
      await making({ at: intention.at, before: intention.before });
      const { createdAt, ...key } = await effect(() => keys.createKey(user)).catch(async (error: unknown) => {
        // Refused for certain: what is in the slots is not ours, and must not be taken for it.
        if (isKitError(error, 'state-changed')) {
          await untag([KEY_TAGS.creating]);
          await making(undefined);
        }
        throw error;
      });
      vault.put(key.accessKeyId, key.secretAccessKey);
      recent.made(user, { id: key.accessKeyId, status: 'Active', createdAt });
      await store(key);
      await untag([KEY_TAGS.creating]);
      return key.accessKeyId;
    }
    case 'store-pending':
      await store(vault.pairOf(step.keyId) as KeyPair);
      break;
    case 'promote': {
      const version = principal.versions[step.keyId] ?? secretVersionId(step.keyId);
      const from = principal.current === undefined ? undefined : principal.versions[principal.current];
      if (principal.current !== step.keyId) await effect(() => secrets.promote(secret, version, from));
      if (principal.pending === step.keyId) await effect(() => secrets.dropPending(secret, version));
      break;
    }
    case 'reactivate':
      // In this order, a crash leaves no time of an earlier soak behind.
      await untag([inactiveTag(step.keyId)]);
      await setStatus(step.keyId, 'Active');
      break;
    case 'deactivate':
      await setStatus(step.keyId, 'Inactive');
      await tag(inactiveTag(step.keyId), now());
      break;
    case 'start-soak':
      await tag(inactiveTag(step.keyId), now());
      break;
    case 'mark-undone':
    case 'mark-revoked':
      await tag(refusedTag(step.keyId), `${step.kind === 'mark-undone' ? 'undone' : 'revoked'} ${now()}`);
      break;
    case 'delete-key':
    case 'delete-orphan':
    case 'delete-unknown':
      await effect(() => keys.deleteKey(user, step.keyId));
      recent.deleted(user, step.keyId);
      await untag([inactiveTag(step.keyId), refusedTag(step.keyId), ...(step.kind === 'delete-orphan' ? [KEY_TAGS.creating] : [])]);
      if (principal.making?.before.includes(step.keyId) === false) await making(undefined);
      break;
    case 'tidy-tags': {
      const names = [...(principal.creating === undefined ? [] : [KEY_TAGS.creating]), ...(principal.stale ?? [])];
      if (names.length > 0) await untag(names);
      const pending = isPendingLost(principal) ? principal.versions[principal.pending ?? ''] : undefined;
      if (pending !== undefined) await effect(() => secrets.dropPending(secret, pending));
      break;
    }
    case 'record-holders':
      await effect(async () => holders?.add(user, principal.reach, step.holders, context.gone));
      break;
    case 'delete-principal':
      await effect(async () => holders?.remove(user, principal.reach));
      // The user last: while it is there the rest is looked for again, and a secret that stays would keep its name from the next.
      await effect(() => secrets.delete(secret));
      await effect(() => keys.deleteUser(user));
      break;
  }
  return 'keyId' in step ? step.keyId : undefined;
}
