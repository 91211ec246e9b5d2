import { halcyonBucket, type Reach } from '../../../../lib/contract/index.js';
import type { PackagesPort } from '../../../../lib/engine/ports/ports.js';
import type { Process } from './process.js';

/** What is stored, by `bucket/prefix`. */
export class Packages {
  readonly all = new Map<string, Set<string>>();

  /** Those that were there when the file last changed: no app may be sent to a place that lacks one. */
  #old = new Set<string>();
  isOld(name: string): boolean {
    return this.#old.has(name);
  }
  fileChanges(): void {
    this.#old = new Set([...this.all.values()].flatMap((names) => [...names]));
  }
  add(place: string, name: string): void {
    this.in(place).add(name);
  }

  in(place: string): Set<string> {
    const found = this.all.get(place) ?? new Set<string>();
    this.all.set(place, found);
    return found;
  }

  /** Of `from`, what `to` lacks. */
  lacking(from: string, to: string): string[] {
    return [...this.in(from)].filter((name) => !this.in(to).has(name));
  }

  port(process: Process): PackagesPort {
    const place = ({ bucketName, prefix }: Reach) => halcyonBucket(bucketName, prefix);
    const count = (names: readonly string[]) => ({ objects: names.length, bytes: names.length });
    return {
      missing: (from, to) => process.look('ListObjects', () => count(this.lacking(place(from), place(to)))),
      copy: async (from, to, { guard }) => {
        const names = this.lacking(place(from), place(to));
        for (const name of names) {
          await guard();
          await process.effect('CopyObject', () => void this.in(place(to)).add(name));
        }
        return count(names);
      },
    };
  }
}
