import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { CommandHost } from '../../lib/cli/command.js';
import { init } from '../../lib/commands/init.js';
import { SCHEMA_PATH } from '../../lib/config/starter.js';
import { silentIo } from '../../lib/io/io-host.js';

const host = { io: silentIo, env: {}, signal: new AbortController().signal } as unknown as CommandHost;

test('a file that others have as well names no path of this machine; where the kit is in the project, its schema there', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'halcyon-init-'));
  const written = async (name: string) => {
    const config = join(dir, name);
    const { text } = await init({ config, account: '111122223333', region: 'eu-west-1' }, host);
    return { said: text, first: readFileSync(config, 'utf8').split('\n')[0] };
  };
  const alone = await written('halcyon.yaml');
  expect(alone.first).toMatch(/^# Private storage/);
  expect(alone.said).toMatch(/editors complete and check it by \/.*schema\/halcyon\.schema\.json$/m);
  mkdirSync(dirname(join(dir, SCHEMA_PATH)), { recursive: true });
  writeFileSync(join(dir, SCHEMA_PATH), '{}');
  const installed = await written('other.yaml');
  expect(installed.first).toBe(`# yaml-language-server: $schema=${SCHEMA_PATH}`);
  expect(installed.said).not.toContain('editors');
});
