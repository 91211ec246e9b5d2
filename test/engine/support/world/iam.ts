import { halcyonBucket, TAGS } from '../../../../lib/contract/index.js';
import type { KeysPort, VerifierPort } from '../../../../lib/engine/ports/ports.js';
import { KitError } from '../../../../lib/errors.js';
import { seconds, type Process, type Shared } from './process.js';

export interface ModelKey {
  readonly id: string;
  readonly secret: string;
  status: 'Active' | 'Inactive';
  readonly createdAt: number;
  /** Known everywhere from then on. */
  knownAt: number;
  lastUsedAt?: number;
  readonly foreign: boolean;
  /** Who made it. */
  by?: Process;
}
export interface ModelUser {
  readonly name: string;
  readonly path: string;
  tags: Record<string, string>;
  keys: ModelKey[];
  inStack: boolean;
}

/** Users and their keys. A key takes a while to be known everywhere. */
export class Iam {
  readonly users = new Map<string, ModelUser>();
  /** Leaked keys: excused from the promise that no app is cut off. */
  readonly leaked = new Set<string>();
  readonly mayDeleteUnknown = new Set<string>();
  keyDelay = 0;
  /** @param holders - what holds a key, in truth. */
  constructor(
    private readonly shared: Shared,
    private readonly holders: (keyId: string) => string[],
  ) {}

  makeKey(user: string, foreign: boolean): ModelKey {
    const n = this.shared.serial();
    const key: ModelKey = {
      id: `AKIA${String(n).padStart(16, '0')}`,
      secret: `secret-of-key-number-${n}`,
      status: 'Active',
      createdAt: this.shared.now,
      knownAt: this.shared.now + (foreign ? 0 : this.keyDelay),
      foreign,
    };
    (this.users.get(user) as ModelUser).keys.push(key);
    return key;
  }

  /** For `ms` from now on, IAM's lists show what there is now. */
  lag(ms: number): void {
    this.#stale = { until: this.shared.now + ms, users: new Map([...this.users].map(([name, user]) => [name, copyOf(user)])) };
  }
  #stale?: { readonly until: number; readonly users: ReadonlyMap<string, ModelUser> };

  /** As lists show them. */
  private get listed(): ReadonlyMap<string, ModelUser> {
    return this.#stale !== undefined && this.isBehind ? this.#stale.users : this.users;
  }
  get isBehind(): boolean {
    return this.#stale !== undefined && this.shared.now < this.#stale.until;
  }

  userOf(id: string | undefined): string | undefined {
    return [...this.users.values()].find(({ keys }) => keys.some((key) => key.id === id))?.name;
  }

  keyNamed(id: string | undefined): ModelKey | undefined {
    for (const user of this.users.values()) for (const key of user.keys) if (key.id === id) return key;
    return undefined;
  }

  port(process: Process): KeysPort {
    const userNamed = (name: string): ModelUser => {
      const user = this.users.get(name);
      if (user === undefined) throw new KitError('state-changed', `no user ${name}`);
      return user;
    };
    return {
      users: (teams, { uses } = {}) =>
        process.look('ListUsers', () =>
          [...this.listed.values()]
            .filter(({ path }) => teams.some((team) => path.endsWith(`/${team}/`)))
            .map(({ name, path, tags, keys }) => ({
              name,
              path,
              tags: { ...tags },
              keys: keys.map(({ id, status, createdAt, lastUsedAt }) => ({
                id,
                status,
                createdAt: seconds(createdAt),
                ...(uses?.get(id) ?? (lastUsedAt === undefined ? {} : { lastUsedAt: seconds(lastUsedAt), lastUsedService: 's3' })),
              })),
            })),
        ),
      activeKeys: (name) =>
        process.look('ListAccessKeys', () =>
          (this.listed.get(name) ?? userNamed(name)).keys.flatMap(({ id, status }) => (status === 'Active' ? [id] : [])),
        ),
      createKey: (name) =>
        process.effect('CreateAccessKey', () => {
          const { keys } = userNamed(name);
          if (keys.length >= 2) throw new KitError('state-changed', 'two keys already');
          const isListed = (id: string) => this.listed.get(name)?.keys.some((key) => key.id === id) === true;
          const hidden = keys.find(({ id, foreign, by }) => !foreign && by !== process && !isListed(id));
          if (hidden !== undefined) this.shared.violated(`a second key made for ${name} while IAM does not list ${hidden.id}`);
          const key = this.makeKey(name, false);
          key.by = process;
          return { accessKeyId: key.id, secretAccessKey: key.secret, createdAt: seconds(key.createdAt) };
        }),
      setStatus: (name, id, status) =>
        process.effect(`UpdateAccessKey ${status}`, () => {
          const key = userNamed(name).keys.find((candidate) => candidate.id === id);
          if (key === undefined) throw new KitError('state-changed', `no key ${id}`);
          if (status === 'Inactive' && !this.leaked.has(id))
            for (const holder of this.holders(id)) this.shared.violated(`${id} deactivated while ${holder} holds it`);
          if (status === 'Active' && this.leaked.has(id)) this.shared.violated(`leaked key ${id} reactivated`);
          if (status === 'Active' && key.status === 'Inactive') key.knownAt = this.shared.now + this.keyDelay;
          key.status = status;
        }),
      deleteKey: (name, id) =>
        process.effect('DeleteAccessKey', () => {
          const user = userNamed(name);
          const key = user.keys.find((candidate) => candidate.id === id);
          if (key?.foreign && !this.mayDeleteUnknown.has(id)) this.shared.violated(`unknown key ${id} deleted`);
          // What runs with a key that is inactive has lost nothing more.
          const loses = (holder: string) => key?.status === 'Active' || holder.startsWith('app ');
          if (!this.leaked.has(id))
            for (const holder of this.holders(id).filter(loses)) this.shared.violated(`${id} deleted while ${holder} holds it`);
          user.keys = user.keys.filter((candidate) => candidate.id !== id);
        }),
      tag: (name, key, value) => process.effect('TagUser', () => void (userNamed(name).tags[key] = value)),
      untag: (name, keys) => process.effect('UntagUser', () => keys.forEach((key) => delete userNamed(name).tags[key])),
      deleteUser: (name) =>
        process.effect('DeleteUser', () => {
          if ((this.users.get(name)?.keys.length ?? 0) > 0) throw new KitError('aws-failed', 'DeleteConflict');
          this.users.delete(name);
        }),
    };
  }

  /** What the user of a key may reach: `bucket/prefix`, and the ACL of uploads. */
  reachOf(keyId: string): { readonly bucket: string; readonly acl?: string } | undefined {
    const tags = [...this.users.values()].find(({ keys }) => keys.some(({ id }) => id === keyId))?.tags;
    return tags && { bucket: halcyonBucket(tags[TAGS.bucket] ?? '', tags[TAGS.prefix]), acl: tags[TAGS.acl] };
  }

  /** Requests as a key of its users. */
  verifier(process: Process): VerifierPort {
    let calls = 0;
    return {
      check: (_id, { accessKeyId }) =>
        process.look('verify', () => {
          const key = this.keyNamed(accessKeyId);
          if (key?.status !== 'Active') return 'inactive or gone';
          key.lastUsedAt = this.shared.now;
          // While it spreads, some calls succeed, but never several in a row.
          return this.shared.now >= key.knownAt || (calls += 1) % 3 === 0 ? undefined : 'not known yet';
        }),
    };
  }
}

const copyOf = (user: ModelUser): ModelUser => ({ ...user, tags: { ...user.tags }, keys: user.keys.map((key) => ({ ...key })) });
