import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Team } from '../config/model.js';
import { journalPrefix } from '../contract/index.js';
import type { Event, Intent, TeamResult } from '../engine/model.js';
import { outgoing } from '../io/redaction.js';
import { thisProcess } from '../lease-owner.js';
import type { Session } from './session.js';

/** What one run did to one team: who, when, what, and by which file. Without secrets. */
const ENTRY = z.object({
  version: z.literal(1),
  began: z.iso.datetime(),
  /** Absent where it has not ended, or was killed. */
  ended: z.iso.datetime().optional(),
  who: z.string(),
  intent: z.string(),
  /** Where its intent does not tell. */
  command: z.string().optional(),
  /** Digest of what the file meant. */
  file: z.string(),
  status: z.string(),
  summary: z.string(),
  events: z.array(z.object({ at: z.string(), step: z.string(), text: z.string() }).loose()),
});
export type Entry = Omit<z.infer<typeof ENTRY>, 'events'> & { readonly events: readonly Event[] };

/** An object of its own for each run: nobody waits for anybody, and none is ever written over by another. */
export class Journal {
  readonly #key: string;
  #entry: Entry;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly session: Session,
    private readonly team: Team,
    intent: Intent,
    command?: string,
  ) {
    const began = new Date().toISOString();
    this.#key = `${journalPrefix(team.name)}${began}-${randomUUID().slice(0, 8)}.json`;
    const { who } = thisProcess(0, Date.parse(began));
    const what = { intent: intent.kind, ...(command === undefined ? {} : { command }) };
    this.#entry = { version: 1, began, who, ...what, file: session.fileDigest, status: 'begun', summary: '', events: [] };
  }

  /** The first is written at once: whoever was killed is named all the same. */
  add(event: Event): void {
    this.#entry = { ...this.#entry, events: [...this.#entry.events, event] };
    if (this.#entry.events.length === 1) this.#write();
  }

  /** @returns the entry; a run that did nothing, and had nothing to do or found another at work, leaves none. */
  async end({ status, summary, error }: Pick<TeamResult, 'summary' | 'error'> & { readonly status: string }): Promise<Entry | undefined> {
    if (this.#entry.events.length === 0 && (status !== 'failed' || error?.code === 'lease-held')) return undefined;
    this.#entry = { ...this.#entry, ended: new Date().toISOString(), status, summary };
    this.#write();
    await this.#writing;
    return this.#entry;
  }

  /** What cannot be written stops no run. */
  #write(): void {
    const { session, team } = this;
    const body = outgoing(JSON.stringify(this.#entry));
    this.#writing = this.#writing.then(async () => {
      if (team.bucket === undefined) return;
      const { Objects } = await import('../smoke/objects.client.js');
      const objects = new Objects(session.aws(team.bucket.spec.region), team.bucket.spec);
      await objects.put(this.#key, body).catch((error: Error) => session.host.io.debug(`the journal of ${team.name}: ${error.message}`));
    });
  }
}

/** A team's entries since then, the oldest first. What is no entry is passed over. */
export async function entriesSince(session: Session, { name, bucket }: Team, since: Date): Promise<Entry[]> {
  if (bucket === undefined) return [];
  const { Objects } = await import('../smoke/objects.client.js');
  const prefix = journalPrefix(name);
  const found = await new Objects(session.aws(bucket.spec.region), bucket.spec).read(prefix, `${prefix}${since.toISOString()}`);
  return found.flatMap(({ body }) => {
    try {
      return [ENTRY.parse(JSON.parse(body)) as Entry];
    } catch {
      return [];
    }
  });
}
