import { Ajv } from 'ajv';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDocument, stringify, isMap, type Document, type YAMLMap } from 'yaml';
import { parseConfig, principalsOf } from '../../lib/config/index.js';
import { normalise } from '../../lib/config/normalise.js';
import type { Problem } from '../../lib/config/model.js';
import { jsonSchema } from '../../lib/config/schema.js';
import { defaultBucketName, secretName, userName } from '../../lib/contract/index.js';
import type { KitError } from '../../lib/errors.js';
import { validFile } from './arbitrary.js';
import { EVERY } from '../support/every.js';

const style = fc.record({
  indent: fc.constantFrom(2, 4),
  collectionStyle: fc.constantFrom('any' as const, 'flow' as const, 'block' as const),
  defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_DOUBLE' as const, 'QUOTE_SINGLE' as const),
  lineWidth: fc.constantFrom(0, 40),
});

test('every valid file means the same however its YAML is written, and editors accept it too', () => {
  const editor = new Ajv({ strict: true, allErrors: true }).compile(jsonSchema());
  fc.assert(
    fc.property(validFile, style, (file, options) => {
      const text = stringify(file, options);
      expect(parseConfig(text)).toEqual(normalise(file));
      expect(editor(file)).toBe(true);
    }),
    { numRuns: EVERY ? 300 : 150 },
  );
});

test('users, secrets and buckets of every valid file have names that AWS takes', () => {
  fc.assert(
    fc.property(validFile, (file) => {
      for (const team of parseConfig(stringify(file)).teams) {
        for (const id of principalsOf(team)) {
          expect(userName(id)).toMatch(/^[\w+=,.@-]{1,64}$/);
          expect(secretName(id)).toMatch(/^[\w/+=.@-]{1,512}$/);
        }
        expect(team.bucket?.spec.name).toMatch(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/);
      }
    }),
  );
  expect(userName({ team: 'a'.repeat(20), access: 'append-only', app: 'b'.repeat(30) }).length).toBeLessThanOrEqual(64);
  expect(defaultBucketName('a'.repeat(20), '111122223333', 'ap-southeast-1').length).toBeLessThanOrEqual(63);
});

test('a mistake is pointed at wherever it is put, and nothing else is blamed', () => {
  const mappings = (document: Document): YAMLMap[] => {
    const found: YAMLMap[] = [];
    const walk = (node: unknown, path: string[]): void => {
      if (!isMap(node)) return;
      const named = ['buckets', 'teams', 'apps', 'tags'].includes(path.at(-1) ?? '') && !path.slice(-2, -1).includes('tags');
      if (!named) found.push(node);
      for (const pair of node.items) walk(pair.value, [...path, String((pair.key as { value: unknown }).value)]);
    };
    walk(document.contents, []);
    return found;
  };
  fc.assert(
    fc.property(validFile, style, fc.nat(), (file, options, pick) => {
      const document = parseDocument(stringify(file, { ...options, aliasDuplicateObjects: false }));
      const all = mappings(document);
      all[pick % all.length]!.set('zzqqzz', 'x');
      const text = document.toString(options);
      let problems: Problem[] = [];
      try {
        parseConfig(text);
      } catch (error) {
        problems = (error as KitError).details?.problems as Problem[];
      }
      const before = text.slice(0, /["']?zzqqzz/.exec(text)!.index).split('\n');
      expect(problems.map(({ line, column, message }) => ({ line, column, message }))).toEqual([
        { line: before.length, column: before.at(-1)!.length + 1, message: 'is not known here' },
      ]);
    }),
    { numRuns: EVERY ? 300 : 150 },
  );
});
