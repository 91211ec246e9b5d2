import { fullDiff } from '@aws-cdk/cloudformation-diff';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  UpdateStackCommand,
  type StackStatus,
} from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { renderStacks } from '../../lib/cli/render.js';
import { createDeployer, type Hands } from '../../lib/deploy/deploy.client.js';
import { nameOf } from '../../lib/deploy/stacks.plan.js';
import { KitError } from '../../lib/errors.js';
import { silentIo } from '../../lib/io/io-host.js';
import { networkOf } from '../../lib/network/network.js';
import { buildApp } from '../../lib/stacks/app.js';
import { EXAMPLE, exampleConfig } from '../support/config.js';

const cloudformation = mockClient(CloudFormationClient);
afterAll(() => cloudformation.restore());

const at = (StackStatus: StackStatus) => ({
  Stacks: [
    { StackName: 'halcyon-payments', CreationTime: new Date(0), StackStatus, Tags: [{ Key: 'halcyon:managed-by', Value: 'halcyon-kit' }] },
  ],
});
beforeEach(() => void cloudformation.reset());

test('what was planned is not carried out over what another deployed meanwhile', async () => {
  const deployer = await createDeployer({ config: exampleConfig(), io: silentIo, network: networkOf() });
  const [seen, theirs, ours] = ['Seen', 'Theirs', 'Ours'].map((id) => ({
    TemplateBody: JSON.stringify({ Resources: { [id]: { Type: 'AWS::IAM::User' } } }),
  }));
  cloudformation
    .on(DescribeStacksCommand)
    .resolvesOnce(at('CREATE_COMPLETE'))
    .resolvesOnce(at('UPDATE_IN_PROGRESS'))
    .resolves(at('UPDATE_COMPLETE'));
  cloudformation.on(DescribeStackEventsCommand).resolves({ StackEvents: [] });
  let there = seen!;
  cloudformation.on(GetTemplateCommand).callsFake(() => there);
  await deployer.diff(['halcyon-payments']);
  there = theirs!;
  expect((await deployer.deploy(['halcyon-payments'])).failed.get('halcyon-payments')).toMatchObject({ code: 'state-changed' });
  expect(cloudformation.commandCalls(UpdateStackCommand)).toEqual([]);
  // Another stack's preparation took a bucket out of it: that was this run.
  await deployer.diff(['halcyon-payments']);
  await deployer.deploy(['halcyon-payments'], async (_, { changing }) => changing('halcyon-payments', async () => void (there = ours!)));
  expect(cloudformation.commandCalls(UpdateStackCommand)).toHaveLength(1);
});

