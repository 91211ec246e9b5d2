import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { CommandHost } from '../../lib/cli/command.js';
import { withEvidence } from '../../lib/cli/evidence.js';
import { rotate, type RotateOptions } from '../../lib/commands/rotate.js';
import { parseConfig } from '../../lib/config/index.js';
import { userName } from '../../lib/contract/index.js';
import { DEFAULT_POLICY, runTeam } from '../../lib/engine/index.js';
import { silentIo } from '../../lib/io/io-host.js';
import { keysOf, plant, REGION, startWire, type Wire } from '../engine/support/wire.js';
import { principalIn } from '../support/principals.js';

const text = `
teams:
${['bills', 'maps', 'mail']
  .map(
    (name) =>
      `  ${name}:\n    bucket: { account: "111122223333", region: ${REGION} }\n    apps:\n      ${name}-one: { mode: upload }\n      ${name}-two: { mode: upload }`,
  )
  .join('\n')}
signing: { version: 4, buildpack: "https://example.com/sigv4.tgz" }
`;
const config = parseConfig(text);

let wire: Wire;
let dir: string;
beforeAll(async () => {
  wire = await startWire();
  dir = await mkdtemp(join(tmpdir(), 'emergency-'));
  await writeFile(join(dir, 'halcyon.yaml'), text);
  for (const team of config.teams) {
    await plant(wire, { ...config, teams: [team] });
    const outcome = await runTeam(wire.context(config), team, { kind: 'ensure' }, { ...DEFAULT_POLICY, poll: 50 });
    expect(outcome).toMatchObject({ status: 'done' });
  }
});
afterAll(async () => {
  await wire?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true });
});
afterEach(() => wire.sandbox.heroku.clearFaults());

const user = (team: string) => userName(principalIn(config, team, 'upload'));
const keyOf = async (team: string) => (await keysOf(wire, user(team)))[0]?.id ?? '';
const held = async (app: string) => (await wire.heroku.configVars(app)).HALCYON_AWS_ACCESS_KEY_ID;

/** The command as the terminal runs it, with everything that is said. */
async function emergency(
  names: string[],
  keyId: string,
  more: Partial<RotateOptions> & { answer?: () => Promise<boolean>; evidence?: string } = {},
) {
  const said: string[] = [];
  const hear = (line?: string) => void said.push(line ?? '');
  const { answer = async () => true, ...options } = more;
  const host: Omit<CommandHost, 'evidence'> = {
    io: { ...silentIo, info: hear, warn: hear },
    signal: new AbortController().signal,
    env: process.env,
    confirm: answer,
  };
  const given: RotateOptions = {
    config: join(dir, 'halcyon.yaml'),
    waves: '1,10%,100%',
    soak: '24h',
    emergency: keyId,
    ...options,
  };
  const result = withEvidence(options.evidence, host, (evidence) => rotate(names, given, { ...host, evidence }));
  return { result, said };
}

test('whose the key is and what holds it is said before; nothing is done without an answer', async () => {
  const key = await keyOf('mail');
  const { result, said } = await emergency(['mail'], key, { answer: async () => false });
  await expect(result).rejects.toMatchObject({ code: 'declined' });
  expect(said.join('\n')).toContain(
    `${key} is a key of mail/upload (IAM user ${user('mail')}), active\nheld by mail-one\nheld by mail-two`,
  );
  expect(await keysOf(wire, user('mail'))).toEqual([{ id: key, status: 'Active' }]);
  const dry = await emergency(['mail'], key, { dryRun: true });
  expect((await dry.result).text).toContain('would be made inactive at once');
  expect(await keysOf(wire, user('mail'))).toEqual([{ id: key, status: 'Active' }]);
});

test('an app that is gone keeps no leaked key alive; the others get a new one, and what remains is said', async () => {
  const key = await keyOf('bills');
  await wire.heroku.deleteApp('bills-two');
  const { result, said } = await emergency(['bills'], key);
  const { exitCode, text: shown } = await result;
  expect(exitCode).toBe(1);
  expect(shown).toMatch(/left as it is: .*bills-two/);
  expect(said.join('\n')).toMatch(/whether bills-two holds it is not known: .*bills-two/);
  const [now, ...rest] = await keysOf(wire, user('bills'));
  expect([now?.status, rest, now?.id === key]).toEqual(['Active', [], false]);
  expect(await held('bills-one')).toBe(now?.id);
});

test('the key dies while Heroku answers nobody, and running again does the rest; teams without the key are left out', async () => {
  const key = await keyOf('maps');
  const others = [await keyOf('bills'), await keyOf('mail')];
  wire.sandbox.heroku.addFault({ kind: '503', times: Infinity });
  wire.sandbox.aws.clearLog();
  const evidence = join(dir, 'evidence.json');
  const { result, said } = await emergency([], key, { all: true, evidence });
  await expect(result).rejects.toMatchObject({
    code: 'heroku-unavailable',
    message: expect.stringMatching(new RegExp(`^${key} is inactive and does not work any more, but .*run the same command again$`)),
    details: { keyId: key, inactive: true },
  });
  expect(said.join('\n')).toContain('whether maps-one holds it is not known');
  // AWS tells whose it is: no other team is gone through while it works.
  const asked = wire.sandbox.aws.log().map(({ operation }) => operation);
  expect(asked.slice(0, asked.indexOf('UpdateAccessKey')).filter((operation) => operation === 'ListAccessKeys')).toHaveLength(1);
  expect(await keysOf(wire, user('maps'))).toEqual([{ id: key, status: 'Inactive' }]);
  expect(JSON.parse(await readFile(evidence, 'utf8'))).toMatchObject({
    killed: [
      { step: 'deactivate', keyId: key },
      { step: 'mark-revoked', keyId: key },
    ],
    error: { code: 'heroku-unavailable' },
  });

  wire.sandbox.heroku.clearFaults();
  const again = await emergency([], key, { all: true });
  expect(await again.result).toMatchObject({ exitCode: 0, data: { outcomes: [{ team: 'maps', status: 'done' }] } });
  const now = await keyOf('maps');
  expect(now).not.toBe(key);
  expect([await held('maps-one'), await held('maps-two')]).toEqual([now, now]);
  expect([await keyOf('bills'), await keyOf('mail')]).toEqual(others);
});

test('a key of no team here is an error that says so', async () => {
  const { result } = await emergency([], 'AKIANOBODYHASTHISKEY', { all: true });
  await expect(result).rejects.toMatchObject({
    code: 'key-not-found',
    message: expect.stringMatching(/^no IAM user of bills, maps, mail has a key AKIANOBODY/),
  });
});
