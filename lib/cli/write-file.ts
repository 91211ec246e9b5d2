import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { KitError } from '../errors.js';
import { outgoing } from '../io/redaction.js';

/**
 * Write a file whole: who reads it meanwhile has the one before.
 * @param mode - 0o600: for its owner's eyes alone.
 * @throws KitError `file-not-written`.
 */
export async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(beside, outgoing(text), { mode });
    // Whatever the umask says.
    await chmod(beside, mode);
    await rename(beside, file);
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw new KitError('file-not-written', `cannot write ${file}: ${(cause as Error).message}`, { cause });
  }
}
