import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { TemplateDiff } from '@aws-cdk/cloudformation-diff';
import pMap from 'p-map';
import { createAws, type Aws } from '../aws/aws.js';
import { awsError } from '../aws/errors.js';
import type { KitConfig } from '../config/model.js';
import { digestOf, TEMPLATES_STACK, type Acl } from '../contract/index.js';
import { KitError } from '../errors.js';
import { inStep, type IoHost, type Step } from '../io/io-host.js';
import type { Network } from '../network/network.js';
import { scratchDirectory } from './scratch.client.js';
import { stackState } from './stack.client.js';
import { stackChanges, type StackChanges, type StackDiff, type StatementChange } from './stacks.plan.js';
import { deployedTemplate, templatesGone, type TemplateResource } from './template.client.js';
import { toolkitIo } from './toolkit-io.js';

interface DeployedStack {
  readonly stack: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** CloudFormation, deployments through the CDK toolkit, in process: no second Node, no bootstrap, no assets. */
export interface Deployer {
  diff(stacks: readonly string[]): Promise<StackChanges[]>;
  /** @param prepare - called right before each of them. */
  deploy(stacks: readonly string[], prepare?: (stack: string) => Promise<void>): Promise<DeployedStack[]>;
  /** The bucket of a stack's template, as a resource to import. */
  bucketResource(stack: string): { logicalId: string; resource: TemplateResource } | undefined;
  close(): Promise<void>;
}

export interface DeployerOptions {
  readonly config: KitConfig;
  /** Names of the buckets that still accept signature version 2. Default: none. */
  readonly acceptSigV2?: ReadonlySet<string>;
  /** ACLs that uploads to a bucket may still carry beside its own, by its name. Default: none. */
  readonly formerAcls?: ReadonlyMap<string, readonly Acl[]>;
  readonly io: IoHost;
  readonly profile?: string;
  readonly network: Network;
}

/** AWS allows five minutes. */
const SKEW_ALLOWED_MS = 4.5 * 60_000;

/** @throws KitError as {@link awsError} says, `clock-skew`, and `deploy-failed` with CloudFormation's own reason. */
export async function createDeployer(options: DeployerOptions): Promise<Deployer> {
  // Our own clients sign by AWS's time; the toolkit's would be refused, and go on trying without a word.
  if (Math.abs(options.network.time.offset) > SKEW_ALLOWED_MS)
    throw new KitError(
      'clock-skew',
      "this machine's clock differs from AWS's by more than stacks can be deployed with; set it right, and run again",
    );
  const { io, config, acceptSigV2, formerAcls, profile, network } = options;
  const { buildApp } = await import('../stacks/app.js');
  let aws: Aws | undefined;
  const awsIn = (region: string) => (aws ??= createAws({ region, profile, network })).in(region);
  const scratch = await scratchDirectory();
  const outdir = join(scratch, 'cdk.out');
  const synth = () => {
    try {
      const app = buildApp(config, { acceptSigV2, formerAcls, outdir });
      return { app, assembly: app.synth() };
    } catch (error) {
      throw new KitError('synth-failed', `cannot make the CloudFormation templates: ${(error as Error).message}`, { cause: error });
    }
  };
  const { app, assembly } = synth();
  const made = assembly.stacksRecursively;
  /** `stacks`, each after the one that its template goes through, if any. */
  const withTemplates = (stacks: readonly string[]): string[] => {
    const before = (stack: string) => made.find(({ hierarchicalId }) => hierarchicalId === stack)?.dependencies.map(({ id }) => id) ?? [];
    const templates = made.filter(({ stackName }) => stackName === TEMPLATES_STACK);
    return [
      ...new Set(
        stacks.flatMap((stack) => [
          ...templates.filter(({ id }) => before(stack).includes(id)).map(({ hierarchicalId }) => hierarchicalId),
          stack,
        ]),
      ),
    ];
  };

  return {
    async diff(stacks) {
      const wanted = withTemplates(stacks).map((id) => made.find(({ hierarchicalId }) => hierarchicalId === id) as (typeof made)[number]);
      return pMap(
        wanted,
        async ({ hierarchicalId: stack, stackName, environment, template }) => {
          const aws = awsIn(environment.region);
          try {
            const { exists, status } = await stackState(aws, stackName);
            const deployed = exists ? await deployedTemplate(aws, stackName) : {};
            if (isDeepStrictEqual(deployed, template)) return stackChanges({ stack, changes: [] }, status);
            const { fullDiff } = await import('@aws-cdk/cloudformation-diff');
            const { resources, iamChanges } = fullDiff({ ...deployed }, template as Record<string, unknown>);
            const statements = [
              ...iamChanges.statements.removals.map((one) => statementOf('remove', one)),
              ...iamChanges.statements.additions.map((one) => statementOf('add', one)),
            ];
            return stackChanges({ stack, changes: changesOf(resources), statements }, status);
          } catch (error) {
            throw awsError(error, `compare ${stack} with what is deployed`);
          }
        },
        { concurrency: 8 },
      );
    },
    async deploy(stacks, prepare) {
      const done: DeployedStack[] = [];
      if (stacks.length === 0) return done;
      const [toolkitLib, { freeFailedCreations }, { httpsAgent }] = await Promise.all([
        import('@aws-cdk/toolkit-lib'),
        import('./failed-creations.client.js'),
        network.agents('aws'),
      ]);
      const { BaseCredentials, ExpandStackSelection, StackSelectionStrategy, Toolkit } = toolkitLib;
      let running: Step | undefined;
      let reasons: string[] = [];
      const toolkit = new Toolkit({
        ioHost: toolkitIo(
          io,
          () => running,
          (reason) => reasons.push(reason),
        ),
        emojis: false,
        color: false,
        sdkConfig: { baseCredentials: BaseCredentials.awsCliCompatible({ profile }), httpOptions: { agent: httpsAgent } },
      });
      const source = await toolkit.fromAssemblyDirectory(outdir);
      await freeFailedCreations(app, awsIn);
      for (const stack of withTemplates(stacks)) {
        await prepare?.(stack);
        const result = await inStep(io, `deploying ${stack}`, async (step) => {
          running = step;
          reasons = [];
          try {
            return await toolkit.deploy(source, {
              stacks: { strategy: StackSelectionStrategy.PATTERN_MUST_MATCH, patterns: [stack], expand: ExpandStackSelection.NONE },
              stackEventPollingInterval: 1000,
              deploymentMethod: { method: 'change-set' },
            });
          } catch (error) {
            throw deployFailure(error, stack, reasons);
          } finally {
            running = undefined;
          }
        });
        for (const one of result.stacks) {
          done.push({ stack: one.stackName, outputs: one.outputs });
          for (const left of one.deleteFailures ?? [])
            io.warn(
              `${one.stackName}: CloudFormation left ${left.logicalResourceId} (${left.physicalResourceId ?? left.resourceType}) behind: ${left.reason}`,
            );
        }
      }
      return done;
    },
    bucketResource(stack) {
      const { Resources = {} } = assembly.getStackByName(stack).template as { Resources?: Record<string, TemplateResource> };
      const found = Object.entries(Resources).find(([, resource]) => resource.Type === 'AWS::S3::Bucket');
      return found && { logicalId: found[0], resource: found[1] };
    },
    async close() {
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

function changesOf({ changes }: TemplateDiff['resources']): StackDiff['changes'] {
  return Object.entries(changes).map(([logicalId, change]) => ({
    logicalId,
    type: change.resourceType ?? '',
    action: change.isAddition ? 'create' : change.isRemoval ? 'delete' : change.changeImpact.includes('REPLACE') ? 'replace' : 'update',
    properties: Object.keys(change.propertyUpdates),
    ...(change.changeImpact === 'WILL_ORPHAN' ? { stays: true } : {}),
    digest: digestOf([change.oldValue, change.newValue]),
  }));
}

type IamStatement = TemplateDiff['iamChanges']['statements']['additions'][number];

function statementOf(action: StatementChange['action'], statement: IamStatement): StatementChange {
  const { action: actions, ...rest } = statement.render();
  return { ...rest, action, actions };
}

/** @param reasons - of the resources that failed, none where it never came to that: no change set, say. @internal */
export function deployFailure(error: unknown, stack: string, reasons: readonly string[]): KitError {
  const { errors = [] } = ((error as Error).cause ?? {}) as Partial<AggregateError>;
  const [, bucket, region] = /No bucket named '(\S+-\d{12}-(\S+))'/.exec(errors.join('\n')) ?? [];
  if (bucket !== undefined && region !== undefined) return templatesGone(bucket, region, error);
  const known = awsError(error, `deploy ${stack}`);
  if (known.code !== 'aws-failed') return known;
  // The first failure is the cause; those after it are its consequences.
  const reason = reasons[0] ?? (error as Error).message.replace(/^\W+/, '');
  return new KitError(
    'deploy-failed',
    `CloudFormation could not change ${stack}${reasons.length > 0 ? ' and rolled it back' : ''}: ${reason}; mend the cause and run the same command again`,
    { cause: error },
  );
}
