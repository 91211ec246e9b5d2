import { CreateStackCommand, DescribeStacksCommand, waitUntilStackCreateComplete } from '@aws-sdk/client-cloudformation';
import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { Access, Acl } from '../../../lib/contract/index.js';
import { teamStackName } from '../../../lib/contract/index.js';
import { DEFAULT_GHC, installKey, installTree, platformOf } from '../../../lib/smoke/archive.js';
import { Objects } from '../../../lib/smoke/objects.client.js';
import { attempts, plantedKeys } from '../../../lib/smoke/requests.plan.js';
import { tarball } from '../../../lib/tarball.js';
import { Actor, source, type Deployment, type Source } from './actor.js';
import { insistOnOwnership, type Stage } from './stage.js';
import { toolchain } from './toolchain.js';
import { EVERY } from '../../support/every.js';

/** A place for packages, and the app that archives in it. */
export interface Place {
  readonly what: string;
  readonly app: string;
  readonly region: string;
  readonly stack: string;
  readonly access: Access;
  readonly acl: Acl;
  readonly prefix?: string;
  /** Prefixes of other teams in the same bucket. */
  readonly others?: readonly string[];
}

const FULL = 'bucket-owner-full-control';
const upload = { access: 'upload', stack: 'heroku-24', acl: FULL } as const;

/**
 * Three regions, two stacks, every ACL, every kind of bucket that halcyon.yaml knows. With a KMS key only the policies differ: the local
 * CloudFormation leaves a bucket's encryption out.
 */
const ALL: readonly Place[] = [
  {
    ...upload,
    what: 'a prefix of a shared bucket',
    app: 'alpha-web',
    region: 'us-east-1',
    stack: 'heroku-22',
    prefix: 'alpha',
    others: ['beta'],
  },
  { ...upload, what: 'another team’s prefix of it', app: 'beta-web', region: 'us-east-1', prefix: 'beta', others: ['alpha'] },
  { ...upload, what: 'an existing bucket, a prefix with a slash', app: 'guest-web', region: 'us-east-1', prefix: 'teams/guest' },
  { ...upload, what: 'a bucket of its own, public-read', app: 'open-web', region: 'eu-west-1', acl: 'public-read' },
  { ...upload, what: 'a bucket of its own, private', app: 'closed-web', region: 'eu-west-1', acl: 'private' },
  { ...upload, what: 'a bucket of its own with a KMS key', app: 'locked-web', region: 'eu-central-1' },
  { ...upload, what: 'a bucket of its own beside the public one', app: 'tide-web', region: 'eu-central-1' },
];
/** Those that differ most; all of them with HALCYON_EVERY=1. */
export const PLACES = ALL.filter(({ app }) => EVERY || !['beta-web', 'closed-web', 'locked-web'].includes(app));

/** Stands for the public bucket that Halcyon's authors once ran. */
const PUBLIC_BUCKET = 'halcyon-for-everyone';
const EXISTING = 'was-here-before';

const file = (account: string, kmsKeyArn: string): string => {
  const at = (region: string, more = '') => `{ account: '${account}', region: ${region}${more} }`;
  return `buckets:
  common: ${at('us-east-1')}
teams:
  alpha: { bucket: { shared: common, prefix: alpha }, apps: { alpha-web: { mode: upload } } }
  beta: { bucket: { shared: common, prefix: beta }, apps: { beta-web: { mode: upload } } }
  guest: { bucket: ${at('us-east-1', `, existing: ${EXISTING}, prefix: teams/guest`)}, apps: { guest-web: { mode: upload } } }
  open: { bucket: ${at('eu-west-1', ', acl: public-read, allowPublicRead: true')}, apps: { open-web: { mode: upload } } }
  closed: { bucket: ${at('eu-west-1', ', acl: private')}, apps: { closed-web: { mode: upload } } }
  locked: { bucket: ${at('eu-central-1', `, kmsKeyArn: '${kmsKeyArn}'`)}, apps: { locked-web: { mode: upload } } }
  tide:
    bucket: ${at('eu-central-1')}
    publicStorage: fallback
    apps: { tide-web: { mode: upload }, tide-lab: { mode: public } }
signing: { version: 4, buildpack: hosted }
`;
};

