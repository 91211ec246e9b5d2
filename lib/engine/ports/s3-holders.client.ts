import { z } from 'zod';
import { holdersKey } from '../../contract/index.js';
import { isKitError, KitError } from '../../errors.js';
import type { HolderRecord, HoldersPort, ObjectStore } from './ports.js';

type Place = Parameters<HoldersPort['read']>[1];

/** One of the kit's own objects, by its key; undefined where nobody knows the bucket. */
export type ObjectIn = (place: Place, key: string) => Promise<ObjectStore | undefined>;

const RECORD = z.object({
  holders: z.array(z.object({ id: z.string(), app: z.string() })),
  making: z.object({ at: z.iso.datetime(), before: z.array(z.string()) }).optional(),
});

/**
 * The record of holders: an object per user, in the bucket that the user may reach. Lost, it costs safety for apps that left the file, and
 * no more.
 */
export function s3Holders(objectIn: ObjectIn): HoldersPort & { forget(user: string, place: Place, id: string): Promise<void> } {
  const find = async (user: string, place: Place) => {
    const store = await objectIn(place, holdersKey(user));
    if (store === undefined) return undefined;
    try {
      const found = await store.read();
      return { store, etag: found?.etag, record: found === undefined ? { holders: [] } : recordIn(found.body, store.place) };
    } catch (error) {
      // A bucket that is gone holds no record, nor will it.
      if (isKitError(error, 'bucket-missing')) return undefined;
      throw error;
    }
  };
  const change = async (user: string, place: Place, edit: (record: HolderRecord) => HolderRecord): Promise<void> => {
    const found = await find(user, place);
    if (found === undefined) return;
    const { store, etag } = found;
    const body = `${JSON.stringify({ version: 1, user, ...edit(found.record) })}\n`;
    const written = etag === undefined ? await store.create(body) : await store.replace(body, etag);
    if (written === undefined) throw new KitError('state-changed', `${store.place} was written by another meanwhile; looking again`);
  };
  return {
    read: async (user, place) => (await find(user, place))?.record,
    add: (user, place, more, gone = []) =>
      change(user, place, (record) => {
        const all = new Map([...record.holders, ...more].map((holder) => [holder.id, holder]));
        return { ...record, holders: [...all.values()].filter(({ id }) => !gone.includes(id)) };
      }),
    forget: (user, place, id) =>
      change(user, place, (record) => ({ ...record, holders: record.holders.filter((holder) => holder.id !== id) })),
    making: (user, place, making) => change(user, place, (record) => ({ ...record, making })),
    async remove(user, place) {
      const found = await find(user, place);
      if (found?.etag !== undefined) await found.store.remove(found.etag);
    },
  };
}

export function recordIn(body: string, place: string): HolderRecord {
  try {
    return RECORD.parse(JSON.parse(body));
  } catch (error) {
    throw new KitError(
      'holders-unreadable',
      `the record of apps that hold keys, ${place}, is not as the kit writes it (${(error as Error).message}); restore its version before, or delete it if no app outside the file has a key`,
      { cause: error },
    );
  }
}
