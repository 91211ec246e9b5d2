import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHeroku } from '../../lib/heroku/heroku.client.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { Workplace } from './support/target.js';

const HOH = 'https://github.com/mietek/haskell-on-heroku';

let sandbox: Sandbox;
let work: Workplace;
beforeAll(async () => {
  sandbox = await startSandbox({ aws: { settings: { clockOffsetMs: 6 * 60_000 } }, heroku: { upstreamDir: null } });
  Object.assign(process.env, sandbox.env);
  const heroku = createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url });
  await heroku.createApp({ name: 'late-app' });
  await heroku.setBuildpacks('late-app', [HOH]);
  work = new Workplace(sandbox.env);
  work.write(`
teams:
  late:
    bucket: { account: "111122223333", region: eu-west-1 }
    apps:
      late-app: { mode: upload }
signing: { version: 4, buildpack: "https://example.com/sigv4.tgz" }
`);
});
afterAll(async () => {
  work?.remove();
  await sandbox?.stop();
});

test('with a clock six minutes behind, a first `up` says so at once, and changes nothing', async () => {
  const { code, stderr } = await work.kit(['up', 'late', '--yes']);
  expect(stderr).toMatch(/clock-skew: this machine's clock is 6 min behind/);
  expect(stderr).toMatch(/differs from AWS's by more than stacks can be deployed with/);
  expect(code).toBe(1);
  expect(sandbox.aws.log().filter(({ operation }) => /^(Create|Put|Update)/.test(operation ?? ''))).toEqual([]);
});
