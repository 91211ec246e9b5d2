import { accessOf, type Mode } from '../../contract/index.js';
import { appsOf, bucketOf, teamsOf, type Draft, type DraftTeam, type Rule } from './draft.js';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const RESOURCES_A_STACK = 500;
/** User, policy and secret. */
const RESOURCES_A_PRINCIPAL = 3;
/** Bucket, its policy, and room. */
const RESOURCES_BESIDE = 10;
/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const USERS_AN_ACCOUNT = 5_000;

const principals = (team: DraftTeam): number => {
  const keys = appsOf(team).flatMap(([name, app]) => {
    const access = app.mode === undefined ? undefined : accessOf(app.mode as Mode, app.clean ?? true);
    if (access === undefined) return [];
    return [team.credentials === 'per-app' ? `${name}/${access}` : access];
  });
  return new Set(keys).size;
};

export const stackResources: Rule = (draft, report) => {
  const most = Math.floor((RESOURCES_A_STACK - RESOURCES_BESIDE) / RESOURCES_A_PRINCIPAL);
  for (const [name, team] of teamsOf(draft)) {
    const count = principals(team);
    if (count > most)
      report(['teams', name, 'credentials'], `makes ${count} users, and a CloudFormation stack has room for ${most}`, {
        hint: 'use per-mode, or split the team',
      });
  }
};

const accountOf = (draft: Draft, team: DraftTeam): string | undefined => {
  const bucket = bucketOf(team);
  return bucket?.shared === undefined ? bucket?.account : (draft.buckets?.[bucket.shared] as { account?: string } | undefined)?.account;
};

export const usersAnAccount: Rule = (draft, report) => {
  const users = new Map<string, number>();
  for (const [, team] of teamsOf(draft)) {
    const account = accountOf(draft, team);
    if (account !== undefined) users.set(account, (users.get(account) ?? 0) + principals(team));
  }
  for (const [account, count] of users) {
    if (count > USERS_AN_ACCOUNT)
      report(['teams'], `make ${count} users in account ${account}, and IAM has room for ${USERS_AN_ACCOUNT}`, {
        at: 'key',
        hint: 'use credentials: per-mode',
      });
  }
};
