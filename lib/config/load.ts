import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { KitError } from '../errors.js';
import { readDocument } from './document.js';
import type { KitConfig, Problem } from './model.js';
import { normalise } from './normalise.js';
import { configInvalid, shapeProblems } from './problems.js';
import { RULES, salvage } from './rules/index.js';
import { fileSchema } from './schema.js';

/**
 * Read, check and normalise a halcyon.yaml; `-` is stdin.
 * @throws KitError `config-not-found`, `config-unreadable`, or `config-invalid` as {@link parseConfig} does.
 */
export async function loadConfig(path: string): Promise<KitConfig> {
  return parseConfig(await configText(path), path);
}

let stdin: Promise<string> | undefined;

/** The file as it is written. @throws KitError `config-not-found`, `config-unreadable`. */
export async function configText(path: string): Promise<string> {
  if (path === '-') return (stdin ??= readAll(process.stdin));
  const file = resolve(path);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new KitError(
        'config-not-found',
        `there is no ${display(file)}; make one with "halcyon-kit init", or name it with --config FILE`,
        { cause: error },
      );
    const why = code === 'EISDIR' ? 'it is a directory; name the file in it' : message;
    throw new KitError('config-unreadable', `cannot read ${display(file)}: ${why}`, { cause: error });
  }
}

/**
 * Check and normalise the text of a halcyon.yaml.
 * @param file - where it is from, for messages and {@link KitConfig.file}; `-` is stdin.
 * @throws KitError `config-invalid`, with every problem in its message and in `details.problems` (see {@link Problem}).
 */
export function parseConfig(text: string, file?: string): KitConfig {
  const label = file === undefined ? 'halcyon.yaml' : display(file);
  const document = readDocument(text);
  const { data } = document;
  if (data === undefined) throw configInvalid(document.problems, label);
  const refuse = (message: string, hint: string) => configInvalid([document.problem([], message, { hint })], label);
  if (data === null) throw refuse('the file is empty', 'begin with "teams:"; "halcyon-kit init --dry-run" prints an example');
  if (typeof data !== 'object' || Array.isArray(data)) throw refuse('the file must be a mapping', 'begin with "teams:"');
  if (!('teams' in data) && !('buckets' in data))
    throw refuse('the file names no team', 'add "teams:"; "halcyon-kit init --dry-run" prints an example');

  const parsed = fileSchema.safeParse(data, { reportInput: true });
  const { problems, bad } = parsed.success ? { problems: [], bad: [] } : shapeProblems(parsed.error.issues, document);
  const all: Problem[] = [...document.problems, ...problems];
  const draft = salvage(data, bad);
  for (const rule of RULES) rule(draft, (path, message, options) => all.push(document.problem(path, message, options)));
  if (all.length > 0 || !parsed.success) throw configInvalid(all, label);
  return normalise(parsed.data, file === undefined || file === '-' ? undefined : resolve(file));
}

/** How messages call the file: relative to where the operator is, where that is shorter. */
export function display(file: string): string {
  if (file === '-') return '<stdin>';
  const near = relative(process.cwd(), resolve(file));
  return near !== '' && !near.startsWith('..') ? near : file;
}
