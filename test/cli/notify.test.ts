import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import type { Entry } from '../../lib/cli/journal.js';
import { Notifier } from '../../lib/cli/notify.js';
import type { Session } from '../../lib/cli/session.js';
import type { Notify } from '../../lib/config/model.js';
import { registerSecret } from '../../lib/io/redaction.js';
import { silentIo } from '../../lib/io/io-host.js';
import { networkOf } from '../../lib/network/network.js';

interface Got {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
const got: Got[] = [];
const warned: string[] = [];
let answer: (response: ServerResponse, at: number) => void;
let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      got.push({ path: request.url ?? '', headers: request.headers, body });
      answer(response, got.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => {
  vi.unstubAllEnvs();
  [got, warned].forEach((list) => (list.length = 0));
});

const published = (response: ServerResponse) =>
  void response.end('<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>');
const ended = (status: number) => (response: ServerResponse) => void response.writeHead(status).end();
const entry: Entry = {
  ...{ version: 1, began: '2026-11-28T12:00:00.000Z', ended: '2026-11-28T12:01:00.000Z', who: 'ada@desk', intent: 'rotate', file: 'abc' },
  ...{ status: 'done', summary: 'one <key> & another' },
  events: Array.from({ length: 12 }, (_, n) => ({ at: '2026-11-28T12:00:01.000Z', step: 'verify' as const, text: `step ${n}` })),
};
const SECRET = 'canary-of-the-signature';
const env = { SIGNED_WITH: SECRET, AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'canary-of-aws' };
const notifier = (notify: readonly Notify[], more: NodeJS.ProcessEnv = {}, boundMs = 5000) =>
  new Notifier(
    {
      config: { deployment: 'halcyon', notify },
      host: { io: { ...silentIo, warn: (text: string) => void warned.push(text) }, env: { ...env, ...more } },
      network: networkOf({}),
      aws: (region: string) =>
        createAws({ region, network: networkOf({}), key: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'canary-of-aws' } }),
    } as unknown as Session,
    boundMs,
  );
const send = async (one: Notifier, told: Entry = entry) => {
  one.tell('payments', told);
  await one.settled();
};

test('a webhook that fails twice is told at the third time, the same, and signed', async () => {
  answer = (response, at) => ended(at < 3 ? 503 : 200)(response);
  await send(notifier([{ webhook: `${base}/hook`, secretFrom: 'SIGNED_WITH' }]));
  expect(warned).toEqual([]);
  expect(got).toHaveLength(3);
  const [first, , last] = got as [Got, Got, Got];
  expect(last.body).toBe(first.body);
  expect(last.headers['x-halcyon-signature']).toBe(`sha256=${createHmac('sha256', SECRET).update(last.body).digest('hex')}`);
  expect(JSON.parse(last.body)).toEqual({ ...entry, team: 'payments', deployment: 'halcyon' });
});

test('one that never answers holds the run up as long as the bound, and is one warning', async () => {
  answer = () => {};
  await send(notifier([{ webhook: `${base}/slow`, secretFrom: 'SIGNED_WITH' }], {}, 200));
  expect(warned).toEqual([expect.stringMatching(/^not notified .*\/slow: no answer within 0\.2 s$/)]);
});

test('what it refuses is not sent again; several that fail are one warning', async () => {
  answer = ended(400);
  const one = notifier([{ webhook: `${base}/no`, secretFrom: 'SIGNED_WITH' }]);
  one.tell('payments', entry);
  await send(one);
  expect(got).toHaveLength(2);
  expect(warned).toEqual([expect.stringContaining(`${base}/no: 400, and 1 more`)]);
});

test('a variable that is unset is named, and nothing is sent unsigned', async () => {
  await send(notifier([{ webhook: `${base}/hook`, secretFrom: 'NOT_THERE' }]));
  expect([got, warned]).toEqual([[], [expect.stringContaining('NOT_THERE is unset')]]);
});

test('a chat gets a text, with the last steps, by an address that nobody is shown', async () => {
  answer = ended(404);
  await send(notifier([{ webhookFrom: 'CHAT', format: 'slack' }], { CHAT: `${base}/canary-of-the-chat` }));
  expect(warned).toEqual([expect.stringContaining('the webhook in CHAT: 404')]);
  expect(warned[0]).not.toContain('canary');
  answer = ended(200);
  await send(notifier([{ webhookFrom: 'CHAT', format: 'slack' }], { CHAT: `${base}/canary-of-the-chat` }));
  const { text } = JSON.parse(got.at(-1)?.body ?? '') as { text: string };
  const lines = text.split('\n');
  expect(lines.slice(0, 3)).toEqual([
    'payments: rotate done: one &lt;key&gt; &amp; another (ada@desk)',
    '• … 2 steps before',
    '• try key step 2',
  ]);
  expect(lines).toHaveLength(12);
});

test('a topic is told by SNS’s own request, signed with version 4', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL', base);
  answer = published;
  await send(notifier([{ sns: 'arn:aws:sns:eu-west-1:111122223333:halcyon' }]));
  const form = new URLSearchParams(got[0]?.body);
  expect(Object.fromEntries(form)).toMatchObject({
    Action: 'Publish',
    TopicArn: 'arn:aws:sns:eu-west-1:111122223333:halcyon',
    Subject: 'halcyon-kit rotate of payments: done',
  });
  expect(JSON.parse(form.get('Message') ?? '')).toMatchObject({ team: 'payments', events: { length: 12 } });
  expect(got[0]?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d{8}\/eu-west-1\/sns\/aws4_request/);
});

test('what is too long for a topic goes without its steps', async () => {
  answer = ended(200);
  const events = Array.from({ length: 3000 }, () => ({ ...entry.events[0]!, text: 'x'.repeat(100) }));
  await send(notifier([{ webhook: `${base}/hook`, secretFrom: 'SIGNED_WITH' }]), { ...entry, events });
  expect(JSON.parse(got[0]?.body ?? '')).toMatchObject({ events: [], eventsLeftOut: 3000, summary: entry.summary });
});

test('a run that left no entry is not told of; no secret is in what is told', async () => {
  answer = ended(200);
  const one = notifier([{ webhook: `${base}/hook`, secretFrom: 'SIGNED_WITH' }]);
  one.tell('payments', undefined);
  await one.settled();
  expect(got).toEqual([]);
  registerSecret('canary-of-a-step');
  vi.stubEnv('AWS_ENDPOINT_URL', base);
  answer = published;
  await send(notifier([{ webhook: `${base}/hook`, secretFrom: 'SIGNED_WITH' }, { sns: 'arn:aws:sns:eu-west-1:111122223333:halcyon' }]), {
    ...entry,
    summary: 'canary-of-a-step',
  });
  expect(got).toHaveLength(2);
  expect(JSON.stringify(got)).not.toContain('canary');
});
