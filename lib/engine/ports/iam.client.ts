import pMap from 'p-map';
import type { Aws } from '../../aws/aws.js';
import { ACCESSES, IAM_ROOT_PATH, iamPath, QUARANTINE_POLICY, teamStackName } from '../../contract/index.js';
import { isKitError, KitError } from '../../errors.js';
import { registerSecret } from '../../io/redaction.js';
import { failure, guarded, isAmbiguous, isDenied, isLimitExceeded, isMissing } from '../../aws/errors.js';
import { resourcesIn } from '../../aws/stack.js';
import type { Guard, KeysPort, LastUse, UserRecord } from './ports.js';

/** IAM, by way of the SDK. */
export function awsKeys(aws: Aws, guard?: Guard): KeysPort {
  const effects = aws.once(guard);
  const iam = () => effects.iam();
  /** A thing that is gone is as good as deleted. */
  const unlessGone = async (work: () => Promise<unknown>): Promise<void> => {
    await work().catch((error: unknown) => {
      if (!isMissing(error, 'user or key')) throw error;
    });
  };
  return {
    users: (teams, options) => guarded(`list the IAM users of team ${teams.join(', ')}`, () => readUsers(aws, teams, options)),
    activeKeys: (user) =>
      guarded(`list the keys of user ${user}`, async () => {
        const { ListAccessKeysCommand } = await import('@aws-sdk/client-iam');
        const { AccessKeyMetadata = [] } = await (await aws.iam()).send(new ListAccessKeysCommand({ UserName: user }));
        return AccessKeyMetadata.filter(({ Status }) => Status === 'Active').map(({ AccessKeyId = '' }) => AccessKeyId);
      }),
    async createKey(user) {
      const { CreateAccessKeyCommand } = await import('@aws-sdk/client-iam');
      try {
        const answer = await (await iam()).send(new CreateAccessKeyCommand({ UserName: user }));
        const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '', CreateDate } = answer.AccessKey ?? {};
        registerSecret(secretAccessKey);
        return { accessKeyId, secretAccessKey, createdAt: (CreateDate ?? new Date()).toISOString() };
      } catch (error) {
        if (isLimitExceeded(error)) {
          throw new KitError('state-changed', `user ${user} has two access keys already; run again to look anew`, { cause: error });
        }
        if (isAmbiguous(error) || isKitError(error, 'unexpected-answer')) {
          throw new KitError('aws-ambiguous', `the answer of iam:CreateAccessKey for ${user} was lost; run again, which finds out`, {
            cause: error,
          });
        }
        throw failure(error, `make an access key for ${user} (iam:CreateAccessKey)`);
      }
    },
    setStatus: (user, keyId, status) =>
      guarded(`make key ${keyId} ${status.toLowerCase()} (iam:UpdateAccessKey)`, async () => {
        const { UpdateAccessKeyCommand } = await import('@aws-sdk/client-iam');
        await (await iam()).send(new UpdateAccessKeyCommand({ UserName: user, AccessKeyId: keyId, Status: status }));
      }),
    deleteKey: (user, keyId) =>
      guarded(`delete key ${keyId} (iam:DeleteAccessKey)`, async () => {
        const { DeleteAccessKeyCommand } = await import('@aws-sdk/client-iam');
        await unlessGone(async () => (await iam()).send(new DeleteAccessKeyCommand({ UserName: user, AccessKeyId: keyId })));
      }),
    tag: (user, Key, Value) =>
      guarded(`tag user ${user} (iam:TagUser)`, async () => {
        const { TagUserCommand } = await import('@aws-sdk/client-iam');
        await (await iam()).send(new TagUserCommand({ UserName: user, Tags: [{ Key, Value }] }));
      }),
    untag: (user, keys) =>
      guarded(`remove tags of user ${user} (iam:UntagUser)`, async () => {
        const { UntagUserCommand } = await import('@aws-sdk/client-iam');
        await (await iam()).send(new UntagUserCommand({ UserName: user, TagKeys: [...keys] }));
      }),
    deleteUser: (user) =>
      guarded(`delete user ${user}`, async () => {
        const sdk = await import('@aws-sdk/client-iam');
        const client = await iam();
        await unlessGone(async () => {
          const { PolicyNames = [] } = await client.send(new sdk.ListUserPoliciesCommand({ UserName: user }));
          for (const PolicyName of PolicyNames) await client.send(new sdk.DeleteUserPolicyCommand({ UserName: user, PolicyName }));
          await client.send(new sdk.DeleteUserCommand({ UserName: user }));
        });
      }),
  };
}

/** What many teams want to know of an account is asked for once where they ask together, and again only when so long has passed. */
function kept<T>(ms: number, read: (aws: Aws) => Promise<T>): (aws: Aws) => Promise<T> {
  const known = new WeakMap<Aws, { readonly at: number; readonly answer: Promise<T>; open: boolean }>();
  return (aws) => {
    const now = aws.network.time.now();
    const last = known.get(aws);
    if (last !== undefined && (last.open || now - last.at < ms)) return last.answer;
    const asked = { at: now, answer: read(aws), open: true };
    known.set(aws, asked);
    void asked.answer.catch(() => known.delete(aws)).finally(() => (asked.open = false));
    return asked.answer;
  };
}

/** Names and paths of all the kit's users in the account. */
export const userNames = kept(0, (aws) =>
  guarded('list the IAM users (iam:ListUsers)', async () => {
    const { paginateListUsers } = await import('@aws-sdk/client-iam');
    const found: Array<{ readonly name: string; readonly path: string }> = [];
    for await (const { Users = [] } of paginateListUsers({ client: await aws.iam(), pageSize: 1000 }, { PathPrefix: IAM_ROOT_PATH }))
      found.push(...Users.map(({ UserName = '', Path = '' }) => ({ name: UserName, path: Path })));
    return found;
  }),
);

