/** What goes wrong: an answer in place of the real one, a connection broken before or after the work was done, a slow or cut body. */
export type FaultKind = '429' | '503' | 'reset-before' | 'reset-after' | 'slow' | 'cut';

export interface Fault {
  readonly kind: FaultKind;
  /** Default: any. */
  readonly method?: string;
  /** Path pattern with `*` for anything but a slash and `**` for anything, or a regular expression. Default: any. */
  readonly path?: string | RegExp;
  /** How many requests it hits; default 1. */
  readonly times?: number;
  /** How many matching requests it lets through first; default 0. */
  readonly after?: number;
  /** Hits each so-manieth of the matching requests alone; default 1: all of them. */
  readonly every?: number;
  /** For `slow`: pause before the answer; default 1,000. */
  readonly delayMs?: number;
}

/** Fault switches, each with its own count. */
export class Faults {
  private active: Array<{ fault: Fault; skip: number; left: number; seen: number }> = [];

  add(fault: Fault): void {
    this.active.push({ fault, skip: fault.after ?? 0, left: fault.times ?? 1, seen: 0 });
  }

  clear(): void {
    this.active = [];
  }

  /** The fault that hits this request, counted as used. */
  take(method: string, path: string): Fault | undefined {
    for (const entry of this.active) {
      if (entry.left === 0 || !hits(entry.fault, method, path)) continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        continue;
      }
      entry.seen += 1;
      if (entry.seen % (entry.fault.every ?? 1) !== 0) continue;
      entry.left -= 1;
      return entry.fault;
    }
    return undefined;
  }
}

function hits(fault: Fault, method: string, path: string): boolean {
  if (fault.method !== undefined && fault.method.toUpperCase() !== method) return false;
  if (fault.path === undefined) return true;
  return (fault.path instanceof RegExp ? fault.path : globPattern(fault.path)).test(path);
}

function globPattern(glob: string): RegExp {
  const parts = glob
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('')}$`);
}
