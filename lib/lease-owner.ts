import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';

/** Who holds something that others must leave alone while they live: what a lease, or the note of a smoke deploy's app, contains. */
export interface LeaseOwner {
  readonly id: string;
  /** `user@host`. */
  readonly who: string;
  readonly pid: number;
  /** Tells one running system, and one space of process ids in it, from another; '' where that cannot be told. */
  readonly machine: string;
  readonly since: string;
  /** Life without renewal, ms. */
  readonly ttl: number;
}

export function thisProcess(ttl: number, now: number): LeaseOwner {
  let user = 'unknown';
  try {
    user = userInfo().username;
  } catch {
    // No entry for this uid, as in some containers.
  }
  return {
    id: randomUUID(),
    who: `${user}@${hostname()}`,
    pid: process.pid,
    machine: machineId(),
    since: new Date(now).toISOString(),
    ttl,
  };
}

export function parseOwner(body: string): LeaseOwner | undefined {
  try {
    const value = JSON.parse(body) as Partial<LeaseOwner> | null;
    return typeof value?.id === 'string' && typeof value.ttl === 'number' && typeof value.since === 'string'
      ? (value as LeaseOwner)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A process of this very system that no longer runs. */
export function isDead(other: LeaseOwner, self: LeaseOwner): boolean {
  return other.machine !== '' && other.machine === self.machine && !isRunning(other.pid);
}

/** Whether this system has such a process, whoever's it is. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Host, boot, and process-id namespace: containers of one host share the first two. */
function machineId(): string {
  try {
    const boot =
      process.platform === 'darwin'
        ? execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' })
        : `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')}${readlinkSync('/proc/self/ns/pid')}`;
    return createHash('sha256').update(`${hostname()}\n${boot}`).digest('hex').slice(0, 16);
  } catch {
    return '';
  }
}