test("what a stack brings, and what an edit changes, is told as the CDK's own comparison tells it", async () => {
  const config = exampleConfig();
  const { template } = buildApp(config).synth().getStackByName('halcyon-payments') as { template: Record<string, object> };
  const former = JSON.parse(JSON.stringify(template).replaceAll('s3:PutObject"', 's3:PutObjectTagging"')) as typeof template;
  const deployer = await createDeployer({ config, io: silentIo, network: networkOf() });
  const none = Object.assign(new Error('Stack with id halcyon-payments does not exist'), { name: 'ValidationError' });
  cloudformation.on(DescribeStacksCommand).rejectsOnce(none).resolves(at('CREATE_COMPLETE'));
  cloudformation.on(GetTemplateCommand).resolves({ TemplateBody: JSON.stringify(former) });
  for (const deployed of [{}, former]) {
    const [seen] = await deployer.diff(['halcyon-payments']);
    const { resources, iamChanges } = fullDiff({ ...deployed }, { ...template });
    const action = Object.keys(deployed).length === 0 ? 'create' : 'update';
    expect(seen?.changes).toEqual(Object.keys(resources.changes).map((logicalId) => expect.objectContaining({ logicalId, action })));
    expect(seen?.isNew).toBe(action === 'create' || undefined);
    expect(seen?.statements?.length).toBeGreaterThan(1);
    const named = (text: string) =>
      text.replaceAll(/(?:AWS:)?\$\{(\w+?)(?:\.Arn)?\}/g, (_, id: string) => String(nameOf(id, template.Resources as never)));
    const told = (action: string, some: typeof iamChanges.statements.additions) =>
      some
        .map((one) => one.render())
        .map(({ action: actions, principal, resource, ...rest }) => ({
          ...{ action, actions, ...rest, principal: named(principal), resource: named(resource) },
        }));
    const { additions, removals } = iamChanges.statements;
    expect(seen?.statements).toEqual([...told('remove', removals), ...told('add', additions)]);
    expect(JSON.stringify(seen?.statements)).not.toMatch(/\$\{|undefined/);
  }
});

test('users that others succeed are told by their names, and that they may do what they could; the others with what they may', async () => {
  const config = exampleConfig();
  const team = 'teams:\n  payments:\n';
  const { template } = buildApp(config).synth().getStackByName('halcyon-payments');
  const deployer = await createDeployer({
    ...{ config: exampleConfig(EXAMPLE.replace(team, `${team}    credentials: per-app\n`)), io: silentIo, network: networkOf() },
  });
  cloudformation.on(DescribeStacksCommand).resolves(at('CREATE_COMPLETE'));
  cloudformation.on(GetTemplateCommand).resolves({ TemplateBody: JSON.stringify(template) });
  const [seen] = await deployer.diff(['halcyon-payments']);
  const named = (action: string, type: string) =>
    seen?.changes.filter((one) => one.action === action && one.type === type).map(({ name }) => name);
  expect(named('delete', 'AWS::IAM::User')).toContainEqual(expect.stringMatching(/^halcyon\.team\.payments\.upload\./));
  expect(named('create', 'AWS::SecretsManager::Secret')).toContainEqual(expect.stringMatching(/^halcyon\S+payments-builder/));
  expect(new Set(seen?.statements?.map(({ action }) => action))).toEqual(new Set(['add']));
  const text = renderStacks([seen!]);
  expect(text).toMatch(/^\+ halcyon-payments: Allow s3:ListBucket on \S+ to halcyon\.app\./m);
  expect(text).toMatch(/^-  halcyon-payments  IAM user {2,}halcyon\.team\.payments\S+, /m);
  expect(text).not.toMatch(/AWS::|User[0-9A-F]{8}/);
  expect(renderStacks([seen!], true)).toMatch(/IAM user +halcyon\.team\.payments\.upload\.\w+ \(\w+User[0-9A-F]{8}\)/);
  expect(renderStacks([{ ...seen!, isNew: true }])).not.toContain('IAM statements');
});

describe('stacks side by side', () => {
  const TEAMS = [...'abcdefghijklmn'].map((letter) => letter.repeat(2));
  const STACKS = ['halcyon-bucket-common', ...TEAMS.map((name) => `halcyon-${name}`)];
  let shared: readonly string[] = ['aa', 'bb'];
  afterEach(() => void (shared = ['aa', 'bb']));
  const bucketOf = (team: string) =>
    shared.includes(team) ? `{ shared: common, prefix: ${team} }` : '{ account: "111122223333", region: eu-west-1 }';
  const text = () => `buckets: { common: { account: "111122223333", region: eu-west-1 } }
teams:
${TEAMS.map((team) => `  ${team}: { bucket: ${bucketOf(team)}, apps: { app-${team}: { mode: upload } } }\n`).join('')}`;
  const none = Object.assign(new Error('Stack does not exist'), { name: 'ValidationError' });

  /** CloudFormation, where a stack is being made when it is first looked at, and made when it is next. */
  async function deploying({ fails = [] as readonly string[], abort = new AbortController() } = {}) {
    const looks = new Map<string, number>();
    const open = new Set<string>();
    const seen: { begun: string[]; most: number; openAt: Record<string, string[]> } = { begun: [], most: 0, openAt: {} };
    cloudformation.reset();
    cloudformation.on(DescribeStackEventsCommand).resolves({ StackEvents: [] });
    cloudformation.on(CreateStackCommand).callsFake(({ StackName }: { StackName: string }) => {
      looks.set(StackName, 0);
      open.add(StackName);
      seen.begun.push(StackName);
      seen.openAt[StackName] = [...open];
      seen.most = Math.max(seen.most, open.size);
      return {};
    });
    cloudformation.on(DescribeStacksCommand).callsFake(({ StackName }: { StackName: string }) => {
      const look = looks.get(StackName);
      if (look === undefined) throw none;
      looks.set(StackName, look + 1);
      if (look > 0) open.delete(StackName);
      const ended = fails.includes(StackName) ? 'ROLLBACK_COMPLETE' : 'CREATE_COMPLETE';
      return { Stacks: [{ StackName, CreationTime: new Date(0), StackStatus: look === 0 ? 'CREATE_IN_PROGRESS' : ended }] };
    });
    const warned: string[] = [];
    const io = { ...silentIo, warn: (text: string) => void warned.push(text) };
    const deployer = await createDeployer({ config: exampleConfig(text()), io, network: networkOf(), signal: abort.signal });
    return { deployer, open, seen, warned, abort };
  }

  test('five at a time, those of a shared bucket after it', async () => {
    const { deployer, seen } = await deploying();
    const { deployed, failed } = await deployer.deploy(STACKS);
    expect([deployed.map(({ stack }) => stack), failed.size]).toEqual([STACKS, 0]);
    expect(seen.most).toBe(5);
    expect(seen.openAt['halcyon-aa']).not.toContain('halcyon-bucket-common');
  });

  test('one that fails keeps those from their end that need it, and no others', async () => {
    const { deployer, seen, warned } = await deploying({ fails: ['halcyon-bucket-common', 'halcyon-dd'] });
    const { deployed, failed } = await deployer.deploy(STACKS);
    const lacking = ['halcyon-bucket-common', 'halcyon-aa', 'halcyon-bb', 'halcyon-dd'];
    expect([...failed.keys()]).toEqual(lacking);
    expect(deployed.map(({ stack }) => stack)).toEqual(STACKS.filter((stack) => !lacking.includes(stack)));
    expect(seen.begun.sort()).toEqual(['halcyon-bucket-common', ...TEAMS.slice(2).map((name) => `halcyon-${name}`)]);
    expect(warned).toEqual([
      expect.stringMatching(/change halcyon-bucket-common: it is ROLLBACK_COMPLETE/),
      expect.stringMatching(/^halcyon-aa was left as it is, as it needs halcyon-bucket-common/),
      expect.stringMatching(/^halcyon-bb was left/),
      expect.stringMatching(/change halcyon-dd: it is ROLLBACK_COMPLETE/),
    ]);
  });

  test('what each would meet is not tried with all of them', async () => {
    const { deployer, seen, warned } = await deploying();
    const refused = Object.assign(new Error('The security token included in the request is expired'), { name: 'ExpiredTokenException' });
    cloudformation.on(CreateStackCommand).rejects(refused);
    await expect(deployer.deploy(STACKS)).rejects.toMatchObject({ code: 'aws-credentials-expired' });
    expect([seen.begun, cloudformation.commandCalls(CreateStackCommand).length]).toEqual([[], 1]);
    expect(warned.at(-1)).toBe('14 stacks not begun, as each may fail alike');
  });

  test('nor is what failed for all that were begun first', async () => {
    const { deployer, seen, warned } = await deploying({ fails: STACKS });
    const { deployed, failed } = await deployer.deploy(STACKS.slice(3));
    expect([deployed, [...failed.keys()].sort()]).toEqual([[], STACKS.slice(3).sort()]);
    // As many as failed, and those that took their place meanwhile.
    expect(seen.begun.length).toBeLessThan(10);
    expect(warned).toContainEqual(`${12 - seen.begun.length} stacks not begun, as each may fail alike`);
  });

  test('what needs a stack that failed has not failed of itself: the others are begun', async () => {
    shared = ['aa', 'bb', 'cc', 'dd', 'ee'];
    const { deployer } = await deploying({ fails: ['halcyon-bucket-common'] });
    const { deployed, failed } = await deployer.deploy(STACKS);
    expect(failed.size).toBe(6);
    expect(deployed.map(({ stack }) => stack)).toEqual(STACKS.slice(6));
  });

  test('what one may not do is its own matter once another has come through', async () => {
    const { deployer } = await deploying();
    const denied = async (stack: string, { alone }: Hands) => {
      if (stack !== 'halcyon-cc') return;
      await alone();
      throw new KitError('aws-denied', 'AWS denies it');
    };
    const { deployed, failed } = await deployer.deploy(STACKS, denied);
    expect([[...failed.keys()], deployed.length]).toEqual([['halcyon-cc'], STACKS.length - 1]);
    const before = await deploying();
    await expect(before.deployer.deploy(['halcyon-cc'], denied)).rejects.toMatchObject({ code: 'aws-denied' });
  });

  test('a mistake of ours ends all of it', async () => {
    const { deployer, seen } = await deploying();
    const mistake = async (stack: string) => {
      if (stack === 'halcyon-aa') throw new TypeError('a mistake');
    };
    await expect(deployer.deploy(STACKS, mistake)).rejects.toThrow(/^a mistake$/);
    expect(seen.begun).toEqual(['halcyon-bucket-common']);
  });

  test('what concerns other stacks is done while none is under way', async () => {
    const { deployer, open, seen } = await deploying();
    let meanwhile: string[] | undefined;
    await deployer.deploy(STACKS, async (stack, { alone }) => {
      if (stack === 'halcyon-ff') {
        await alone();
        meanwhile = [...open];
      }
    });
    expect([meanwhile, seen.begun.indexOf('halcyon-ff')]).toEqual([[], 6]);
  });

  test('after an interruption none is begun, and none is waited for', async () => {
    const { deployer, seen, warned, abort } = await deploying();
    const reason = new KitError('interrupted', 'stop');
    const prepare = async (stack: string) => {
      if (stack === 'halcyon-dd') abort.abort(reason);
    };
    await expect(deployer.deploy(STACKS, prepare)).rejects.toBe(reason);
    expect([seen.begun, warned]).toEqual([['halcyon-bucket-common', 'halcyon-aa', 'halcyon-bb', 'halcyon-cc'], []]);
  });
});
