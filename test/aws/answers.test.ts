import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { checkAnswers } from '../../lib/aws/answers.js';
import { createAws, type Aws } from '../../lib/aws/aws.js';
import { identity } from '../../lib/aws/identity.js';
import { awsKeys } from '../../lib/engine/ports/iam.client.js';
import { s3Object } from '../../lib/engine/ports/s3-object.client.js';
import { LONGEST_ANSWER } from '../../lib/network/answers.js';
import { networkOf } from '../../lib/network/network.js';

let close = (): void => {};
afterEach(() => {
  close();
  vi.unstubAllEnvs();
});

/** An AWS that answers like this. The operator's credentials are those of the environment. */
async function awsOf(answer: RequestListener): Promise<Aws> {
  const server = createServer((req, res) => void req.resume().on('end', () => answer(req, res)));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE000000007');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary-secret-of-the-operator');
  vi.stubEnv('AWS_SESSION_TOKEN', 'canary-session-of-the-operator');
  return createAws({ region: 'eu-west-1', maxAttempts: 1, network: networkOf() });
}

test.each([
  ['of the operator', (aws: Aws) => identity(aws)],
  ['of an object', (aws: Aws) => s3Object(aws, { name: 'b', account: '111122223333' }, '.halcyon-kit/lease/payments.json').read()],
])('an answer %s that never ends is read no further than is kept, once', async (_, work) => {
  let [sent, asked] = [0, 0];
  const aws = await awsOf((_, res) => {
    asked += 1;
    res.writeHead(200, { ETag: '"e"', 'Last-Modified': 'Thu, 01 Jan 2026 00:00:00 GMT' });
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const pump = (): void => {
      if (res.destroyed || sent >= 2 ** 30) return void res.end();
      sent += chunk.length;
      res.write(chunk, pump);
    };
    pump();
  });
  await expect(work(aws)).rejects.toMatchObject({ code: 'unexpected-answer', message: expect.stringContaining('longer than 16 MB') });
  expect(sent).toBeLessThan(3 * LONGEST_ANSWER);
  expect(asked).toBe(1);
});

test('a list that always goes on comes to an end', async () => {
  let page = 0;
  const aws = await awsOf((_, res) =>
    res.end(
      `<ListUsersResponse><ListUsersResult><Users/><IsTruncated>true</IsTruncated><Marker>m${page++}</Marker></ListUsersResult></ListUsersResponse>`,
    ),
  );
  await expect(awsKeys(aws).users(['payments'])).rejects.toMatchObject({
    code: 'unexpected-answer',
    message: expect.stringContaining("AWS's answer to IAM ListUsers is not as documented: its pages have no end"),
  });
  expect(page).toBeLessThan(1_000);
});

describe('pages', () => {
  /** Asks a client that answers anything for the page of a list. */
  function client() {
    type Handler = (args: { input: object }) => Promise<unknown>;
    let ask: (commandName: string) => Handler = () => async () => {};
    const add = (middleware: (next: Handler, context: object) => Handler) => {
      ask = (commandName) => middleware(async () => ({ output: {} }), { clientName: 'S3Client', commandName });
    };
    checkAnswers({ middlewareStack: { add } });
    return (commandName: string, input: object) => ask(commandName)({ input });
  }
  const END = { code: 'unexpected-answer', message: expect.stringContaining('its pages have no end') };

  test('of lists that are read side by side are counted apart', async () => {
    const page = client();
    for (let at = 0; at < 400; at += 1)
      for (const StackName of ['one', 'two'])
        await page('ListStackResourcesCommand', { StackName, NextToken: at === 0 ? undefined : `${at}` });
    for (let at = 400; at <= 500; at += 1) {
      await page('ListStackResourcesCommand', { StackName: 'one', NextToken: `${at}` });
      await page('ListStackResourcesCommand', { StackName: 'two' });
    }
    await expect(page('ListStackResourcesCommand', { StackName: 'one', NextToken: 'more' })).rejects.toMatchObject(END);
  });

  test('of objects may be many more, and have an end all the same', async () => {
    const page = client();
    for (let at = 0; at < 10_000; at += 1) await page('ListObjectsV2Command', { Bucket: 'b', ContinuationToken: `${at}` });
    await expect(page('ListObjectsV2Command', { Bucket: 'b', ContinuationToken: 'more' })).rejects.toMatchObject(END);
  });
});

test('a wrong shape is named by service, request and field, and quoted nowhere', async () => {
  const account = 'canary-of-an-answer';
  const aws = await awsOf((_, res) =>
    res.end(
      `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn><Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
    ),
  );
  const error = (await identity(aws).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({
    code: 'unexpected-answer',
    details: { service: 'AWS', request: 'STS GetCallerIdentity', path: 'Account' },
  });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(account);
});

test("the operator's secret and session, and keys that nobody has read, are not in an error that echoes them", async () => {
  const foreign = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYcAnAry0KEY';
  const aws = await awsOf((_, res) =>
    res
      .writeHead(400)
      .end(
        `<ErrorResponse><Error><Code>Odd</Code><Message>canary-secret-of-the-operator canary-session-of-the-operator ${foreign} &#x1b;[2J</Message></Error></ErrorResponse>`,
      ),
  );
  const { message } = (await identity(aws).catch((thrown: unknown) => thrown)) as Error;
  expect(message).toContain('[redacted] [redacted] [redacted]');
  expect(message).not.toMatch(/canary|cAnAry|\u001b/);
});
