import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { networkOf } from '../../lib/network/network.js';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'aws-'))));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

test('credentials that a process gives are asked for once, by whatever clients and regions', async () => {
  const asked = join(dir, 'asked');
  const keys = JSON.stringify({ Version: 1, AccessKeyId: 'AKIAPROCESS', SecretAccessKey: 'canary-secret-of-the-process' });
  writeFileSync(join(dir, 'keys.json'), keys);
  writeFileSync(join(dir, 'config'), `[profile work]\ncredential_process = sh -c "echo once >> ${asked}; cat ${join(dir, 'keys.json')}"\n`);
  writeFileSync(join(dir, 'credentials'), '');
  vi.stubEnv('AWS_CONFIG_FILE', join(dir, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(dir, 'credentials'));
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
  const aws = createAws({ region: 'eu-west-1', profile: 'work', network: networkOf({}) });
  const idOf = async (one: Aws) => {
    const clients = await Promise.all([one.iam(), one.s3()]);
    return Promise.all(clients.map(async ({ config }) => (await config.credentials()).accessKeyId));
  };
  const derived = [aws, aws.once(), aws.once(async () => {}), aws.in('us-east-1'), aws.in('us-east-1').once()];
  expect(new Set((await Promise.all(derived.map(idOf))).flat())).toEqual(new Set(['AKIAPROCESS']));
  expect(readFileSync(asked, 'utf8')).toBe('once\n');
  const key = { accessKeyId: 'AKIAOTHER', secretAccessKey: 'another-secret-of-another-key' };
  expect(await idOf(aws.as(key))).toEqual(['AKIAOTHER', 'AKIAOTHER']);
});
