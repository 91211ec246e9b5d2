import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { createAws, type Aws } from '../../../lib/aws/aws.js';
import { packBuildpack } from '../../../lib/buildpack/pack.js';
import { bucketPolicy, userPolicy } from '../../../lib/constructs/policies.js';
import { iamPath, userName, type Access, type Acl, type AppStorage, type KeyPair } from '../../../lib/contract/index.js';
import { createHeroku } from '../../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../../lib/heroku/heroku.js';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../../sandbox/index.js';
import { accessOfCell, type Cell } from './cells.js';

const PARTITION = 'aws';
/** Where version 2 was known before 2014, and where it never was. */
const REGIONS = { 2: 'us-east-1', 4: 'eu-central-1' } as const;
const ACL: Acl = 'bucket-owner-full-control';
const PREFIXES = { own: undefined, 'shared prefix': 'alpha', 'existing, slash prefix': 'teams/alpha' } as const;

/** What a cell's app is given. */
interface Ground {
  readonly storage: AppStorage;
  readonly key?: KeyPair;
  readonly userArn?: string;
  readonly aws?: Aws;
}

/** A sandbox with the buckets and principals that cells ask for, each made once by hand, with the kit's policies. */
export interface Rig {
  readonly sandbox: Sandbox;
  readonly heroku: Heroku;
  /** URL of the packed SigV4 buildpack. */
  readonly buildpackUrl: string;
  ground(cell: Cell): Promise<Ground>;
  stop(): Promise<void>;
}

export async function startRig(options: SandboxOptions['heroku'] = {}): Promise<Rig> {
  const dir = mkdtempSync(join(tmpdir(), 'halcyon-upstream-'));
  const sandbox = await startSandbox({ heroku: options });
  Object.assign(process.env, sandbox.env);
  const buildpack = join(dir, 'halcyon-sigv4.tgz');
  writeFileSync(buildpack, (await packBuildpack()).tgz);
  const once = new Map<string, Promise<unknown>>();
  const made = <T>(name: string, make: () => Promise<T>): Promise<T> => {
    if (!once.has(name)) once.set(name, make());
    return once.get(name) as Promise<T>;
  };
  let count = 0;
  return {
    sandbox,
    heroku: createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url }),
    buildpackUrl: `file://${buildpack}`,
    async ground(cell) {
      const access = accessOfCell(cell);
      if (access === undefined || cell.bucket === undefined) return { storage: { mode: 'public' } };
      const { bucket: kind, signing } = cell;
      const region = REGIONS[signing];
      const aws = createAws({ region });
      const name = ['halcyon', kind.split(/[ ,]/)[0], `v${signing}`].join('-');
      await made(name, () => makeBucket(sandbox, aws, name, { signing, policy: kind !== 'existing, slash prefix' }));
      // A principal a cell, so that the log tells the cells apart.
      const principal = await makePrincipal(sandbox, aws, {
        team: `cell-${(count += 1)}`,
        access,
        bucket: name,
        prefix: PREFIXES[kind],
        acl: ACL,
        region,
      });
      const storage: AppStorage = {
        mode: cell.mode,
        bucket: name,
        prefix: PREFIXES[kind],
        endpoint: new URL(sandbox.aws.url).host,
        ...(signing === 4 ? { signingRegion: region } : {}),
        acl: ACL,
        clean: cell.clean,
      };
      return { storage, aws, ...principal };
    },
    async stop() {
      await sandbox.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** As the kit's bucket stack makes it; one that was there before has no policy of the kit's. */
async function makeBucket(sandbox: Sandbox, aws: Aws, Bucket: string, options: { signing: 2 | 4; policy: boolean }): Promise<void> {
  const s3 = await aws.s3();
  if (options.signing === 2) sandbox.aws.settings.sigv2.buckets[Bucket] = 'accept';
  const location = aws.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: aws.region as 'eu-central-1' } };
  await s3.send(new CreateBucketCommand({ Bucket, ...location }));
  const Rules = [{ ObjectOwnership: 'BucketOwnerEnforced' as const }];
  await s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules } }));
  const block = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
  await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: block }));
  if (!options.policy) return;
  const policy = bucketPolicy({ partition: PARTITION, bucketName: Bucket, signing: options.signing });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(policy) }));
}

async function makePrincipal(
  sandbox: Sandbox,
  aws: Aws,
  of: { team: string; access: Access; bucket: string; prefix: string | undefined; acl: Acl; region: string },
) {
  const iam = await aws.iam();
  const UserName = userName({ team: of.team, access: of.access });
  const { User } = await iam.send(new CreateUserCommand({ UserName, Path: iamPath(of.access, of.team) }));
  const policy = userPolicy({ ...of, partition: PARTITION, bucketName: of.bucket, bucketAccount: sandbox.aws.account });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'halcyon', PolicyDocument: JSON.stringify(policy) }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { key: { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }, userArn: User!.Arn! };
}
