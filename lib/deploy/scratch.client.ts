import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAMED = 'halcyon-kit-synth-';
const OURS = new RegExp(`^${NAMED}\\w{6}$`);
const DAY_MS = 24 * 60 * 60_000;

/** A directory for the length of a synthesis, which takes seconds. What others left that were killed in theirs goes: by its age, as who is in another container cannot be asked. */
export async function scratchDirectory(): Promise<string> {
  // It may be written and not listed.
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    if (!OURS.test(name)) continue;
    const left = join(tmpdir(), name);
    try {
      const is = await lstat(left);
      if (is.isDirectory() && is.uid === process.getuid?.() && is.mtimeMs < Date.now() - DAY_MS) await rm(left, { recursive: true });
    } catch {
      // Gone by now.
    }
  }
  return mkdtemp(join(tmpdir(), NAMED));
}
