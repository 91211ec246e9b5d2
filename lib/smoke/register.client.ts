import type { Aws } from '../aws/aws.js';
import type { Team } from '../config/model.js';
import { KIT_OBJECT_PREFIX } from '../contract/index.js';
import { isDead, parseOwner, thisProcess, type LeaseOwner } from '../lease-owner.js';
import { Objects } from './objects.client.js';
import { isShortLived } from './name.js';

/** Without renewal for so long a note is a dead run's; on the machine it ran on that is told at once. Clocks are let be five minutes off. */
const TTL_MS = 10 * 60_000;

/** An app that a smoke deploy made, or was about to, and has not removed. */
export interface NotedApp {
  readonly name: string;
  /** Undefined where its note cannot be understood. */
  readonly owner?: LeaseOwner;
  /** Its smoke deploy is under way, here or elsewhere. */
  readonly running: boolean;
}

/** Where a team's smoke deploys write down their apps, beside its lease: a killed one leaves an app that holds a live key. */
export class Register {
  readonly #objects: Objects;
  readonly #prefix: string;
  #renewals: NodeJS.Timeout[] = [];
  #writing: Promise<unknown> = Promise.resolve();

  constructor(aws: Aws, { name, bucket }: Pick<Team, 'name'> & { readonly bucket: NonNullable<Team['bucket']> }) {
    this.#objects = new Objects(aws, bucket.spec);
    this.#prefix = `${KIT_OBJECT_PREFIX}smoke-apps/${name}/`;
  }

  /** Write an app down, and go on saying that it is in use. */
  async note(app: string): Promise<void> {
    const body = JSON.stringify(thisProcess(TTL_MS, Date.now()));
    const write = () => this.#objects.put(this.#keyOf(app), body);
    await write();
    // A renewal that fails is made up for by the next.
    const renew = () => void (this.#writing = write().catch(() => undefined));
    this.#renewals.push(setInterval(renew, TTL_MS / 8).unref());
  }

  /** The app is no more, or was found to be a dead run's. */
  async forget(app: string): Promise<void> {
    await this.rest();
    await this.#objects.removeKey(this.#keyOf(app));
  }

  /** Renew nothing any more: whatever is left is anyone's to remove, once this process has ended. */
  async rest(): Promise<void> {
    for (const timer of this.#renewals) clearInterval(timer);
    this.#renewals = [];
    await this.#writing;
  }

  async all(): Promise<NotedApp[]> {
    const self = thisProcess(TTL_MS, Date.now());
    const found: NotedApp[] = [];
    for (const { key, body, ageMs } of await this.#objects.read(this.#prefix)) {
      const name = key.slice(this.#prefix.length).replace(/\.json$/, '');
      if (!isShortLived(name)) continue;
      const owner = parseOwner(body);
      const running = owner !== undefined && ageMs <= owner.ttl && !isDead(owner, self);
      found.push({ name, running, ...(owner === undefined ? {} : { owner }) });
    }
    return found;
  }

  #keyOf = (app: string): string => `${this.#prefix}${app}.json`;
}

/** A team's; undefined where it has no bucket: then no app of its smoke deploys holds a key. */
export const registerOf = (aws: Aws, { name, bucket }: Team): Register | undefined =>
  bucket === undefined ? undefined : new Register(aws, { name, bucket });

/** Whose a smoke deploy is, or was. */
export const whoOf = ({ owner }: NotedApp): string =>
  owner === undefined ? 'someone' : `${owner.who} (process ${owner.pid}), begun ${owner.since}`;
