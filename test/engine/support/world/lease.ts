import type { LeaseStore } from '../../../../lib/engine/ports/ports.js';
import type { Process, Shared } from './process.js';

/** The one object of S3, with its conditional writes. */
export class LeaseObject {
  object?: { body: string; etag: string; at: number };
  constructor(private readonly shared: Shared) {}

  port(process: Process): LeaseStore {
    const write = (body: string): string => {
      this.object = { body, etag: `e${this.shared.serial()}`, at: this.shared.now };
      return this.object.etag;
    };
    return {
      place: 's3://bucket/lease',
      create: (body) => process.effect('PutObject lease', () => (this.object === undefined ? write(body) : undefined)),
      read: () =>
        process.look(
          'GetObject lease',
          () => this.object && { body: this.object.body, etag: this.object.etag, ageMs: this.shared.now - this.object.at },
        ),
      replace: (body, etag) => process.effect('PutObject lease', () => (this.object?.etag === etag ? write(body) : undefined)),
      remove: (etag) =>
        process.effect('DeleteObject lease', () => {
          if (this.object?.etag === etag) this.object = undefined;
        }),
    };
  }
}
