import { accessOf, type Mode } from '../../contract/index.js';
import { bucketOf, holdersOf, ofTeams, teamsOf, type Draft, type DraftTeam, type Rule } from './draft.js';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const RESOURCES_A_STACK = 500;
/** User, with its policy, and secret. */
const RESOURCES_A_PRINCIPAL = 2;
/** Bucket, its policy, and room for more. */
const RESOURCES_BESIDE = 10;
/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const USERS_AN_ACCOUNT = 5_000;

const principals = (team: DraftTeam): number => {
  const keys = holdersOf(team).flatMap(({ path: [kind, name], app }) => {
    const access = app.mode === undefined ? undefined : accessOf(app.mode as Mode, app.clean ?? true);
    if (access === undefined) return [];
    return [team.credentials === 'per-app' && kind === 'apps' ? `${name}/${access}` : access];
  });
  return new Set(keys).size;
};

export const stackResources = ofTeams((team, report) => {
  const most = Math.floor((RESOURCES_A_STACK - RESOURCES_BESIDE) / RESOURCES_A_PRINCIPAL);
  const count = principals(team);
  if (count > most)
    report(['credentials'], `makes ${count} users, and a CloudFormation stack has room for ${most}`, {
      hint: 'use per-mode, or split the team',
    });
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html (template in S3) */
const BYTES_A_TEMPLATE = 1_000_000;
/** User and secret with their longest names, policy and tags of the kit's. */
const BYTES_A_PRINCIPAL = 4_020;

/** What the team's own tags make of its template: they are on each user and each secret. */
export const templateSize = ofTeams((team, report) => {
  const tags = Object.entries({ ...team.tags, ...bucketOf(team)?.tags }).map(([Key, Value]) => ({ Key, Value }));
  const count = principals(team);
  const bytes = (count + 1) * (BYTES_A_PRINCIPAL + 2 * Buffer.byteLength(JSON.stringify(tags)));
  if (bytes > BYTES_A_TEMPLATE)
    report(
      ['credentials'],
      `makes a template of ${bytes} bytes with ${count} users and ${tags.length} tags on each, and CloudFormation takes ${BYTES_A_TEMPLATE}`,
      { hint: 'use per-mode, fewer or shorter tags, or split the team' },
    );
});

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
