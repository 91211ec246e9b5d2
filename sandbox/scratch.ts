import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Machines (containers, say) may share a temporary directory, and each counts its processes from one. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);

/**
 * A private directory in the system's temporary one, whose name says whose it is. Its owner removes it. What owners that died without
 * a chance to left behind, goes now.
 */
export async function scratchDirectory(part: 'aws' | 'heroku'): Promise<string> {
  await sweep();
  return mkdtemp(join(tmpdir(), `halcyon-sandbox-${part}-${machine}-${process.pid}-`));
}

async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, owner, pid] = /^halcyon-sandbox-(?:aws|heroku)-([0-9a-f]{6})-(\d+)-\w+$/.exec(name) ?? [];
    if (owner !== machine || isAlive(Number(pid))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined); // another user's
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
