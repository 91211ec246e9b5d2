import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { GetBucketOwnershipControlsCommand, PutBucketOwnershipControlsCommand, type OwnershipControls } from '@aws-sdk/client-s3';
import { parse } from 'yaml';
import { createAws, type Aws } from '../../../lib/aws/aws.js';
import { createHeroku } from '../../../lib/heroku/heroku.client.js';
import type { Heroku } from '../../../lib/heroku/heroku.js';
import { startSandbox, type Sandbox } from '../../../sandbox/index.js';
import { Workplace } from '../../integration/support/target.js';
import { HASKELL_ON_HEROKU, upstreamDir } from './upstream.js';

/** A sandbox whose Heroku runs the unmodified upstream, and a directory where the built kit is run on one file after another. */
export interface Stage {
  readonly sandbox: Sandbox;
  readonly heroku: Heroku;
  readonly account: string;
  aws(region: string): Aws;
  /** Make apps as their owners would, before the kit hears of them: by name, the stack. */
  makeApps(apps: Readonly<Record<string, string>>): Promise<void>;
  /** `halcyon-kit up` of every team in `file`: stacks, users, keys, buildpacks and config vars are all its own doing. */
  up(file: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  const sandbox = await startSandbox({ heroku: { upstreamDir } });
  Object.assign(process.env, sandbox.env);
  const work = new Workplace(sandbox.env);
  const heroku = createHeroku({ token: sandbox.heroku.token, host: sandbox.heroku.url });
  const aws = (region: string) => createAws({ region });
  return {
    sandbox,
    heroku,
    account: sandbox.aws.account,
    aws,
    async makeApps(apps) {
      for (const [name, stack] of Object.entries(apps)) {
        await heroku.createApp({ name, stack });
        await heroku.setBuildpacks(name, [HASKELL_ON_HEROKU]);
      }
    },
    async up(file) {
      work.write(file);
      await work.ok(['up', '--all', '--yes', '--no-smoke']);
    },
    async stop() {
      work.remove();
      await sandbox.stop();
    },
  };
}

/** Where a stack's template asks for ACLs on its bucket and CloudFormation here did not listen, ask once more by S3's own API. */
export async function insistOnOwnership(aws: Aws, stack: string): Promise<void> {
  const { TemplateBody = '' } = await (await aws.cloudformation()).send(new GetTemplateCommand({ StackName: stack }));
  const resources = parse(TemplateBody).Resources as Record<string, { Type: string; Properties: Record<string, unknown> }>;
  const s3 = await aws.s3();
  for (const { Type, Properties } of Object.values(resources)) {
    if (Type !== 'AWS::S3::Bucket') continue;
    const [Bucket, { Rules }] = [Properties.BucketName as string, Properties.OwnershipControls as OwnershipControls];
    const { OwnershipControls: found } = await s3
      .send(new GetBucketOwnershipControlsCommand({ Bucket }))
      .catch(() => ({ OwnershipControls: undefined }));
    if (found?.Rules?.[0]?.ObjectOwnership === Rules?.[0]?.ObjectOwnership) continue;
    await s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules } }));
  }
}
