import type { ObjectStore } from '../../../../lib/engine/ports/ports.js';
import type { Process, Shared } from './process.js';

/** These need no guard: the condition is S3's own. */
const conditional = async (): Promise<void> => {};

/** Leases in S3, with its conditional writes, by their places. */
export class Leases {
  readonly all = new Map<string, { body: string; etag: string; at: number }>();
  constructor(private readonly shared: Shared) {}

  port(process: Process, place: string): ObjectStore {
    const { all, shared } = this;
    const write = (body: string): string => {
      const etag = `e${shared.serial()}`;
      all.set(place, { body, etag, at: shared.now });
      return etag;
    };
    return {
      place,
      create: (body) => process.effect('PutObject lease', () => (all.has(place) ? undefined : write(body)), conditional),
      read: () =>
        process.look('GetObject lease', () => {
          const found = all.get(place);
          return found && { body: found.body, etag: found.etag, ageMs: shared.now - found.at };
        }),
      replace: (body, etag) =>
        process.effect('PutObject lease', () => (all.get(place)?.etag === etag ? write(body) : undefined), conditional),
      remove: (etag) =>
        process.effect(
          'DeleteObject lease',
          () => {
            if (all.get(place)?.etag === etag) all.delete(place);
          },
          conditional,
        ),
    };
  }
}
