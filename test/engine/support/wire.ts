import { CreateUserCommand, GetUserCommand, type IAMClient, ListAccessKeysCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { createAws, type Aws } from '../../../lib/aws/aws.js';
import { principalsOf } from '../../../lib/config/derive.js';
import { parseConfig, type KitConfig } from '../../../lib/config/index.js';
import type { Team } from '../../../lib/config/model.js';
import { userPolicy } from '../../../lib/constructs/policies.js';
import { iamPath, secretName, userName, TAGS } from '../../../lib/contract/index.js';
import type { EngineContext } from '../../../lib/engine/index.js';
import { createHeroku } from '../../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../../lib/heroku/heroku.js';
import { silentIo } from '../../../lib/io/io-host.js';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../../sandbox/index.js';

/** A sandbox, aimed at by this process's environment as a user's shell would be. */
export interface Wire {
  readonly sandbox: Sandbox;
  readonly aws: Aws;
  readonly heroku: Heroku;
  context(config: KitConfig): EngineContext;
  stop(): Promise<void>;
}

export const REGION = 'eu-west-1';

export async function startWire(options: SandboxOptions = {}): Promise<Wire> {
  const sandbox = await startSandbox({ ...options, heroku: { upstreamDir: null, ...options.heroku } });
  Object.assign(process.env, sandbox.env);
  const aws = createAws({ region: REGION });
  const heroku = createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url, patience: { baseMs: 5 } });
  return {
    sandbox,
    aws,
    heroku,
    // As a process of its own has it: what another has just asked of AWS is not known to it.
    context: (config) => ({
      ...{ config: { ...config, s3Url: aws.network.s3Url }, heroku, io: silentIo },
      aws: createAws({ region: REGION, network: aws.network }),
    }),
    stop: () => sandbox.stop(),
  };
}

/** A configuration of one team, as a file. */
export function configText(team: string, apps: Record<string, string>, extra = ''): string {
  const lines = Object.entries(apps).map(([app, settings]) => `      ${app}: { ${settings} }`);
  return `teams:\n  ${team}:\n    bucket: { account: "111122223333", region: ${REGION} }\n${extra}    apps:\n${lines.join('\n')}\nsigning: { version: 4, buildpack: "https://example.com/sigv4.tgz" }\n`;
}

export const configOf = (team: string, apps: Record<string, string>, extra = ''): KitConfig => parseConfig(configText(team, apps, extra));

/** What the team's stack would make, without the seconds a deployment takes; and its apps. */
export async function plant(wire: Wire, config: KitConfig): Promise<Team> {
  const team = config.teams[0] as Team;
  const spec = team.bucket?.spec;
  if (spec !== undefined) {
    const s3 = await wire.aws.s3();
    await s3.send(new HeadBucketCommand({ Bucket: spec.name })).catch(() => s3.send(new CreateBucketCommand({ Bucket: spec.name })));
    for (const principal of principalsOf(team)) await plantPrincipal(wire, team, principal);
  }
  for (const app of team.apps) await wire.sandbox.heroku.ensureApp(app.name);
  return team;
}

async function plantPrincipal(wire: Wire, team: Team, principal: ReturnType<typeof principalsOf>[number]): Promise<void> {
  const spec = team.bucket?.spec;
  if (spec === undefined) return;
  const iam = await wire.aws.iam();
  const UserName = userName(principal);
  const exists = await iam.send(new GetUserCommand({ UserName })).catch(() => undefined);
  if (exists !== undefined) return;
  const reach = { [TAGS.bucket]: spec.name, [TAGS.region]: spec.region, [TAGS.acl]: spec.acl };
  const Tags = Object.entries(reach).map(([Key, Value]) => ({ Key, Value }));
  await iam.send(new CreateUserCommand({ UserName, Path: iamPath(principal.access, team.name), Tags }));
  const policy = userPolicy({
    partition: 'aws',
    bucketName: spec.name,
    bucketAccount: spec.account,
    prefix: team.bucket?.prefix,
    access: principal.access,
    acl: spec.acl,
    region: spec.region,
  });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'halcyon', PolicyDocument: JSON.stringify(policy) }));
  await (await wire.aws.secrets()).send(new CreateSecretCommand({ Name: secretName(principal) }));
}

export async function keysOf(wire: Wire, user: string): Promise<Array<{ id: string; status: string }>> {
  const iam: IAMClient = await wire.aws.iam();
  const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName: user }));
  return AccessKeyMetadata.map(({ AccessKeyId = '', Status = '' }) => ({ id: AccessKeyId, status: Status }));
}
