import type { Readable } from 'node:stream';
import { z } from 'zod';
import { KitError } from '../errors.js';
import { cut, printable } from '../io/printable.js';

/** What comes from outside is not believed before it was looked at: how long it is, and what shape it has. */

/** Bytes of one answer, or one stream, at most. */
export const LONGEST_ANSWER = 16 * 1024 * 1024;
/** Pages of one list, at most. */
export const MOST_PAGES = 500;

/** A name or id, which is shown and asked for again. */
export const shown = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'control characters');

/** Who was asked for what: `Heroku`, `GET /apps`. */
export interface Asked {
  readonly service: string;
  readonly request: string;
}

/** @param path - the field; '' for the whole. @param why - quotes nothing of the answer, which may hold secrets. */
export function unexpectedAnswer({ service, request }: Asked, why: string, path = ''): KitError {
  const where = cut(printable(path), 200);
  return new KitError(
    'unexpected-answer',
    `${service}'s answer to ${cut(request, 300)} is not as documented: ${where === '' ? '' : `${where}: `}${why}; run again, and report it if that does not help`,
    { details: { service, request, ...(where === '' ? {} : { path: where }) } },
  );
}

/** `value` as `shape` has it. @throws KitError `unexpected-answer`, which names the first field that differs. */
export function inShape<T>(shape: z.ZodType<T>, value: unknown, asked: Asked): T {
  const { success, data, error } = shape.safeParse(value);
  if (success) return data;
  const { path, message } = error.issues[0] as z.core.$ZodIssue;
  throw unexpectedAnswer(asked, message.replace(/^Invalid (input|option): /, '').replace(/^I(?=nvalid)/, 'i'), path.join('.'));
}

/** All of a body. @throws KitError `unexpected-answer` where it is too long: then no more of it is read. */
export async function bodyOf(answer: Readable, asked: Asked, most = LONGEST_ANSWER): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if ((length += chunk.length) > most) throw tooLong(asked, most);
  }
  return Buffer.concat(chunks);
}

export const tooLong = (asked: Asked, most = LONGEST_ANSWER): KitError => unexpectedAnswer(asked, `longer than ${most / 2 ** 20} MB`);
