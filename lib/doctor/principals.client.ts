import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { namesOf } from '../config/derive.js';
import type { Team } from '../config/model.js';
import { userName } from '../contract/index.js';
import { attachments, awsKeys } from '../engine/ports/iam.client.js';
import { awsSecrets } from '../engine/ports/secrets-manager.client.js';
import { observePrincipal, principalsAmong } from '../engine/run/observe.client.js';
import type { Vault } from '../engine/run/vault.js';
import type { PolicyJson, PrincipalFacts } from './model.js';
import { Reader } from './reader.js';

/** IAM and Secrets Manager, read-only: what the engine sees of each principal, and its policies. Secrets go into `vault` and nowhere else. */
export async function principalFacts(aws: Aws, team: Team, vault: Vault, { read, signal }: Reader): Promise<PrincipalFacts[]> {
  const users = await read('IAM users', () => awsKeys(aws).users(namesOf(team)));
  const secretsIn = (region: string | undefined) => awsSecrets(region === undefined ? aws : aws.in(region));
  // Without the list nobody knows what is missing.
  const found = users === undefined ? [] : principalsAmong(team, users);
  return pMap(
    found,
    async (one): Promise<PrincipalFacts> => {
      const reader = new Reader(signal);
      const user = userName(one.id);
      const [state, policies, attached] = await Promise.all([
        observePrincipal(one, { secretsIn, vault, read: reader.read }),
        one.record && reader.read(`inline policies of ${user}`, () => inlinePolicies(aws, user)),
        one.record && reader.read(`attached policies and groups of ${user}`, () => attachments(aws, user)),
      ]);
      return { ...state, policies, attached, unread: reader.unread };
    },
    { concurrency: 5 },
  );
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