/** Everything that {@link PLACES} stand on, and what is public: a compiler, and all of `lab`'s app. */
export async function furnish(stage: Stage, lab: Source): Promise<void> {
  const { aws, account, heroku } = stage;
  const s3 = await aws('us-east-1').s3();
  for (const Bucket of [EXISTING, PUBLIC_BUCKET]) await s3.send(new CreateBucketCommand({ Bucket }));
  const Rules = [{ ObjectOwnership: 'BucketOwnerEnforced' as const }];
  await s3.send(new PutBucketOwnershipControlsCommand({ Bucket: EXISTING, OwnershipControls: { Rules } }));

  await s3.send(new DeletePublicAccessBlockCommand({ Bucket: PUBLIC_BUCKET }));
  const arn = `arn:aws:s3:::${PUBLIC_BUCKET}`;
  const Statement = [{ Effect: 'Allow', Principal: '*', Action: ['s3:GetObject', 's3:ListBucket'], Resource: [arn, `${arn}/*`] }];
  await s3.send(new PutBucketPolicyCommand({ Bucket: PUBLIC_BUCKET, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  const platform = platformOf('heroku-24') ?? '';
  const install = { platform, ghc: DEFAULT_GHC, label: lab.label, hash: lab.hash };
  const archive = tarball(installTree(install, lab.label.replace(/-1\.0$/, ''), lab.nonce));
  for (const [Key, Body] of [...toolchain(platform), [installKey(install), archive] as const])
    await s3.send(new PutObjectCommand({ Bucket: PUBLIC_BUCKET, Key, Body }));

  await stage.makeApps({ ...Object.fromEntries(ALL.map(({ app, stack }) => [app, stack])), 'tide-lab': 'heroku-24' });
  for (const { app } of ALL.filter((place) => place.app !== 'alpha-web')) {
    // Upstream's own switch: dependencies are built, and archived, without a one-off dyno.
    await heroku.patchConfigVars(app, { HALCYON_NO_BUILD_DEPENDENCIES: '0' });
  }
  for (const app of ['tide-web', 'tide-lab'])
    await heroku.patchConfigVars(app, { HALCYON_PUBLIC_STORAGE_URL: `${stage.sandbox.aws.url}/${PUBLIC_BUCKET}` });
  await stage.up(file(account, await makeKey(stage)));
  for (const team of ['open', 'closed']) await insistOnOwnership(aws('eu-west-1'), teamStackName(team));
}

/** @returns ARN of a KMS key, as a team's own stack would make it. */
async function makeKey(stage: Stage): Promise<string> {
  const cloudformation = await stage.aws('eu-central-1').cloudformation();
  const StackName = 'keys';
  const template = { Resources: { Key: { Type: 'AWS::KMS::Key' } }, Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } } } };
  await cloudformation.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template) }));
  const patience = { client: cloudformation, maxWaitTime: 60, minDelay: 1, maxDelay: 1 };
  await waitUntilStackCreateComplete(patience, { StackName });
  const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
  return Stacks?.[0]?.Outputs?.[0]?.OutputValue ?? '';
}

/** What an app did in its place: from nothing to deployed, then each of Halcyon's requests, the forbidden ones too. */
export interface Stay {
  readonly actor: Actor;
  readonly source: Source;
  /** All that happened until the app was deployed: one act, or the guide's three. */
  readonly acts: readonly (Deployment | Awaited<ReturnType<Actor['build']>>)[];
  readonly deployed: Deployment;
  readonly attempts: Awaited<ReturnType<Actor['attempt']>>;
}

export async function playPlace(stage: Stage, place: Place): Promise<Stay> {
  const actor = await Actor.enter(stage, place.app);
  const of = source(place.app);
  if (place.app !== 'tide-web') await actor.plantToolchain(place.region);
  const acts: Array<Stay['acts'][number]> = [];
  let deployed = await actor.deploy(of);
  acts.push(deployed);
  if (deployed.log.buildpackOnly) {
    acts.push(await actor.build());
    acts.push((deployed = await actor.deploy(of)));
  }
  const ground = { ...place, run: place.app, others: place.others ?? [] };
  const objects = new Objects(stage.aws(place.region), { name: actor.bucket, account: stage.account });
  const theirs = ground.others.map((prefix) => `${prefix}/${place.app}/present`);
  await Promise.all([...plantedKeys(ground), ...theirs].map((key) => objects.put(key, 'present\n')));
  return { actor, source: of, acts, deployed, attempts: await actor.attempt(attempts(ground)) };
}
