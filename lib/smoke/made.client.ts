import type { Heroku } from '../heroku/heroku.js';
import type { IoHost } from '../io/io-host.js';
import { redact } from '../io/redaction.js';
import type { StorageLine } from './log.js';
import type { Objects } from './objects.client.js';
import type { Register } from './register.client.js';
import { runOfKey } from './name.js';
import { SMOKE_OBJECT_PREFIX } from './requests.plan.js';

/** What one smoke deploy makes, noted before it is made. All cleaning up goes through it. */
export class Made {
  readonly #apps = new Set<string>();
  readonly #prefixes = new Set<string>();
  readonly #keys = new Set<string>();

  /** @param register - where its app is written down for others to see, should this run be killed. */
  constructor(
    private readonly run: string,
    private readonly register?: Pick<Register, 'note' | 'rest' | 'forget'>,
  ) {}

  async app(name: string): Promise<void> {
    this.#apps.add(name);
    await this.register?.note(name);
  }

  /** Key prefixes that hold nothing but this run's objects. */
  prefixes(prefixes: readonly string[]): void {
    for (const prefix of prefixes) this.#prefixes.add(prefix);
  }

  key(key: string): void {
    this.#keys.add(key);
  }

  /** What a build uploaded of this run's own package: of no use without its source. All else, a GHC too, serves the team. */
  uploads(requests: readonly StorageLine[], bucket: string | undefined): void {
    const start = `s3://${bucket}/`;
    for (const { action, url } of requests) {
      const key = url.startsWith(start) ? url.slice(start.length) : '';
      if (action === 'Uploading' && runOfKey(key) === this.run) this.key(key);
    }
  }

  /** Goes on whatever happened, and after an abort too. @returns what is still there. */
  async remove(heroku: Heroku, objects: Objects | undefined, io: IoHost): Promise<string[]> {
    const leftovers: string[] = [];
    const attempt = async (what: string, work: () => Promise<unknown>) => {
      try {
        await work();
      } catch (error) {
        leftovers.push(what);
        const reason = redact(error instanceof Error ? error.message : String(error));
        io.warn(`${what} could not be removed (${reason}); the next smoke deploy tries again`);
      }
    };
    // Building first: it might still upload.
    await this.register?.rest();
    for (const name of this.#apps) {
      await attempt(`app ${name}`, () => heroku.deleteApp(name));
      if (leftovers.length === 0) await attempt(`the note of app ${name}`, async () => this.register?.forget(name));
    }
    if (objects === undefined) return leftovers;
    await Promise.all([...this.#keys].map((key) => attempt(key, () => objects.removeKey(key))));
    // By its note the next one finds what is still there.
    const noted = leftovers.some((what) => this.#keys.has(what));
    const prefixes = [...this.#prefixes].filter((prefix) => !noted || !prefix.startsWith(SMOKE_OBJECT_PREFIX));
    await Promise.all(prefixes.map((prefix) => attempt(`objects under ${prefix}`, () => objects.remove(prefix))));
    return leftovers;
  }
}
