import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { principalsOf } from '../config/derive.js';
import type { Team } from '../config/model.js';
import { parseUserName, principalLabel, secretName, STAGES, userName, type PrincipalId } from '../contract/index.js';
import { awsKeys } from '../engine/ports/iam.client.js';
import type { UserRecord } from '../engine/ports/ports.js';
import { awsSecrets } from '../engine/ports/secrets-manager.client.js';
import type { Vault } from '../engine/run/vault.js';
import { Reader } from './guard.js';
import type { PolicyJson, PrincipalFacts } from './model.js';

/** IAM and Secrets Manager, read-only. Secrets go into `vault` and nowhere else. */
export async function observePrincipals(aws: Aws, team: Team, vault: Vault, reader: Reader): Promise<PrincipalFacts[] | undefined> {
  const users = await reader.read('IAM users', () => awsKeys(aws).users(team.name));
  if (users === undefined || users === null) return undefined;
  const declared = new Map<string, PrincipalId>(principalsOf(team).map((id) => [userName(id), id]));
  const present = users.flatMap((user) => {
    const id = declared.get(user.name) ?? parseUserName(team.name, user);
    return id === undefined ? [] : [{ id, user }];
  });
  const absent = [...declared].filter(([name]) => !users.some((user) => user.name === name));
  return [
    ...(await pMap(present, ({ id, user }) => observeOne(aws, id, user, declared.has(user.name), vault, reader.signal), {
      concurrency: 5,
    })),
    ...absent.map(([user, id]): PrincipalFacts => ({
      ...{ id, label: principalLabel(id), user, declared: true, exists: false, secret: 'unknown', keys: [], unread: [] },
    })),
  ];
}

async function observeOne(
  aws: Aws,
  id: PrincipalId,
  user: UserRecord,
  declared: boolean,
  vault: Vault,
  signal?: AbortSignal,
): Promise<PrincipalFacts> {
  const reader = new Reader(signal);
  const keyIds = user.keys.map((key) => key.id);
  const [versions, policies, attached] = await Promise.all([
    reader.read(`secret ${secretName(id)}`, async () => (await awsSecrets(aws).read(secretName(id), keyIds)) ?? null),
    reader.read(`inline policies of ${user.name}`, () => inlinePolicies(aws, user.name)),
    reader.read(`attached policies and groups of ${user.name}`, () => attachments(aws, user.name)),
  ]);
  for (const { keyId, secret } of versions ?? []) if (secret !== undefined) vault.put(keyId, secret);
  const staged = (stage: string) => versions?.find((version) => version.stages.includes(stage))?.keyId;
  const current = staged(STAGES.current);
  const pending = staged(STAGES.pending);
  return {
    id: { team: id.team, access: id.access, ...(id.app === undefined ? {} : { app: id.app }) },
    label: principalLabel(id),
    user: user.name,
    declared,
    exists: true,
    secret: versions === undefined ? 'unknown' : versions === null ? 'missing' : versions.length === 0 ? 'empty' : 'present',
    keys: user.keys.map((key) => ({
      id: key.id,
      status: key.status,
      createdAt: key.createdAt,
      stored: versions?.some((version) => version.keyId === key.id) ?? false,
    })),
    ...(current === undefined ? {} : { current }),
    ...(pending === undefined ? {} : { pending }),
    policies: policies ?? undefined,
    attached: attached ?? undefined,
    unread: reader.unread,
  };
}

async function inlinePolicies(aws: Aws, UserName: string): Promise<Record<string, PolicyJson>> {
  const sdk = await import('@aws-sdk/client-iam');
  const iam = await aws.iam();
  const { PolicyNames = [] } = await iam.send(new sdk.ListUserPoliciesCommand({ UserName }));
  const read = async (PolicyName: string): Promise<[string, PolicyJson]> => {
    const { PolicyDocument = '{}' } = await iam.send(new sdk.GetUserPolicyCommand({ UserName, PolicyName }));
    return [PolicyName, JSON.parse(PolicyDocument.startsWith('{') ? PolicyDocument : decodeURIComponent(PolicyDocument)) as PolicyJson];
  };
  return Object.fromEntries(await Promise.all(PolicyNames.map(read)));
}

async function attachments(aws: Aws, UserName: string): Promise<string[]> {
  const sdk = await import('@aws-sdk/client-iam');
  const iam = await aws.iam();
  const [{ AttachedPolicies = [] }, { Groups = [] }] = await Promise.all([
    iam.send(new sdk.ListAttachedUserPoliciesCommand({ UserName })),
    iam.send(new sdk.ListGroupsForUserCommand({ UserName })),
  ]);
  return [...AttachedPolicies.map(({ PolicyName }) => `policy ${PolicyName}`), ...Groups.map(({ GroupName }) => `group ${GroupName}`)];
}
