import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { startProxy } from '../support/proxy.js';
import { Workplace } from './support/target.js';

/** The built kit in a sandbox whose ports it is not told: only the proxy knows the way. */
const FILE = `teams:
  payments:
    bucket: { account: "111122223333", region: eu-west-1 }
    apps: { proxied-web: { mode: upload }, proxied-api: { mode: read-only } }
`;
const AWS = 'localhost:1';
const HEROKU = 'localhost:2';
let sandbox: Sandbox;
let work: Workplace;
beforeAll(async () => {
  sandbox = await startSandbox({ heroku: { upstreamDir: null } });
  for (const app of ['proxied-web', 'proxied-api']) await sandbox.heroku.ensureApp(app, { buildpacks: [HASKELL_ON_HEROKU] });
  work = new Workplace(sandbox.env);
  work.write(FILE);
});
afterAll(async () => {
  work?.remove();
  await sandbox?.stop();
});
const HASKELL_ON_HEROKU = 'https://github.com/mietek/haskell-on-heroku';
const portOf = (url: string) => Number(new URL(url).port);
const hidden = { AWS_ENDPOINT_URL: `https://${AWS}`, HEROKU_HOST: `http://${HEROKU}` };
const through = (url: string) => ({ HTTPS_PROXY: url.replace('//', '//kit:canary-password@'), http_proxy: url });

test('stacks, keys, config vars and the doctor go by the proxy', async () => {
  const proxy = await startProxy({ to: (host) => (host === AWS ? portOf(sandbox.aws.url) : portOf(sandbox.heroku.url)) });
  try {
    const env = { ...hidden, ...through(proxy.url) };
    const up = await work.kit(['up', 'payments', '--yes', '--no-smoke'], { env });
    expect(up.code, up.stderr).toBe(0);
    const doctor = await work.kit(['doctor', 'payments', '--json'], { env });
    expect(doctor.code, doctor.stdout).toBe(0);
    expect(new Set(proxy.connects)).toEqual(new Set([AWS, HEROKU]));
  } finally {
    await proxy.stop();
  }
});

test('hosts in NO_PROXY are reached directly', async () => {
  const proxy = await startProxy({ refuse: '403 Forbidden' });
  try {
    const status = await work.kit(['status', 'payments'], { env: { ...through(proxy.url), NO_PROXY: 'localhost,127.0.0.1' } });
    expect(status.code, status.stderr).toBe(0);
    expect(proxy.connects).toEqual([]);
  } finally {
    await proxy.stop();
  }
});

test('a proxy that refuses is named, without its password', async () => {
  const proxy = await startProxy({ refuse: '407 Proxy Authentication Required' });
  try {
    const { code, stdout, stderr } = await work.kit(['up', 'payments', '--yes', '--verbose'], {
      env: { ...hidden, ...through(proxy.url) },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`error: proxy ${proxy.url} refuses to connect to ${AWS} \\(407 Proxy Authentication Required\\)`));
    expect(stdout + stderr).not.toContain('canary-password');
  } finally {
    await proxy.stop();
  }
});
