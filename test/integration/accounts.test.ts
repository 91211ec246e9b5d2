import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CreateStackCommand,
  DeleteStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import { createAws } from '../../lib/aws/aws.js';
import { startLocalHeroku, type LocalHeroku } from '../../sandbox/heroku/index.js';
import { startSandbox, type Sandbox } from '../../sandbox/index.js';
import { InProcess } from './support/in-process.js';

/** Two accounts behind one address, told apart by the token, as at Heroku: none sees the other's apps. */
let sandbox: Sandbox;
let other: LocalHeroku;
let front: Server;
let work: InProcess;

beforeAll(async () => {
  sandbox = await startSandbox({ heroku: { upstreamDir: null } });
  other = await startLocalHeroku({ upstreamDir: null, token: 'canary-token-of-search' });
  front = createServer((request, response) => {
    void (async () => {
      const given =
        Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString() + request.headers.authorization;
      const base = given.includes(other.token) ? other.url : sandbox.heroku.url;
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers as Record<string, string>;
      const body = await text(request);
      const answer = await fetch(`${base}${request.url}`, { method: request.method, headers, ...(body === '' ? {} : { body }) });
      const { 'content-length': ____, 'transfer-encoding': _____, ...passed } = Object.fromEntries(answer.headers);
      response.writeHead(answer.status, passed).end(await answer.text());
    })();
  });
  await new Promise<void>((done) => front.listen(0, '127.0.0.1', done));
  Object.assign(process.env, sandbox.env, { HEROKU_HOST: `http://127.0.0.1:${(front.address() as AddressInfo).port}` });
  work = new InProcess({});
  work.write(`teams:
  payments:
    bucket: { account: '111122223333', region: eu-west-1 }
    apps: { pay-web: { mode: upload } }
  search:
    bucket: { account: '111122223333', region: eu-west-1 }
    heroku: { tokenFrom: TOKEN_OF_SEARCH }
    apps: { search-web: { mode: upload }, search-api: { mode: read-only } }
`);
  await sandbox.heroku.ensureApp('pay-web');
  for (const app of ['search-web', 'search-api']) await other.ensureApp(app);
});
afterAll(async () => {
  work.remove();
  front.close();
  await Promise.all([sandbox.stop(), other.stop()]);
});

test('a token that is not set is told before anything is changed, and not asked for where its team is not meant', async () => {
  const refused = await work.kit(['up', '--all', '--no-smoke', '--yes']);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('TOKEN_OF_SEARCH (heroku.tokenFrom of team search)')]);
  expect(sandbox.aws.log().filter(({ operation }) => /^(Create|Put)/.test(operation))).toEqual([]);
  expect((await work.ok(['explain', 'pay-web'])).stdout).not.toContain('TOKEN_OF_SEARCH');
});

const keyOf = async (heroku: LocalHeroku, app: string) => {
  const headers = { accept: 'application/vnd.heroku+json; version=3', authorization: `Bearer ${heroku.token}` };
  const vars = (await (await fetch(`${heroku.url}/apps/${app}/config-vars`, { headers })).json()) as Record<string, string>;
  return vars.HALCYON_AWS_ACCESS_KEY_ID;
};
const keys = () => Promise.all([keyOf(sandbox.heroku, 'pay-web'), keyOf(other, 'search-web'), keyOf(other, 'search-api')] as const);

test('a team whose stack cannot be deployed is told, and keeps no other from its end', async () => {
  process.env.TOKEN_OF_SEARCH = other.token;
  const cloudformation = await createAws({ region: 'eu-west-1' }).cloudformation();
  const theirs = { StackName: 'halcyon-payments' };
  const TemplateBody = JSON.stringify({ Resources: { User: { Type: 'AWS::IAM::User' } } });
  await cloudformation.send(new CreateStackCommand({ ...theirs, TemplateBody, Capabilities: ['CAPABILITY_IAM'] }));
  await waitUntilStackCreateComplete({ client: cloudformation, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, theirs);
  const ran = await work.kit(['up', '--all', '--no-smoke', '--yes']);
  expect([ran.code, ran.stdout]).toEqual([
    1,
    expect.stringMatching(/^payments: not begun: stack halcyon-payments does not carry the tag/m),
  ]);
  expect(ran.stdout).toMatch(/^search: done$/m);
  expect(await keys()).toEqual([undefined, expect.stringMatching(/^AKIA/), expect.stringMatching(/^AKIA/)]);
  await cloudformation.send(new DeleteStackCommand(theirs));
  await waitUntilStackDeleteComplete({ client: cloudformation, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, theirs);
});

test('a fleet on two accounts is brought up, explained, looked at, freed of a leaked key and taken down, each app with its own token', async () => {
  await work.ok(['up', '--all', '--no-smoke', '--yes']);
  const before = await keys();
  expect(new Set(before).size).toBe(3);
  expect((await work.ok(['explain', 'search-api'])).stdout).not.toContain('not compared');
  expect((await work.ok(['status', '--all', '--json'])).stdout).not.toContain('app-not-found');
  expect((await work.ok(['doctor', '--json'])).stdout).not.toContain('"broken"');
  const dead = await work.ok(['rotate', '--all', '--emergency', before[1] ?? '', '--yes']);
  expect(dead.stderr).toContain('held by search-web');
  expect((await keys()).map((key, n) => key === before[n])).toEqual([true, false, true]);
  await work.ok(['down', '--all', '--delete-bucket', '--yes']);
  expect(await keys()).toEqual([undefined, undefined, undefined]);
  // Nobody was asked for what the other has, and no token was ever printed.
  for (const heroku of [sandbox.heroku, other]) expect(heroku.log().filter(({ status }) => status === 401 || status === 404)).toEqual([]);
  expect(work.printed).not.toContain(other.token);
});
