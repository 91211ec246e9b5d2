import type { BucketSpec, KitConfig, Team } from '../config/model.js';
import { BUILDPACK_STACK, bucketStackName, buildpackBucketName, KIT_OWNERS, teamStackName } from '../contract/index.js';
import { buildpackEnvironments, hasStack } from '../config/environments.js';
import type { KitError } from '../errors.js';

/** A stack that `teams` need, and the bucket in it, if any: its name is known before it is made. */
export interface StackTarget {
  readonly name: string;
  readonly region: string;
  /** `owner`: whose it is, as its default name says. */
  readonly bucket?: Pick<BucketSpec, 'name' | 'account'> & { readonly owner: string };
  /** The file's; undefined where all files of an account share the stack. */
  readonly deployment?: string;
  /** Stack that the team had under the name before: it goes first, and what is in it stays. */
  readonly was?: string;
}

/** In the order they are deployed: the buildpack's, shared buckets', teams'. Pure. */
export function stacksFor(config: KitConfig, teams: readonly Team[]): StackTarget[] {
  const withStack = teams.filter(hasStack);
  const { deployment } = config;
  const shared = new Set(withStack.flatMap((team) => (team.bucket?.kind === 'shared' ? [team.bucket.shared] : [])));
  return [
    ...buildpackEnvironments(config, withStack).map(({ account, region }) => ({
      name: BUILDPACK_STACK,
      region,
      bucket: { name: buildpackBucketName(account, region), account, owner: KIT_OWNERS.buildpack },
    })),
    ...config.buckets
      .filter((bucket) => shared.has(bucket.id))
      .map((bucket) => ({ name: bucketStackName(bucket.id), region: bucket.region, deployment, bucket: { ...bucket, owner: bucket.id } })),
    ...withStack.flatMap((team) =>
      team.bucket === undefined
        ? []
        : [
            {
              name: teamStackName(team.name),
              region: team.bucket.spec.region,
              deployment,
              ...(team.was === undefined ? {} : { was: teamStackName(team.was) }),
              ...(team.bucket.kind === 'own' ? { bucket: { ...team.bucket.spec, owner: team.was ?? team.name } } : {}),
            },
          ],
    ),
  ];
}

/** Why a team cannot go on: a stack that it needs is not as it should be. Undefined where it can. */
export const stackFailed = (config: KitConfig, team: Team, failed: ReadonlyMap<string, KitError>): KitError | undefined =>
  stacksFor(config, [team])
    .map(({ name }) => failed.get(name))
    .find((error) => error !== undefined);

/** What one stack's deployment would change, from the template alone; and what is wrong with the stack itself. */
export interface StackChanges {
  readonly stack: string;
  readonly changes: ReadonlyArray<{
    readonly action: 'create' | 'update' | 'replace' | 'delete';
    readonly type: string;
    readonly logicalId: string;
    /** What it is called in AWS, where its template says so. */
    readonly name?: string;
    readonly properties?: readonly string[];
    /** With `delete`: it leaves the stack, and stays. */
    readonly stays?: boolean;
    /** Of what it was and will be, so that two changes of the same property can be told apart. */
    readonly digest?: string;
  }>;
  /** The stack is not there yet. */
  readonly isNew?: true;
  /** Statements of IAM policies that come and go; of users that leave the stack, and stay, none goes. */
  readonly statements?: readonly StatementChange[];
  /** Its status where it must be deployed although its template may be the same. */
  readonly failed?: FailedStatus;
}

/** As the CDK writes them: several values on lines of their own. */
export interface StatementChange {
  readonly action: 'add' | 'remove';
  readonly effect: string;
  readonly actions: string;
  readonly resource: string;
  readonly principal: string;
  readonly condition: string;
}

const NAMES = ['BucketName', 'UserName', 'Name'] as const;

/** What a resource is called, or what it is of, where the template says so. */
export function nameOf(
  id: string,
  resources: Readonly<Record<string, { readonly Properties?: Readonly<Record<string, unknown>> }>> = {},
): string | undefined {
  const { Properties = {} } = resources[id] ?? {};
  const { Ref: of } = (Properties.Bucket ?? {}) as { readonly Ref?: string };
  return NAMES.map((name) => Properties[name]).find((name) => typeof name === 'string') ?? (of && nameOf(of, resources));
}

export type FailedStatus = keyof typeof FAILED;

/** A stack in one of these answers the template that was asked for, while nothing, or not all, of it is there. */
const FAILED = {
  ROLLBACK_COMPLETE: 'its last creation failed: is made anew',
  ROLLBACK_FAILED: 'its last creation failed: is made anew',
  CREATE_FAILED: 'its last creation failed: is made anew',
  DELETE_FAILED: 'its last deletion failed: is completed, and the stack made anew',
  UPDATE_FAILED: 'its last change failed: is rolled back first',
  UPDATE_ROLLBACK_FAILED: 'the rollback of its last change failed: is taken up again',
  CREATE_IN_PROGRESS: 'is being made: is waited for',
  ROLLBACK_IN_PROGRESS: 'its creation is being rolled back: is waited for, and the stack made anew',
  UPDATE_IN_PROGRESS: 'is being changed: is waited for',
  UPDATE_ROLLBACK_IN_PROGRESS: 'its last change is being rolled back: is waited for',
} as const;

/** @param status - CloudFormation's; undefined where there is no such stack. */
export const stackChanges = (diff: StackChanges, status: string | undefined): StackChanges =>
  status !== undefined && status in FAILED ? { ...diff, failed: status as FailedStatus } : diff;

export const isStackChanged = (stack: StackChanges): boolean => stack.changes.length > 0 || stack.failed !== undefined;

export const inWordsOf = (failed: FailedStatus): string => FAILED[failed];
