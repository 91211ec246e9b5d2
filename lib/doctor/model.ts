import type { PublicAccessSetting } from '../buildpack/public-access.js';
import type { Environment } from '../config/environments.js';
import type { BucketSpec, KitConfig, Team } from '../config/model.js';
import type { ServedBuildpack } from '../buildpack/served.client.js';
import type { PolicyDocumentJson } from '../constructs/policies.js';
import type { DesiredConfigVars } from '../contract/index.js';
import type { Left } from '../deploy/left.plan.js';
import type { AppState, PrincipalState } from '../engine/model.js';
import { desiredHolding } from '../engine/plan/apps.plan.js';
import type { BuildpackPlan } from '../heroku/buildpacks.plan.js';
import type { Build, Dyno, HerokuApp, Release } from '../heroku/heroku.js';
import type { NotedApp } from '../smoke/register.client.js';
import type { Refusal, RefusalContext, Refused } from '../storage/refusals.js';

/** Something that is, or may be, wrong. */
export interface Finding extends Pick<Refusal, 'message' | 'looksLike' | 'fix'> {
  /** Stable and kebab-case: `sigv2-refused`. */
  readonly name: string;
  /** `broken`: builds fail, or go without what is stored; `warning`: they may; `info`: worth knowing. */
  readonly severity: 'broken' | 'warning' | 'info';
  /** `bucket NAME`, `principal TEAM/ACCESS`, `app NAME`, `pipeline:NAME:STAGE`, `stack NAME`, `buildpack`. */
  readonly subject: string;
}

/** All that the checks are made on: plain data without secrets. What could not be read is undefined, and named in `unread`. */
export interface Observation {
  readonly config: KitConfig;
  /** ISO 8601. */
  readonly at: string;
  readonly buckets: readonly BucketFacts[];
  readonly teams: readonly TeamFacts[];
  readonly buildpack?: BuildpackFacts;
  /** Apps that by name and age an earlier smoke deploy left behind, of whatever team. */
  readonly strays?: readonly string[];
  /** What an earlier file made and this one no longer names; undefined where that could not be seen. */
  readonly left?: Left;
}

export interface TeamFacts {
  readonly team: Team;
  /** Undefined where the team has no stack to have. */
  readonly stack?: { readonly name: string; readonly exists: boolean; readonly status?: string };
  readonly principals: readonly PrincipalFacts[];
  readonly apps: readonly AppFacts[];
  /** Apps that its smoke deploys have written down: under way, or killed. */
  readonly smokeApps?: readonly NotedApp[];
  /** `what: why`. */
  readonly unread: readonly string[];
}

export interface BucketFacts {
  readonly name: string;
  readonly spec: BucketSpec;
  readonly kind: 'own' | 'shared' | 'existing';
  /** A team that uses it, for commands. */
  readonly team: string;
  readonly state: 'present' | 'gone' | 'forbidden' | 'elsewhere' | 'unknown';
  /** With `elsewhere`. */
  readonly region?: string;
  /** Object Ownership; null: none is set. */
  readonly ownership?: string | null;
  /** Block Public Access; null: none is set. */
  readonly publicAccess?: Readonly<
    Record<'BlockPublicAcls' | 'IgnorePublicAcls' | 'BlockPublicPolicy' | 'RestrictPublicBuckets', boolean>
  > | null;
  /** null: none. */
  readonly policy?: PolicyJson | null;
  readonly encryption?: { readonly algorithm: string; readonly keyArn?: string } | null;
  readonly versioning?: boolean;
  readonly objects?: ObjectFacts;
  readonly unread: readonly string[];
}

/** Halcyon lists one page of 1,000 keys, of one kind of archive in one directory. */
export const LISTED_PAGE = 1_000;
/** S3 takes 5 GB in one PUT, which is all that Halcyon makes; told in time. */
export const LARGE_BYTES = 4 * 1024 ** 3;

export interface ObjectFacts {
  readonly counted: number;
  /** Not everything was counted. */
  readonly more: boolean;
  /** What Halcyon lists in one request, with more than a page's worth of keys. */
  readonly crowded: ReadonlyArray<{ readonly prefix: string; readonly keys: number }>;
  readonly large: ReadonlyArray<{ readonly key: string; readonly bytes: number }>;
}

/** A policy as AWS returns it. */
export type PolicyJson = { readonly Statement?: unknown } & Partial<Omit<PolicyDocumentJson, 'Statement'>>;

export interface PrincipalFacts extends PrincipalState {
  /** Inline policies by name. */
  readonly policies?: Readonly<Record<string, PolicyJson>>;
  /** Managed policies and groups. */
  readonly attached?: readonly string[];
  readonly probe?: ProbeFacts;
  readonly unread: readonly string[];
}

/** Requests as a key, exactly as Halcyon makes them, and what came of them. */
export interface ProbeFacts {
  readonly context: RefusalContext;
  readonly results: ReadonlyArray<Refused & { readonly expected: 'allowed' | 'denied' }>;
  /** What was uploaded and could not be removed, and why. */
  readonly left?: string;
}

/** Config vars that Halcyon reads and that are not the kit's, as far as a check asks for them. */
export const SWITCHES = ['HALCYON_URL', 'HALCYON_PURGE_CACHE', 'HALCYON_NO_BUILD_DEPENDENCIES', 'HALCYON_NO_PRIVATE_STORAGE'] as const;

export interface AppFacts extends AppState {
  /** Undefined where Heroku does not show the app. */
  readonly info?: HerokuApp;
  /** `available`, `deprecated`, … of the app's stack. */
  readonly stackState?: string;
  readonly switches: Readonly<Partial<Record<(typeof SWITCHES)[number], string>>>;
  readonly buildpacks?: readonly string[];
  readonly buildpackPlan?: BuildpackPlan;
  /** Newest first. */
  readonly releases?: readonly Release[];
  /** Pending ones. */
  readonly builds?: readonly Build[];
  /** Of its current release. */
  readonly processTypes?: readonly string[];
  /** Its newest successful build: what it deployed, and whether the next of the same source finds that in the bucket. */
  readonly lastBuild?: {
    readonly releaseId?: string;
    readonly buildpackOnly: boolean;
    readonly install?: string;
    readonly stored?: boolean;
  };
  /** Running one-off dynos. */
  readonly oneOffs?: readonly Dyno[];
  /** With the app's own config vars, where they are not what they should be. */
  readonly probe?: ProbeFacts;
  readonly unread: readonly string[];
}

/** The SigV4 buildpack, where apps get it from. */
export interface BuildpackFacts extends ServedBuildpack {
  /** Where the kit hosts it, if it does. */
  readonly hosted?: Environment;
  /** What the whole account there blocks of public access. */
  readonly blocks?: readonly PublicAccessSetting[];
  readonly unread: readonly string[];
}

/** What is wrong in an observation, as far as one question goes; pure. */
export type Check = (observation: Observation) => Finding[];

/** The principal whose key an app should hold. */
export const principalFor = ({ user }: AppFacts, principals: readonly PrincipalFacts[]): PrincipalFacts | undefined =>
  principals.find((principal) => principal.user === user);

/** What an app should have, with the current key where that is known; a secret as its fingerprint. */
export const desiredOf = (app: AppFacts, principals: readonly PrincipalFacts[]): DesiredConfigVars =>
  desiredHolding(principalFor(app, principals)?.current, app, principals) ?? app.wanted;
