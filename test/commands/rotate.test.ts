import { describe, expect, test } from 'vitest';
import { parseDuration } from '../../lib/cli/duration.js';
import { intentOf, parseWaves } from '../../lib/commands/rotate.js';

describe('durations', () => {
  test.each([
    ['90d', 7_776_000_000],
    ['24h', 86_400_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
    ['2w', 1_209_600_000],
  ])('%s', (text, ms) => expect(parseDuration(text, '--soak')).toBe(ms));

  test.each(['', '90', 'd', '-1d', '1 day', '1y'])('"%s" is refused, with what is taken', (text) =>
    expect(() => parseDuration(text, '--max-age')).toThrow(/--max-age takes a number with a unit .* got/),
  );
});

describe('waves', () => {
  test('counts and percentages', () => expect(parseWaves('1, 10%,100%')).toEqual(['1', '10%', '100%']));
  test.each(['0', '101%', '', '1,,2', 'all'])('"%s" is refused', (text) => expect(() => parseWaves(text)).toThrow(/--waves takes/));
});

describe('what rotate is asked for', () => {
  test.each([
    [{}, { kind: 'rotate', due: false }],
    [{ due: true }, { kind: 'rotate', due: true }],
    [{ finish: true }, { kind: 'finish' }],
    [{ undo: true }, { kind: 'undo' }],
    [{ emergency: 'AKIA1' }, { kind: 'emergency', keyId: 'AKIA1' }],
    [{ deleteUnknownKey: 'AKIA2' }, { kind: 'delete-unknown', keyId: 'AKIA2' }],
  ])('%j', (options, intent) => expect(intentOf(options)).toEqual(intent));

  test('two things at once are refused', () =>
    expect(() => intentOf({ undo: true, emergency: 'AKIA1' })).toThrow('give one of --undo, --emergency, not several'));
});
