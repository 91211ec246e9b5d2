import { namesOf } from '../../config/derive.js';
import { parseUserName, principalLabel } from '../../contract/index.js';
import { inStep } from '../../io/io-host.js';
import type { Event } from '../model.js';
import { isTransient, type Ports } from '../ports/ports.js';
import { inactiveTag, keyMemory, refusedTag } from '../tags.js';
import type { RunContext } from './run.js';

/** What killing a key takes: IAM alone. Neither Heroku nor Secrets Manager nor a lease may be in the way. */
export type IamContext = Pick<RunContext, 'team' | 'recent' | 'clock' | 'io' | 'signal'> & { readonly ports: Pick<Ports, 'keys'> };

/** Whose a key is. */
export interface FoundKey {
  readonly user: string;
  /** `payments/upload`. */
  readonly principal: string;
  readonly status: 'Active' | 'Inactive';
  /** Marked as leaked already. */
  readonly revoked: boolean;
}

/** @param owner - the user to look at, where it is known: a team may have hundreds. */
export async function findKeyOf({ team, ports, recent }: IamContext, keyId: string, owner?: string): Promise<FoundKey | undefined> {
  for (const user of recent.over(await ports.keys.users(namesOf(team), { only: owner }))) {
    const key = user.keys.find(({ id }) => id === keyId);
    if (key === undefined) continue;
    const id = parseUserName(user);
    const revoked = keyMemory(user.tags, keyId).refused === 'revoked';
    return { user: user.name, principal: id === undefined ? user.name : principalLabel(id), status: key.status, revoked };
  }
  return undefined;
}

/** Attempts at each of its steps, a transient failure between them. */
const ATTEMPTS = 7;

/**
 * Make a leaked key inactive, and then mark it, so that nothing brings it back: a mark that is refused keeps no key alive. It waits for
 * nothing that another operator does: none of it makes it right to let the key live.
 * @param done - gets what was done, as it is done; nothing where no user of the team has the key, or it was dead already.
 * @param found - whose it is, where that is known: then the first request is the one that stops it.
 */
export async function killAtOnce(context: IamContext, keyId: string, done: Event[] = [], found?: FoundKey): Promise<Event[]> {
  const { keys } = context.ports;
  const now = () => new Date(context.clock.now()).toISOString();
  const effect = async (kind: 'mark-revoked' | 'deactivate', doing: string, at: FoundKey, work: () => Promise<void>) => {
    context.signal?.throwIfAborted();
    await inStep(context.io, `${doing} key ${keyId} of ${at.principal}`, work);
    done.push({ at: now(), step: kind, principal: at.principal, keyId, text: 'leaked: it must stop working at once, and never come back' });
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const at = attempt === 1 && found !== undefined ? found : await findKeyOf(context, keyId);
      if (at === undefined) return done;
      const { user } = at;
      const tag = (name: string, value: string) => keys.tag(user, name, value).then(() => context.recent.tagged(user, name, value));
      if (at.status === 'Active') {
        await effect('deactivate', 'Deactivating', at, () => keys.setStatus(user, keyId, 'Inactive'));
        context.recent.status(user, keyId, 'Inactive');
      }
      if (!at.revoked) await effect('mark-revoked', 'Revoking', at, () => tag(refusedTag(keyId), `revoked ${now()}`));
      if (at.status === 'Active') await tag(inactiveTag(keyId), now());
      return done;
    } catch (error) {
      if (!isTransient(error) || attempt >= ATTEMPTS) throw error;
      await context.clock.sleep(Math.min(250 * 2 ** attempt, 5000), context.signal);
    }
  }
}
