import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { registerSecret } from '../../lib/io/redaction.js';
import { renderTable } from '../../lib/io/table.js';

const plain = (head: string[], rows: string[][]) => stripVTControlCharacters(renderTable(head, rows)).split('\n');

test('columns are as wide as their widest cell, bold or not, and lines end with no spaces', () => {
  expect(
    plain(
      ['', 'app', 'mode'],
      [
        ['✔', '\u001b[1mpayments\u001b[22m', 'upload'],
        ['', 'web', ''],
      ],
    ),
  ).toEqual(['   app       mode', '✔  payments  upload', '   web']);
});

test('a cell may have lines; without rows there is the heading', () => {
  expect(
    plain(
      ['a', 'b'],
      [
        ['one\ntwo', 'x'],
        ['three', 'y\nz'],
      ],
    ),
  ).toEqual(['a      b', 'one    x', 'two', 'three  y', '       z']);
  expect(plain(['a', 'b'], [])).toEqual(['a  b']);
});

const KEYS: [string[], string[][]] = [
  ['', 'principal', 'key', 'why'],
  [
    ['✔', 'payments/upload', 'AKIA08EA606C23914C89', '\u001b[1mit is the current one, and every app has it\u001b[22m'],
    ['✘', 'payments/read-only', 'AKIA799CD80CF9EC4718', 'unknown'],
  ],
];
const inRoom = (room: number) => stripVTControlCharacters(renderTable(...KEYS, room)).split('\n');

test('where a terminal is too narrow for it, wide cells are wrapped, and the ids of keys are not', () => {
  expect(inRoom(70)).toEqual([
    '   principal           key                   why',
    '✔  payments/upload     AKIA08EA606C23914C89  it is the current one,',
    '                                             and every app has it',
    '✘  payments/read-only  AKIA799CD80CF9EC4718  unknown',
  ]);
  expect(inRoom(88)).toEqual(inRoom(Infinity));
});

test('where that does not do each cell has lines of its own', () => {
  expect(inRoom(40)).toEqual([
    ...['✔', 'principal  payments/upload', 'key        AKIA08EA606C23914C89', 'why        it is the current one, and'],
    ...['           every app has it', ''],
    ...['✘', 'principal  payments/read-only', 'key        AKIA799CD80CF9EC4718', 'why        unknown'],
  ]);
  expect(inRoom(20).filter((line) => line.length > 20)).toEqual([]);
});

test('20,000 rows are laid out with each cell read once', () => {
  let reads = 0;
  const cells = (row: string[]) =>
    new Proxy(row, { get: (of, name) => ((reads += Number(/^\d+$/.test(String(name)))), Reflect.get(of, name)) });
  const rows = Array.from({ length: 20_000 }, (_, n) => cells(['team', `app-${n}`, 'read-only', 'halcyon-team', 'team/read-only']));
  expect(plain(['team', 'app', 'mode', 'bucket', 'principal'], rows)).toHaveLength(20_001);
  expect(reads).toBe(100_000);
});

test.each([60, 40, 0])('a secret is none that wrapping would hide: %i columns', (room) => {
  const secret = 'canary/of+a/secret/that/is/forty/chars/0';
  registerSecret(secret);
  const shown = inPieces(
    renderTable(['what', 'why'], [['payments-builder', `AWS says: ${secret} is no key of ours, and cannot be used`]], room),
  );
  for (const piece of [secret.slice(0, 12), secret.slice(-12)]) expect(shown.includes(piece)).toBe(false);
});
const inPieces = (text: string) => stripVTControlCharacters(text).replaceAll(/\s+/g, '');

test('a terminal that was not told its width has room for all', () => {
  const columns = Object.getOwnPropertyDescriptor(process.stdout, 'columns');
  Object.defineProperty(process.stdout, 'columns', { value: 0, configurable: true });
  try {
    expect(plain(...KEYS)).toHaveLength(3);
  } finally {
    if (columns === undefined) Reflect.deleteProperty(process.stdout, 'columns');
    else Object.defineProperty(process.stdout, 'columns', columns);
  }
});

test('without rows there is the heading in a narrow terminal, too; what is indented stays so', () => {
  expect(stripVTControlCharacters(renderTable(['principal', 'key', 'why'], [], 10))).toBe('principal  key  why');
  expect(stripVTControlCharacters(renderTable(['a', 'b'], [['  indented text that is wide', 'x']], 26)).split('\n')[1]).toMatch(
    /^  indented/,
  );
});
