import { holdersKey } from '../../contract/index.js';
import { isKitError, KitError } from '../../errors.js';
import type { Holder } from '../model.js';
import type { HoldersPort, ObjectStore } from './ports.js';

type Place = Parameters<HoldersPort['read']>[1];

/** One of the kit's own objects, by its key; undefined where nobody knows the bucket. */
export type ObjectIn = (place: Place, key: string) => Promise<ObjectStore | undefined>;

/**
 * The record of holders: an object per user, in the bucket that the user may reach. Lost, it costs safety for apps that left the file, and
 * no more.
 */
export function s3Holders(objectIn: ObjectIn): HoldersPort {
  const find = async (user: string, place: Place) => {
    const store = await objectIn(place, holdersKey(user));
    if (store === undefined) return undefined;
    try {
      const found = await store.read();
      return { store, etag: found?.etag, holders: found === undefined ? [] : holdersIn(found.body, store.place) };
    } catch (error) {
      // A bucket that is gone holds no record, nor will it.
      if (isKitError(error, 'bucket-missing')) return undefined;
      throw error;
    }
  };
  return {
    read: async (user, place) => (await find(user, place))?.holders,
    async add(user, place, more) {
      const found = await find(user, place);
      if (found === undefined) return;
      const { store, etag, holders } = found;
      const all = new Map([...holders, ...more].map((holder) => [holder.id, holder]));
      const body = `${JSON.stringify({ version: 1, user, holders: [...all.values()] })}\n`;
      const written = etag === undefined ? await store.create(body) : await store.replace(body, etag);
      if (written === undefined) throw new KitError('state-changed', `${store.place} was written by another meanwhile; looking again`);
    },
    async remove(user, place) {
      const found = await find(user, place);
      if (found?.etag !== undefined) await found.store.remove(found.etag);
    },
  };
}

function holdersIn(body: string, place: string): Holder[] {
  try {
    const { holders } = JSON.parse(body) as { holders?: unknown };
    if (!Array.isArray(holders)) throw new Error('no list of holders');
    return holders.map((holder: Partial<Holder>) => {
      if (typeof holder.id !== 'string' || typeof holder.app !== 'string') throw new Error('a holder without id or name');
      return { id: holder.id, app: holder.app };
    });
  } catch (error) {
    throw new KitError(
      'holders-unreadable',
      `the record of apps that hold keys, ${place}, is not as the kit writes it (${(error as Error).message}); restore its version before, or delete it if no app outside the file has a key`,
      { cause: error },
    );
  }
}
