import pMap from 'p-map';
import type { Aws, KeyPair } from '../aws/aws.js';
import { s3Endpoint } from '../config/derive.js';
import type { KitConfig, Team } from '../config/model.js';
import { differing, teamStackName } from '../contract/index.js';
import { Vault } from '../engine/run/vault.js';
import { stackState } from '../deploy/stack.client.js';
import type { Heroku } from '../heroku/heroku.js';
import { inStep, type IoHost } from '../io/io-host.js';
import { hasStack } from '../config/environments.js';
import type { HalcyonStore } from '../storage/halcyon-requests.js';
import { observeApps } from './apps.client.js';
import { bucketsOf, observeBucket } from './buckets.client.js';
import { observeBuildpack, wantedBuildpacks } from './buildpack.client.js';
import { judge } from './checks/index.js';
import { Reader } from './guard.js';
import type { AppFacts, Finding, Observation, PrincipalFacts, ProbeFacts, TeamFacts } from './model.js';
import { observePrincipals } from './principals.client.js';
import { probe } from './probes.client.js';

export type { Finding, Observation } from './model.js';
export { judge } from './checks/index.js';

export interface DoctorOptions {
  readonly config: KitConfig;
  readonly teams: readonly Team[];
  readonly aws: (region: string) => Aws;
  readonly heroku: Heroku;
  readonly io: IoHost;
  /** Also upload and delete an object as each principal; without it nothing is changed anywhere. */
  readonly writeProbe: boolean;
  readonly signal?: AbortSignal;
}

export interface DoctorReport {
  /** The worst first. */
  readonly findings: Finding[];
  /** Nothing is broken. */
  readonly ok: boolean;
}

/**
 * Look at buckets, principals and apps of `teams`, make Halcyon's requests as each key, and say what is wrong.
 * What cannot be read becomes a finding. Throws KitError only where Heroku or AWS cannot be spoken to at all.
 */
export async function runDoctor(options: DoctorOptions): Promise<DoctorReport> {
  const findings = judge(await observe(options));
  return { findings, ok: findings.every(({ severity }) => severity !== 'broken') };
}

/** All that is judged; without secrets. */
export async function observe(options: DoctorOptions): Promise<Observation> {
  const { config, teams, aws, heroku, io, signal } = options;
  const buckets = await inStep(io, 'looking at buckets', () =>
    pMap(bucketsOf(teams), (question) => observeBucket(aws(question.spec.region), question, signal), { concurrency: 3 }),
  );
  const [buildpacks, stacks, buildpack] = await Promise.all([
    wantedBuildpacks(config, teams),
    heroku.stacks(),
    observeBuildpack(config, teams, signal),
  ]);
  const shared = { buildpacks, stacks: new Map(stacks.map(({ name, state }) => [name, state])) };
  const facts = await inStep(io, 'looking at keys and apps, and asking S3 as each key', () =>
    pMap(teams, (team) => observeTeam(options, team, shared), { concurrency: 2 }),
  );
  return { config, at: new Date().toISOString(), buckets, teams: facts, ...(buildpack === undefined ? {} : { buildpack }) };
}

type Shared = Pick<Parameters<typeof observeApps>[0], 'buildpacks' | 'stacks'>;

async function observeTeam(options: DoctorOptions, team: Team, shared: Shared): Promise<TeamFacts> {
  const { config, heroku, signal } = options;
  const reader = new Reader(signal);
  // Secrets are in these two and nowhere else.
  const vault = new Vault();
  const held = new Map<string, KeyPair>();
  const aws = team.bucket === undefined ? undefined : options.aws(team.bucket.spec.region);
  const stackName = teamStackName(team.name);
  const [principals = [], stack] =
    aws === undefined
      ? []
      : await Promise.all([
          observePrincipals(aws, team, vault, reader),
          hasStack(team) ? reader.read('its stack', () => stackState(aws, stackName)) : undefined,
        ]);
  const apps = await observeApps({ config, heroku, team, principals, vault, held, signal, ...shared });
  const asked = { options, team, aws };
  return {
    team,
    ...(stack ? { stack: { name: stackName, exists: stack.exists, status: stack.status } } : {}),
    principals: await pMap(principals, (principal) => probePrincipal(asked, principal, vault), { concurrency: 3 }),
    apps: await pMap(apps, (app) => probeApp(asked, app, principals, held), { concurrency: 5 }),
    unread: reader.unread,
  };
}

interface Asked {
  readonly options: DoctorOptions;
  readonly team: Team;
  readonly aws?: Aws;
}

async function probePrincipal({ options, team, aws }: Asked, principal: PrincipalFacts, vault: Vault): Promise<PrincipalFacts> {
  const { current } = principal;
  const secretAccessKey = current === undefined ? undefined : vault.secretOf(current);
  if (team.bucket === undefined || aws === undefined || !principal.declared || current === undefined || secretAccessKey === undefined)
    return principal;
  const { spec, prefix } = team.bucket;
  const store: HalcyonStore = {
    ...{ endpoint: s3Endpoint(spec), region: spec.region, bucket: spec.name, prefix, acl: spec.acl },
    ...{ signing: options.config.signing.version, key: { accessKeyId: current, secretAccessKey } },
  };
  const facts = await probe({
    store,
    access: principal.id.access,
    context: contextOf(store, team, [principal]),
    write: options.writeProbe,
    signal: options.signal,
    operator: aws,
  });
  return { ...principal, probe: facts };
}

/** An app that has what its principal has is answered as that is; another is asked for with its own config vars. */
async function probeApp(
  { options, team, aws }: Asked,
  app: AppFacts,
  principals: readonly PrincipalFacts[],
  held: ReadonlyMap<string, KeyPair>,
): Promise<AppFacts> {
  const key = held.get(app.app.name);
  const { vars = {}, wanted } = app;
  const [bucket = '', ...rest] = (vars.HALCYON_S3_BUCKET ?? '').split('/');
  const endpoint = vars.HALCYON_S3_ENDPOINT;
  const matters = ['HALCYON_AWS_SECRET_ACCESS_KEY', 'HALCYON_S3_BUCKET', 'HALCYON_S3_ENDPOINT', 'HALCYON_S3_REGION'];
  const same = !differing(vars, wanted).some((name) => matters.includes(name));
  // With another key, what matters is which one, and IAM has said what has become of it.
  const otherKey = vars.HALCYON_AWS_ACCESS_KEY_ID !== wanted.HALCYON_AWS_ACCESS_KEY_ID;
  if (key === undefined || aws === undefined || team.bucket === undefined || !bucket || !endpoint || same || otherKey) return app;
  const { spec } = team.bucket;
  const signing = options.config.signing.version;
  const store: HalcyonStore = {
    ...{ endpoint, bucket, key, signing, region: vars.HALCYON_S3_REGION ?? spec.region, acl: spec.acl },
    ...(rest.length > 0 ? { prefix: rest.join('/') } : {}),
  };
  const facts: ProbeFacts = await probe({
    ...{ store, context: contextOf(store, team, principals), operator: aws, signal: options.signal },
    ...{ access: 'read-only', write: false },
  });
  return { ...app, probe: facts };
}

function contextOf(store: HalcyonStore, team: Team, principals: readonly PrincipalFacts[]): ProbeFacts['context'] {
  const { endpoint, region, bucket, acl, signing, key } = store;
  const known = principals.flatMap(({ keys }) => keys).find(({ id }) => id === key.accessKeyId);
  return { endpoint, region, bucket, acl, signing, keyId: key.accessKeyId, keyStatus: known?.status ?? 'absent', team: team.name };
}
