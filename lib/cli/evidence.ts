import { constants, fchmodSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Event } from '../engine/model.js';
import { isKitError, KitError } from '../errors.js';
import type { IoHost } from '../io/io-host.js';
import { outgoing } from '../io/redaction.js';

/** What was done, without secrets, in a file where the operator asked for one. */
export interface Evidence {
  /** What a team's run did just now. */
  event(team: string, event: Event): void;
  /** Facts of the whole command: `outcomes` have the events in them. */
  note(facts: { readonly outcomes?: unknown; readonly [fact: string]: unknown }): void;
}

const EVERY_MS = 1000;

/**
 * Do `work` with an evidence file, which is opened before anything is changed, is for its owner's eyes alone, and is brought up to date within a
 * second of every event: it is there however the run ends.
 * @throws KitError `evidence-not-written`; else what `work` throws, or why it was aborted.
 */
export async function withEvidence<T>(
  file: string | undefined,
  { io, signal }: { readonly io: IoHost; readonly signal: AbortSignal },
  work: (evidence: Evidence) => Promise<T>,
): Promise<T> {
  const written = file === undefined ? undefined : attempt(file, () => openFile(file));
  const events: object[] = [];
  let facts: Parameters<Evidence['note']>[0] = {};
  const write = () => written?.write({ ...(facts.outcomes === undefined ? { events } : {}), ...facts });
  let resting: NodeJS.Timeout | undefined;
  let unwritten = false;
  /** At once, but for events that come within a second of the last writing: it is written whole each time. */
  const soon = (): void => {
    unwritten = resting !== undefined;
    if (unwritten) return;
    quietly(write);
    resting = setTimeout(() => {
      resting = undefined;
      if (unwritten) soon();
    }, EVERY_MS).unref();
  };
  try {
    const result = await work({
      event(team, event) {
        events.push({ team, ...event });
        // Whatever takes no second writing gets it at the end; a full disk stops no rotation half way, and is told then.
        if (written?.regular) soon();
      },
      note: (more) => void (facts = { ...facts, ...more }),
    });
    if (file === undefined) return result;
    attempt(file, write);
    io.info(`evidence written to ${file}`);
    return result;
  } catch (thrown) {
    // Whatever an interruption looks like from within (a cancelled request, say), it is one.
    const error = (signal.aborted ? signal.reason : thrown) as Error;
    facts = { ...facts, error: { code: isKitError(error) ? error.code : 'bug', message: error.message } };
    quietly(write);
    throw error;
  } finally {
    clearTimeout(resting);
  }
}

function openFile(file: string) {
  const fd = openSync(file, constants.O_WRONLY | constants.O_CREAT, 0o600);
  const regular = fstatSync(fd).isFile();
  if (regular) fchmodSync(fd, 0o600);
  return {
    regular,
    write(facts: object): void {
      const bytes = Buffer.from(outgoing(`${JSON.stringify(facts, null, 2)}\n`));
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, regular ? at : null);
      if (regular) ftruncateSync(fd, bytes.length);
    },
  };
}

function attempt<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new KitError('evidence-not-written', `cannot write the evidence to ${file}: ${(cause as Error).message}`, { cause });
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // It is tried again by the next event, and at the end.
  }
}
