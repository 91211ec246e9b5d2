import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { identity } from '../../lib/aws/identity.js';
import { networkOf } from '../../lib/network/network.js';

let dir: string;
let server: Server | undefined;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'aws-'))));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  server?.close();
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

test.each([
  ['that takes no connection is given up after a second attempt where AWS never answered', false, undefined, 2],
  ['that takes none is tried again where it did', true, undefined, 3],
  // As the SDK names what it sent, and saw no answer to, as well.
  ['that is given up otherwise is tried again', false, Object.assign(new Error('inactivity'), { name: 'TimeoutError' }), 3],
])('an endpoint %s', async (_, answered, fault, attempts) => {
  server = createServer((_, res) =>
    res.end(
      '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn><UserId>u</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
    ),
  );
  await new Promise<void>((ready) => server?.listen(0, '127.0.0.1', ready));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://localhost:${(server.address() as AddressInfo).port}`);
  let [drops, lookups] = [!answered, 0];
  // What nobody answers, as a host that drops packets does not.
  const lookup = (...[, , done]: unknown[]) => {
    if (drops) lookups += 1;
    if (drops && fault) (done as (error: Error) => void)(fault);
    if (!drops) (done as (error: null, addresses: unknown) => void)(null, [{ address: '127.0.0.1', family: 4 }]);
  };
  const agents = async () => ({ httpAgent: new Agent({ lookup: lookup as never }) });
  const key = { accessKeyId: 'AKIAANY', secretAccessKey: 'a-secret-of-any-key' };
  const aws = createAws({ region: 'eu-west-1', key, maxAttempts: 3, network: { ...networkOf({}), agents } });
  if (answered) expect((await identity(aws)).account).toBe('111122223333');
  drops = true;
  server.closeAllConnections();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const failed = expect(identity(aws)).rejects.toMatchObject({
    code: 'aws-unreachable',
    cause: expect.any(Error),
    message: expect.stringMatching(/AWS cannot be reached .*check the network, the region and AWS_ENDPOINT_URL/),
  });
  const over = failed.then(() => true);
  for (let ended = false; !ended;) ended = await Promise.race([over, vi.advanceTimersByTimeAsync(1000).then(() => false)]);
  expect(lookups).toBe(attempts);
});
