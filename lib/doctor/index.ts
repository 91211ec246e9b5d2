import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { buildpacksWanted, signingBuildpackUrl } from '../buildpack/signing.js';
import { bucketsOf } from '../config/derive.js';
import { hasStack } from '../config/environments.js';
import type { KitConfig, Team } from '../config/model.js';
import { teamStackName, type KeyPair } from '../contract/index.js';
import type { Left } from '../deploy/left.plan.js';
import { stackState } from '../deploy/stack.client.js';
import { Vault } from '../engine/run/vault.js';
import { REFILL_MS } from '../heroku/gate.js';
import type { Heroku } from '../heroku/heroku.js';
import { inStep, type IoHost } from '../io/io-host.js';
import { registerOf } from '../smoke/register.client.js';
import { leftoversOf } from '../smoke/leftovers.client.js';
import { appFacts, type AppQuestion } from './apps.client.js';
import { bucketFacts } from './buckets.client.js';
import { buildpackFacts } from './buildpack.client.js';
import { runChecks } from './checks/index.js';
import type { Finding, Observation, TeamFacts } from './model.js';
import { principalFacts } from './principals.client.js';
import { probeApp, probePrincipal } from './probes.client.js';
import { Reader } from './reader.js';

export interface DoctorOptions {
  readonly config: KitConfig;
  readonly teams: readonly Team[];
  /** What an earlier file made and this one no longer names. Default: it is not known. */
  readonly left?: Left;
  readonly aws: (region: string) => Aws;
  readonly heroku: Heroku;
  readonly io: IoHost;
  /** Also upload and delete an object as each principal; without it nothing is changed anywhere. */
  readonly writeProbe: boolean;
  /** Teams, and buckets, that are looked at side by side. Default: 5. */
  readonly concurrency?: number;
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
  const findings = runChecks(await observe(options));
  return { findings, ok: findings.every(({ severity }) => severity !== 'broken') };
}

/** To Heroku, for each app. */
const REQUESTS = 7;

/** All that the checks are run on; without secrets. */
async function observe(options: DoctorOptions): Promise<Observation> {
  const { config, teams, aws, heroku, io, signal, concurrency = 5 } = options;
  const apps = teams.reduce((sum, team) => sum + team.apps.length, 0);
  const hours = (apps * REQUESTS * REFILL_MS) / 3_600_000;
  if (hours > 1)
    io.warn(
      `asking ${apps} apps takes ${apps * REQUESTS} requests, about ${Math.round(hours)} h at Heroku's rate; name teams to ask fewer`,
    );
  const buckets = await inStep(io, 'looking at buckets', () =>
    pMap(bucketsOf(teams), (bucket) => bucketFacts(aws(bucket.spec.region), bucket, signal), { concurrency }),
  );
  const url = await signingBuildpackUrl(config, teams);
  const [stacks, buildpack, strays] = await Promise.all([
    heroku.stacks(),
    buildpackFacts(url, config, teams, aws, signal),
    leftoversOf(heroku),
  ]);
  const shared = {
    buildpacks: new Map(buildpacksWanted(config, teams, url).map(({ app, desired }) => [app, desired])),
    stacks: new Map(stacks.map(({ name, state }) => [name, state])),
  };
  const facts = await inStep(io, 'looking at keys and apps, and asking S3 as each key', () =>
    pMap(teams, (team) => teamFacts(options, team, shared), { concurrency }),
  );
  return {
    config,
    left: options.left,
    at: new Date().toISOString(),
    buckets,
    teams: facts,
    strays,
    ...(buildpack === undefined ? {} : { buildpack }),
  };
}

async function teamFacts(options: DoctorOptions, team: Team, shared: Pick<AppQuestion, 'buildpacks' | 'stacks'>): Promise<TeamFacts> {
  const { config, heroku, writeProbe, signal } = options;
  const reader = new Reader(signal);
  // Secrets are in these two and nowhere else.
  const vault = new Vault();
  const held = new Map<string, KeyPair>();
  const aws = team.bucket && options.aws(team.bucket.spec.region);
  const name = teamStackName(team.name);
  const [principals = [], stack, apps, smokeApps] = await Promise.all([
    aws && principalFacts(aws, team, vault, reader),
    aws && hasStack(team) ? reader.read('its stack', () => stackState(aws, name)) : undefined,
    appFacts({ config, heroku, team, held, signal, aws, ...shared }),
    aws && reader.readIfAny('apps of its smoke deploys (s3:ListBucket, s3:GetObject)', 'bucket', async () => registerOf(aws, team)?.all()),
  ]);
  const probing = aws && team.bucket && { config, team, bucket: team.bucket, principals, aws, writeProbe, signal };
  return {
    team,
    ...(stack ? { stack: { name, exists: stack.exists, status: stack.status } } : {}),
    principals: probing ? await pMap(principals, (one) => probePrincipal(probing, one, vault), { concurrency: 3 }) : principals,
    ...(smokeApps ? { smokeApps } : {}),
    apps: probing ? await pMap(apps, (app) => probeApp(probing, app, held.get(app.name)), { concurrency: 5 }) : apps,
    unread: reader.unread,
  };
}
