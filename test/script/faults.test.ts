import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { SUITES } from '../../script/mutate/fault.js';
import { FAULTS } from '../../script/mutate/faults.js';
import { broken } from '../../script/mutate/workbench.js';

describe('the list of faults', () => {
  test('names each once, in kebab-case', () => {
    const names = FAULTS.map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
    expect(names.length).toBeGreaterThanOrEqual(40);
  });

  test.each(FAULTS.map((fault) => [fault.name, fault] as const))(
    '%s: its text is there exactly once, and what it leaves can be run',
    (_name, fault) => {
      const whole = readFileSync(fault.file, 'utf8');
      const wrong = broken(fault, whole);
      expect(wrong).not.toBe(whole);
      if (fault.file.endsWith('.ts')) transformSync(wrong, { loader: 'ts' });
      else execFileSync('bash', ['-n'], { input: wrong });
    },
  );

  test('is about suites that are there, each with a fault', () => {
    for (const path of Object.values(SUITES).flatMap(({ files }) => files)) expect(existsSync(path), path).toBe(true);
    expect(Object.keys(SUITES).filter((suite) => !FAULTS.some((fault) => fault.suite === suite))).toEqual([]);
  });

  test('refuses a text that is not there, or there twice', () => {
    const fault = { name: 'one', file: 'f', text: 'a', replacement: 'b', suite: 'engine' } as const;
    expect(() => broken(fault, 'xyz')).toThrow('0 times in f');
    expect(() => broken(fault, 'aa')).toThrow('2 times in f');
  });
});
