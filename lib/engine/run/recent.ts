import type { Clock } from '../clock.js';
import type { UserRecord } from '../ports/ports.js';

/** IAM is eventually consistent: for this long, a listing may lack what was just done. */
export const LAG = 60_000;

type Key = UserRecord['keys'][number];
type Effect = (user: UserRecord) => UserRecord;

/** Effects of this process on IAM, laid over what IAM lists until it surely shows them itself. */
export class Recent {
  #effects: Array<{ at: number; user: string; apply: Effect }> = [];
  constructor(private readonly clock: Clock) {}

  #add(user: string, apply: Effect): void {
    this.#effects.push({ at: this.clock.now(), user, apply });
  }
  made(user: string, key: Key): void {
    this.#add(user, (record) => (record.keys.some(({ id }) => id === key.id) ? record : { ...record, keys: [...record.keys, key] }));
  }
  status(user: string, keyId: string, status: Key['status']): void {
    this.#add(user, (record) => ({ ...record, keys: record.keys.map((key) => (key.id === keyId ? { ...key, status } : key)) }));
  }
  deleted(user: string, keyId: string): void {
    this.#add(user, (record) => ({ ...record, keys: record.keys.filter((key) => key.id !== keyId) }));
  }
  tagged(user: string, name: string, value: string): void {
    this.#add(user, (record) => ({ ...record, tags: { ...record.tags, [name]: value } }));
  }
  untagged(user: string, names: readonly string[]): void {
    this.#add(user, (record) => ({
      ...record,
      tags: Object.fromEntries(Object.entries(record.tags).filter(([name]) => !names.includes(name))),
    }));
  }

  over(users: readonly UserRecord[]): UserRecord[] {
    const since = this.clock.now() - LAG;
    this.#effects = this.#effects.filter(({ at }) => at >= since);
    return users.map((record) => this.#effects.filter(({ user }) => user === record.name).reduce((seen, { apply }) => apply(seen), record));
  }
}
