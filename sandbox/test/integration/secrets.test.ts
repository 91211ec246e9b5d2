import { randomUUID } from 'node:crypto';
import { CreateStackCommand, DescribeStacksCommand, waitUntilStackCreateComplete } from '@aws-sdk/client-cloudformation';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalAws, type LocalAws } from '../../aws/index.js';
import { clients, failure } from '../support/clients.js';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws?.stop());

const api = (direct = false) => clients(aws, { direct }).secrets;
const stagesOf = async (id: string, direct = false) =>
  (await api(direct).send(new DescribeSecretCommand({ SecretId: id }))).VersionIdsToStages;
const put = (id: string, value: string, stages?: string[], token = randomUUID(), direct = false) =>
  api(direct).send(new PutSecretValueCommand({ SecretId: id, SecretString: value, VersionStages: stages, ClientRequestToken: token }));

async function fromStack(name: string): Promise<string> {
  const { cloudformation } = clients(aws);
  const TemplateBody = JSON.stringify({ Resources: { S: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: name } } } });
  const StackName = name.replaceAll('/', '-');
  await cloudformation.send(new CreateStackCommand({ StackName, TemplateBody }));
  await waitUntilStackCreateComplete({ client: cloudformation, maxWaitTime: 30, minDelay: 0.1, maxDelay: 0.2 }, { StackName });
  expect((await cloudformation.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE');
  return name;
}

test.each([
  ['made by a stack', fromStack],
  [
    'made by the API',
    async (name: string) => {
      await api().send(new CreateSecretCommand({ Name: name }));
      return name;
    },
  ],
])('a secret without a value, %s, has no version', async (how, make) => {
  const id = await make(`empty/${how.replaceAll(' ', '-')}`);
  expect(await stagesOf(id)).toBeUndefined();
  expect((await api().send(new ListSecretVersionIdsCommand({ SecretId: id, IncludeDeprecated: true }))).Versions).toEqual([]);
  const listed = (await api().send(new ListSecretsCommand({}))).SecretList?.find(({ Name }) => Name === id);
  expect(listed?.SecretVersionsToStages).toBeUndefined();
  expect(await failure(api().send(new GetSecretValueCommand({ SecretId: id })))).toMatchObject({
    name: 'ResourceNotFoundException',
    status: 400,
    message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
  });
  // MiniStack alone
  expect(Object.values((await stagesOf(id, true)) ?? {})).toEqual([['AWSCURRENT']]);
});

test('the first version is AWSCURRENT too, and there is no previous one', async () => {
  const id = await fromStack('first/pending');
  const first = await put(id, 'one', ['AWSPENDING']);
  expect(first.VersionStages?.sort()).toEqual(['AWSCURRENT', 'AWSPENDING']);
  const stages = await stagesOf(id);
  expect(Object.keys(stages ?? {})).toEqual([first.VersionId]);
  expect(stages?.[first.VersionId as string]?.sort()).toEqual(['AWSCURRENT', 'AWSPENDING']);
  expect((await failure(api().send(new GetSecretValueCommand({ SecretId: id, VersionStage: 'AWSPREVIOUS' })))).name).toBe(
    'ResourceNotFoundException',
  );
  const versions = (await api().send(new ListSecretVersionIdsCommand({ SecretId: id, IncludeDeprecated: true }))).Versions;
  expect(versions?.map(({ VersionId }) => VersionId)).toEqual([first.VersionId]);
});

test('a label is on one version', async () => {
  const through = await fromStack('label/front');
  await put(through, 'one');
  const two = await put(through, 'two', ['AWSPENDING']);
  const three = await put(through, 'three', ['AWSPENDING']);
  const holders = async (id: string, direct = false) =>
    Object.entries((await stagesOf(id, direct)) ?? {})
      .filter(([, labels]) => labels.includes('AWSPENDING'))
      .map(([version]) => version);
  expect(await holders(through)).toEqual([three.VersionId]);
  expect(two.VersionId).not.toBe(three.VersionId);
  // MiniStack alone leaves it on both.
  const alone = (await api(true).send(new CreateSecretCommand({ Name: 'label/alone', SecretString: 'one' }))).Name as string;
  await put(alone, 'two', ['AWSPENDING'], undefined, true);
  await put(alone, 'three', ['AWSPENDING'], undefined, true);
  expect(await holders(alone, true)).toHaveLength(2);
});

test('pending becomes current, current becomes previous', async () => {
  const id = await fromStack('life/cycle');
  const one = (await put(id, 'one')).VersionId as string;
  const two = (await put(id, 'two', ['AWSPENDING'])).VersionId as string;
  await api().send(
    new UpdateSecretVersionStageCommand({ SecretId: id, VersionStage: 'AWSCURRENT', MoveToVersionId: two, RemoveFromVersionId: one }),
  );
  expect((await api().send(new GetSecretValueCommand({ SecretId: id }))).SecretString).toBe('two');
  expect((await api().send(new GetSecretValueCommand({ SecretId: id, VersionStage: 'AWSPREVIOUS' }))).SecretString).toBe('one');
});

test('putting a version again changes nothing; other content under its token is refused', async () => {
  const id = await fromStack('again/front');
  await put(id, 'one');
  const token = randomUUID();
  await put(id, 'two', undefined, token);
  const before = await stagesOf(id);
  const again = await put(id, 'two', undefined, token);
  expect(again.VersionStages).toEqual(['AWSCURRENT']);
  expect(await stagesOf(id)).toEqual(before);
  expect((await api().send(new GetSecretValueCommand({ SecretId: id, VersionStage: 'AWSPREVIOUS' }))).SecretString).toBe('one');
  expect((await failure(put(id, 'other', undefined, token))).name).toBe('ResourceExistsException');

  // MiniStack alone loses the previous version.
  await put(id, 'two', undefined, token, true);
  expect((await failure(api(true).send(new GetSecretValueCommand({ SecretId: id, VersionStage: 'AWSPREVIOUS' })))).name).toBe(
    'ResourceNotFoundException',
  );
});

test('secrets live in their region', async () => {
  const far = clients(aws, { region: 'eu-west-1' }).secrets;
  await far.send(new CreateSecretCommand({ Name: 'far/away' }));
  expect((await failure(far.send(new GetSecretValueCommand({ SecretId: 'far/away' })))).name).toBe('ResourceNotFoundException');
  const first = await far.send(new PutSecretValueCommand({ SecretId: 'far/away', SecretString: 'x', VersionStages: ['AWSPENDING'] }));
  expect(first.VersionStages?.sort()).toEqual(['AWSCURRENT', 'AWSPENDING']);
  expect((await failure(api().send(new DescribeSecretCommand({ SecretId: 'far/away' })))).name).toBe('ResourceNotFoundException');
});
