import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAMED = 'halcyon-kit-';
const DAY_MS = 24 * 60 * 60_000;

/** A directory for the length of a synthesis, which takes seconds. What others left that were killed in theirs goes: by its age, as who is in another container cannot be asked. */
export async function scratchDirectory(): Promise<string> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(NAMED)) continue;
    const left = join(tmpdir(), name);
    try {
      if ((await stat(left)).mtimeMs < Date.now() - DAY_MS) await rm(left, { recursive: true });
    } catch {
      // Another user's, or gone by now.
    }
  }
  return mkdtemp(join(tmpdir(), NAMED));
}
