import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defaultConfig } from '../../lib/cli/default-config.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'halcyon-where-'));
  mkdirSync(join(dir, 'apps/one'), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const found = (from: string, env: NodeJS.ProcessEnv = {}) => defaultConfig(env, join(dir, from))[0];

test('the nearest file upwards, in either spelling', () => {
  expect(found('apps/one')).toBe('halcyon.yaml');
  writeFileSync(join(dir, 'halcyon.yaml'), '');
  expect(found('')).toBe('halcyon.yaml');
  expect(found('apps/one')).toBe('../../halcyon.yaml');
  writeFileSync(join(dir, 'apps/halcyon.yml'), '');
  expect(found('apps/one')).toBe('../halcyon.yml');
});

test('HALCYON_CONFIG comes first', () => {
  writeFileSync(join(dir, 'halcyon.yaml'), '');
  expect(found('', { HALCYON_CONFIG: 'other.yaml' })).toBe('other.yaml');
});
