import type { ObjectStore } from '../../../../lib/engine/ports/ports.js';
import type { Process, Shared } from './process.js';

/** These need no guard: the condition is S3's own. */
const conditional = async (): Promise<void> => {};

/** The one object of S3, with its conditional writes. */
export class LeaseObject {
  object?: { body: string; etag: string; at: number };
  constructor(private readonly shared: Shared) {}

  port(process: Process): ObjectStore {
    const write = (body: string): string => {
      this.object = { body, etag: `e${this.shared.serial()}`, at: this.shared.now };
      return this.object.etag;
    };
    return {
      place: 's3://bucket/lease',
      create: (body) => process.effect('PutObject lease', () => (this.object === undefined ? write(body) : undefined), conditional),
      read: () =>
        process.look(
          'GetObject lease',
          () => this.object && { body: this.object.body, etag: this.object.etag, ageMs: this.shared.now - this.object.at },
        ),
      replace: (body, etag) => process.effect('PutObject lease', () => (this.object?.etag === etag ? write(body) : undefined), conditional),
      remove: (etag) =>
        process.effect(
          'DeleteObject lease',
          () => {
            if (this.object?.etag === etag) this.object = undefined;
          },
          conditional,
        ),
    };
  }
}
