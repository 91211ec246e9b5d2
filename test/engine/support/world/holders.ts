import type { Holder, Making } from '../../../../lib/engine/model.js';
import type { HoldersPort } from '../../../../lib/engine/ports/ports.js';
import type { Process } from './process.js';

/** The record of who was ever given a key, by user. */
export class Holders {
  readonly all = new Map<string, readonly Holder[]>();
  readonly making = new Map<string, Making | undefined>();

  port(process: Process): HoldersPort {
    return {
      read: (user) => process.look('GET holders', () => ({ holders: this.all.get(user) ?? [], making: this.making.get(user) })),
      add: (user, _place, more, gone = []) =>
        process.effect('PUT holders', () => {
          const known = this.all.get(user) ?? [];
          const all = [...known, ...more.filter(({ id }) => !known.some((holder) => holder.id === id))];
          this.all.set(
            user,
            all.filter(({ id }) => !gone.includes(id)),
          );
        }),
      making: (user, _place, making) => process.effect('PUT holders', () => void this.making.set(user, making)),
      remove: (user) => process.effect('DELETE holders', () => void (this.all.delete(user), this.making.delete(user))),
    };
  }
}
