import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test, vi } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import { createDeployer } from '../../lib/deploy/deploy.client.js';
import { silentIo } from '../../lib/io/io-host.js';
import { networkOf } from '../../lib/network/network.js';
import { exampleConfig } from '../support/config.js';

let close = (): void => {};
afterEach(() => {
  close();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const TEAMS = ['aa', 'bb', 'cc'];
const TEXT = `teams:\n${TEAMS.map((team) => `  ${team}: { bucket: { account: "111122223333", region: eu-west-1 }, apps: { app-${team}: { mode: upload } } }\n`).join('')}`;

/** CloudFormation that refuses the first creation of each stack, and loses the answer to one. */
async function throttling(loses: string) {
  const refused = new Set<string>();
  const stacks = new Map<string, { readonly token: string; looks: number }>();
  const seen = { made: [] as string[], tokens: new Map<string, Set<string>>() };
  const server = createServer(async (request, response) => {
    const asked = new URLSearchParams(await text(request));
    const [action, name] = [asked.get('Action') ?? '', asked.get('StackName') ?? ''];
    const answer = (status: number, body: string) => response.writeHead(status, { 'Content-Type': 'text/xml' }).end(body);
    const fault = (code: string, message: string) =>
      answer(400, `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`);
    const token = asked.get('ClientRequestToken') ?? '';
    if (action === 'CreateStack') seen.tokens.set(name, (seen.tokens.get(name) ?? new Set()).add(token));
    if (action === 'CreateStack' && refused.size < refused.add(name).size) return fault('Throttling', 'Rate exceeded');
    const stack = stacks.get(name);
    if (action === 'CreateStack') {
      if (stack !== undefined && stack.token !== token) return fault('AlreadyExistsException', `Stack [${name}] already exists`);
      if (stack === undefined) {
        stacks.set(name, { token, looks: 0 });
        seen.made.push(name);
        if (name === loses) return void request.socket.destroy();
      }
      return answer(200, '<CreateStackResponse><CreateStackResult><StackId>id</StackId></CreateStackResult></CreateStackResponse>');
    }
    if (action === 'DescribeStackEvents')
      return answer(
        200,
        '<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents/></DescribeStackEventsResult></DescribeStackEventsResponse>',
      );
    if (stack === undefined) return fault('ValidationError', `Stack with id ${name} does not exist`);
    const status = ++stack.looks < 2 ? 'CREATE_IN_PROGRESS' : 'CREATE_COMPLETE';
    return answer(
      200,
      `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>${name}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
    );
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAANY');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'a-secret-of-any-key');
  return seen;
}

test('stacks side by side get through what CloudFormation throttles, and none is made twice', async () => {
  const seen = await throttling('halcyon-cc');
  // By the SDK's other mode each request pauses for itself: where an account has two requests a second, three of fifteen stacks fail.
  expect(await (await createAws({ region: 'eu-west-1' }).cloudformation()).config.retryStrategy()).toMatchObject({ mode: 'adaptive' });
  const deployer = await createDeployer({ config: exampleConfig(TEXT), io: silentIo, network: networkOf() });
  const stacks = TEAMS.map((team) => `halcyon-${team}`);
  const { deployed, failed } = await deployer.deploy(stacks);
  expect([...failed.values()].map(({ message }) => message)).toEqual([]);
  expect(deployed.map(({ stack }) => stack)).toEqual(stacks);
  expect(seen.made.toSorted()).toEqual(stacks);
  expect([...seen.tokens.values()].map(({ size }) => size)).toEqual(stacks.map(() => 1));
});
