import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../lib/error-codes.js';
import { isKitError, KitError } from '../lib/errors.js';
import { errorsPage } from '../script/errors.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The code of the project, without tests, comments, and what only asks for a code. */
const thrown = ['lib', 'accept', 'bin', 'sandbox']
  .flatMap((dir) => readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name)))
  .filter((path) => path.endsWith('.ts') && !/node_modules|\/test\/|error-codes/.test(path))
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n')
  .replace(/\/\*\*[^]*?\*\/|\/\/.*|\b(isKitError|unless)\([^)]*\)/g, '');

describe('error codes', () => {
  const codes = Object.values(ERROR_CODES).flatMap((group) => Object.entries(group));

  test.each(codes)('%s is thrown somewhere, and explained in one line', (code, text) => {
    expect(thrown).toContain(`'${code}'`);
    expect(code).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(text).toMatch(/^[^\n]{20,120}[^.\n]$/);
    expect(text).toContain(';');
  });

  test('stand in the list once each', () => {
    expect(new Set(codes.map(([code]) => code)).size).toBe(codes.length);
  });

  test('a code that is not in the list does not compile', () => {
    // @ts-expect-error no such code
    const error = new KitError('app-not-fuond', 'no such app');
    // @ts-expect-error no such code
    expect(isKitError(error, 'app-not-found-either')).toBe(false);
    const known: ErrorCode = 'app-not-found';
    expect(isKitError(new KitError(known, 'no such app'), known)).toBe(true);
  });

  test('docs/errors.md is what `npm run errors` makes', async () => {
    expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toBe(await errorsPage());
  });
});