/** Names of the users that a team's stack holds. */
export const usersInStack = (aws: Aws, team: string): Promise<ReadonlySet<string>> =>
  guarded(`list the resources of stack ${teamStackName(team)}`, async () => {
    const users = await resourcesIn(aws, teamStackName(team), ['AWS::IAM::User']);
    return new Set([...users.values()].map(({ name }) => name));
  });

/** Undefined where the user is gone. */
export function userTags(aws: Aws, UserName: string): Promise<UserRecord['tags'] | undefined> {
  return guarded(`read the tags of user ${UserName} (iam:ListUserTags)`, async () => {
    const { ListUserTagsCommand } = await import('@aws-sdk/client-iam');
    const answer = await (await aws.iam()).send(new ListUserTagsCommand({ UserName })).catch((error: unknown) => {
      if (isMissing(error, 'user or key')) return undefined;
      throw error;
    });
    return answer && Object.fromEntries((answer.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
  });
}

/**
 * Names of the kit's users that AWS has quarantined, as of the last minute: one request, and one more for each policy of that kind that is
 * in use.
 */
export const quarantinedUsers = kept(60_000, async (aws): Promise<ReadonlySet<string>> => {
  const { paginateListPolicies, paginateListEntitiesForPolicy } = await import('@aws-sdk/client-iam');
  const client = await aws.iam();
  const found = new Set<string>();
  try {
    for await (const { Policies = [] } of paginateListPolicies({ client }, { Scope: 'AWS', OnlyAttached: true }))
      for (const { PolicyName = '', Arn: PolicyArn } of Policies)
        if (PolicyName.startsWith(QUARANTINE_POLICY))
          for await (const { PolicyUsers = [] } of paginateListEntitiesForPolicy(
            { client },
            { PolicyArn, EntityFilter: 'User', PathPrefix: IAM_ROOT_PATH },
          ))
            for (const { UserName = '' } of PolicyUsers) found.add(UserName);
  } catch (error) {
    // Who may not look goes on: a key that does not work is found out when it is tried.
    if (!isDenied(error)) throw failure(error, 'list the users that AWS has quarantined (iam:ListPolicies, iam:ListEntitiesForPolicy)');
  }
  return found;
});

/** What is attached to a user by someone else's hand: the kit's users have inline policies only. */
export async function attachments(aws: Aws, UserName: string): Promise<string[]> {
  const sdk = await import('@aws-sdk/client-iam');
  const iam = await aws.iam();
  const [{ AttachedPolicies = [] }, { Groups = [] }] = await Promise.all([
    iam.send(new sdk.ListAttachedUserPoliciesCommand({ UserName })),
    iam.send(new sdk.ListGroupsForUserCommand({ UserName })),
  ]);
  return [...AttachedPolicies.map(({ PolicyName }) => `policy ${PolicyName}`), ...Groups.map(({ GroupName }) => `group ${GroupName}`)];
}

/** What keeps a user that has no keys from being deleted. Who may not look finds out by trying. */
const obstaclesTo = (aws: Aws, user: string): Promise<string[]> =>
  attachments(aws, user).catch((error: unknown) => {
    if (!isDenied(error)) throw error;
    return [];
  });

async function readUsers(aws: Aws, teams: readonly string[], { only, uses }: Parameters<KeysPort['users']>[1] = {}): Promise<UserRecord[]> {
  const [all, quarantined] = await Promise.all([userNames(aws), quarantinedUsers(aws)]);
  const sdk = await import('@aws-sdk/client-iam');
  const client = await aws.iam();
  const readUse = async (AccessKeyId: string): Promise<LastUse> => {
    const { AccessKeyLastUsed: used } = await client.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId }));
    return used?.LastUsedDate === undefined ? {} : { lastUsedAt: used.LastUsedDate.toISOString(), lastUsedService: used.ServiceName };
  };
  const readKeys = async (UserName: string): Promise<UserRecord['keys']> => {
    const { AccessKeyMetadata = [] } = await client.send(new sdk.ListAccessKeysCommand({ UserName }));
    return Promise.all(
      AccessKeyMetadata.map(async ({ AccessKeyId: id = '', Status, CreateDate }) => {
        const lastUse = uses?.get(id) ?? (await readUse(id));
        return {
          id,
          status: Status === 'Active' ? ('Active' as const) : ('Inactive' as const),
          createdAt: (CreateDate ?? new Date(0)).toISOString(),
          ...lastUse,
        };
      }),
    );
  };
  const readUser = async (name: string, path: string): Promise<UserRecord | undefined> => {
    try {
      const [keys, tags] = await Promise.all([readKeys(name), userTags(aws, name)]);
      const attached = keys.length === 0 ? await obstaclesTo(aws, name) : [];
      return (
        tags && {
          ...{ name, path, keys, tags },
          ...(quarantined.has(name) ? { quarantined: true } : {}),
          ...(attached.length === 0 ? {} : { attached }),
        }
      );
    } catch (error) {
      // Deleted between the list and the look.
      if (isMissing(error, 'user or key')) return undefined;
      throw error;
    }
  };
  const paths = new Set(teams.flatMap((team) => ACCESSES.map((access) => iamPath(access, team))));
  const own = all.filter(({ name, path }) => paths.has(path) && (only === undefined || name === only));
  return (await pMap(own, ({ name, path }) => readUser(name, path), { concurrency: 5 })).filter((user) => user !== undefined);
}
