import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ErrorCode } from '../error-codes.js';
import { KitError } from '../errors.js';

/** The text of a file that an option names; `-` is stdin. @throws KitError `code`. */
export async function textGiven(file: string, code: ErrorCode): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(resolve(file), 'utf8');
  } catch (cause) {
    throw new KitError(code, `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
