import { z } from 'zod';
import { digestOf } from '../contract/index.js';
import type { Heroku, HerokuApp } from './heroku.js';

/**
 * What apps were last seen to have, so that one which has not changed since is not asked again. That an app's `released_at` moves with every
 * change of its config vars, and its `updated_at` with one of its buildpacks, follows from what they are, but no document of Heroku's says it:
 * so a sample is asked all the same, and one contradiction ends the trust. Lost, the record costs requests and nothing else.
 */

/** What is confirmed of an app. */
export type Kind = 'configVars' | 'buildpacks';
/** When Heroku says that what holds for the kind last changed, and a digest of what the app had. */
const SEEN = z.object({ stamp: z.string(), digest: z.string() });
const ENTRY = z.object({ at: z.string(), configVars: SEEN.optional(), buildpacks: SEEN.optional() });
/** By the app's id. */
const RECORD = z.object({ version: z.literal(1), apps: z.record(z.string(), ENTRY) });
type Entry = z.infer<typeof ENTRY>;

const STAMPS: Record<Kind, (app: HerokuApp) => string | undefined> = {
  configVars: ({ releasedAt }) => releasedAt,
  buildpacks: ({ updatedAt }) => updatedAt,
};
/** A release command runs so long at most; until it ends config vars are answered as they were before. */
const RELEASE_COMMAND = 3_600_000;
/** So many are asked all the same in a run, and one more in a thousand. A fleet this small is never taken on trust. */
const SAMPLE = 10;

/** A list made so long ago says nothing of now. */
const OLD = 300_000;

/** How far records are trusted in this run, by all teams together. */
export class Trust {
  #credit = SAMPLE;
  #off = false;
  /** @param onContradiction - is told, once, the id of an app that was not as the record said. */
  constructor(private readonly onContradiction: (id: string) => void) {}

  get off(): boolean {
    return this.#off;
  }

  /** Nothing is trusted any more. */
  contradicted(id: string): void {
    if (!this.#off) this.onContradiction(id);
    this.#off = true;
  }

  /** How many of so many are asked all the same. */
  sample(of: number): number {
    this.#credit += of / 1000;
    const due = Math.min(of, Math.floor(this.#credit));
    this.#credit -= due;
    return due;
  }
}

/** The record of a team's apps. */
export class Confirmed {
  readonly #entries: Map<string, Entry>;
  readonly #sampled: ReadonlySet<string>;
  /** Ids and kinds. */
  readonly #asked = new Set<string>();
  readonly #noted = new Map<string, Entry>();
  readonly #written = new Map<string, { readonly at: number; readonly digest: string }>();

  /**
   * @param body - the record as it was kept; anything else is no record.
   * @param apps - the team's, as Heroku listed them before anything else was asked of them, by id.
   * @param listed - when, by Heroku's clock.
   */
  constructor(
    body: string | undefined,
    private apps: ReadonlyMap<string, HerokuApp>,
    private readonly heroku: Pick<Heroku, 'now' | 'appsById'>,
    private readonly trust: Trust,
    private listed: number,
  ) {
    this.#entries = new Map(Object.entries(entriesOf(body)));
    const unmoved = [...this.#entries].filter(([id, entry]) => entry.configVars?.stamp === this.#stamp(id, 'configVars'));
    const longest = unmoved.sort(([, a], [, b]) => (a.at < b.at ? -1 : 1));
    this.#sampled = new Set(longest.slice(0, trust.sample(unmoved.length)).map(([id]) => id));
  }

  /** Whether the record is trusted: not for long after the apps were listed. */
  get trusted(): boolean {
    return !this.trust.off && this.heroku.now() - this.listed < OLD;
  }

  get contradicted(): boolean {
    return this.trust.off;
  }

  /** Lists the apps again where that is long ago: a request a thousand, in place of one for each. */
  async renew(): Promise<void> {
    const now = this.heroku.now();
    if (this.trust.off || this.#entries.size === 0 || now - this.listed < OLD) return;
    this.apps = new Map((await this.heroku.appsById([...this.apps.keys()])).map((app) => [app.id, app]));
    this.listed = now;
  }

  /** Whether the app still has `value`, as far as can be told without asking it. */
  has(id: string | undefined, kind: Kind, value: unknown): boolean {
    if (id === undefined || !this.trusted || (this.#sampled.has(id) && !this.#asked.has(`${id} ${kind}`))) return false;
    return this.#claims(this.#noted.get(id) ?? this.#entries.get(id), id, kind, value);
  }

  /** The app was asked, and has `value`, or has not. */
  saw(id: string | undefined, kind: Kind, value: unknown, has: boolean): void {
    const stamp = id === undefined ? undefined : this.#stamp(id, kind);
    if (id === undefined || stamp === undefined) return;
    this.#asked.add(`${id} ${kind}`);
    if (!has) {
      if (this.#claims(this.#entries.get(id), id, kind, value)) this.trust.contradicted(id);
    } else if (kind !== 'configVars' || this.heroku.now() - Date.parse(stamp) >= RELEASE_COMMAND) {
      this.#note(id, kind, { stamp, digest: digestOf(value) });
    }
  }

  /** The app was given these config vars, and has them since then (ISO 8601, by Heroku's clock). */
  gave(id: string | undefined, configVars: unknown, at: string): void {
    if (id !== undefined) this.#written.set(id, { at: Date.parse(at), digest: digestOf(configVars) });
  }

  /** What is to be kept; undefined where nothing has become known. One request where apps were written. */
  async body(): Promise<string | undefined> {
    const written = this.#written.size === 0 ? [] : await this.heroku.appsById([...this.#written.keys()]);
    for (const { id, releasedAt: stamp } of written) {
      const { at, digest } = this.#written.get(id) ?? { at: 0, digest: '' };
      // Nobody has changed it after us, but perhaps in the same second: it is among the first to be asked all the same.
      if (stamp !== undefined && Date.parse(stamp) <= at) this.#note(id, 'configVars', { stamp, digest }, '');
    }
    if (this.#noted.size === 0 && !this.trust.off) return undefined;
    const kept = !this.trust.off ? [...this.#entries].filter(([id]) => this.apps.has(id)) : [];
    return `${JSON.stringify({ version: 1, apps: Object.fromEntries([...kept, ...this.#noted]) })}\n`;
  }

  #stamp(id: string, kind: Kind): string | undefined {
    const app = this.apps.get(id);
    return app && STAMPS[kind](app);
  }

  #claims(entry: Entry | undefined, id: string, kind: Kind, value: unknown): boolean {
    const known = entry?.[kind];
    return known !== undefined && known.stamp === this.#stamp(id, kind) && known.digest === digestOf(value);
  }

  #note(id: string, kind: Kind, seen: z.infer<typeof SEEN>, at = new Date(this.heroku.now()).toISOString()): void {
    this.#noted.set(id, { ...(this.#noted.get(id) ?? this.#entries.get(id)), at, [kind]: seen });
  }
}

function entriesOf(body: string | undefined): Record<string, Entry> {
  try {
    return RECORD.parse(JSON.parse(body ?? '')).apps;
  } catch {
    return {};
  }
}
