import { Agent } from 'node:https';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awsError } from '../aws/errors.js';
import type { Aws } from '../aws/aws.js';
import type { KitConfig, Principal } from '../config/model.js';
import { KitError } from '../errors.js';
import { inStep, type IoHost, type Step } from '../io/io-host.js';
import { toolkitIo } from './toolkit-io.js';

/** What one stack's deployment would change, from the template alone. */
export interface StackChange {
  readonly stack: string;
  readonly changes: ReadonlyArray<{
    readonly action: 'create' | 'update' | 'replace' | 'delete';
    readonly type: string;
    readonly logicalId: string;
    readonly properties?: readonly string[];
  }>;
}

export interface DeployedStack {
  readonly stack: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** CloudFormation through the CDK toolkit, in process: no second Node, no bootstrap, no assets. */
export interface Deployer {
  diff(stacks: readonly string[]): Promise<StackChange[]>;
  /** @param importing - stacks whose retained bucket exists already and is taken back in. */
  deploy(stacks: readonly string[], importing: ReadonlySet<string>): Promise<DeployedStack[]>;
  destroy(stacks: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface DeployerOptions {
  readonly config: KitConfig;
  readonly keep?: readonly Principal[];
  readonly io: IoHost;
  readonly profile?: string;
}

/** @throws KitError as {@link awsError} says, and `deploy-failed` with CloudFormation's own reason. */
export async function createDeployer(options: DeployerOptions): Promise<Deployer> {
  const [toolkitLib, { buildApp }] = await Promise.all([import('@aws-cdk/toolkit-lib'), import('../stacks/app.js')]);
  const { BaseCredentials, DiffMethod, StackSelectionStrategy, Toolkit } = toolkitLib;
  let running: Step | undefined;
  const bundle = process.env.AWS_CA_BUNDLE;
  const toolkit = new Toolkit({
    ioHost: toolkitIo(options.io, () => running),
    emojis: false,
    color: false,
    sdkConfig: {
      baseCredentials: BaseCredentials.awsCliCompatible({ profile: options.profile }),
      ...(bundle ? { httpOptions: { agent: new Agent({ keepAlive: true, ca: readFileSync(bundle) }) } } : {}),
    },
  });
  const outdir = await mkdtemp(join(tmpdir(), 'halcyon-kit-'));
  const source = await toolkit.fromAssemblyBuilder(
    async () => buildApp(options.config, { keep: [...(options.keep ?? [])], outdir: join(outdir, 'cdk.out') }).synth(),
    {
      outdir: join(outdir, 'cdk.out'),
      disposeOutdir: false,
    },
  );
  const assembly = await toolkit.synth(source).catch((error: unknown) => {
    throw new KitError('synth-failed', `cannot make the CloudFormation templates: ${(error as Error).message}`, { cause: error });
  });
  const select = (stacks: readonly string[]) => ({ strategy: StackSelectionStrategy.PATTERN_MUST_MATCH, patterns: [...stacks] });

  return {
    async diff(stacks) {
      try {
        const diffs = await toolkit.diff(assembly, { stacks: select(stacks), method: DiffMethod.TemplateOnly() });
        return Object.entries(diffs).map(([stack, diff]) => ({
          stack,
          changes: diff.resources.logicalIds
            .map((logicalId) => ({ logicalId, change: diff.resources.get(logicalId) }))
            .filter(({ change }) => change.isDifferent)
            .map(({ logicalId, change }) => ({
              logicalId,
              type: change.resourceType ?? '',
              action: change.isAddition
                ? ('create' as const)
                : change.isRemoval
                  ? ('delete' as const)
                  : change.changeImpact.includes('REPLACE')
                    ? ('replace' as const)
                    : ('update' as const),
              properties: Object.keys(change.propertyUpdates),
            })),
        }));
      } catch (error) {
        throw awsError(error, `compare ${stacks.join(', ')} with what is deployed`);
      }
    },
    async deploy(stacks, importing) {
      const done: DeployedStack[] = [];
      for (const stack of stacks) {
        const result = await inStep(options.io, `deploying ${stack}`, async (step) => {
          running = step;
          try {
            return await toolkit.deploy(assembly, {
              stacks: { ...select([stack]), expand: toolkitLib.ExpandStackSelection.NONE },
              stackEventPollingInterval: 1000,
              deploymentMethod: { method: 'change-set', ...(importing.has(stack) ? { importExistingResources: true } : {}) },
            });
          } catch (error) {
            throw deployFailure(error, stack);
          } finally {
            running = undefined;
          }
        });
        for (const one of result.stacks) {
          done.push({ stack: one.stackName, outputs: one.outputs });
          for (const left of one.deleteFailures ?? [])
            options.io.warn(
              `${one.stackName}: CloudFormation left ${left.logicalResourceId} (${left.physicalResourceId ?? left.resourceType}) behind: ${left.reason}`,
            );
        }
      }
      return done;
    },
    async destroy(stacks) {
      for (const stack of stacks) {
        await inStep(options.io, `destroying ${stack}`, async (step) => {
          running = step;
          try {
            await toolkit.destroy(assembly, { stacks: { ...select([stack]), expand: toolkitLib.ExpandStackSelection.NONE } });
          } catch (error) {
            throw deployFailure(error, stack);
          } finally {
            running = undefined;
          }
        });
      }
    },
    async close() {
      await assembly.dispose();
      await rm(outdir, { recursive: true, force: true });
    },
  };
}

function deployFailure(error: unknown, stack: string): KitError {
  const known = awsError(error, `deploy ${stack}`);
  if (known.code !== 'aws-failed') return known;
  return new KitError(
    'deploy-failed',
    `${stack} was not deployed and CloudFormation rolled it back: ${(error as Error).message}; mend the cause and run the same command again`,
    { cause: error },
  );
}

/** Lift termination protection, the last guard before a stack goes. No error where the stack is gone already. */
export async function liftTerminationProtection(aws: Aws, stack: string): Promise<void> {
  const { UpdateTerminationProtectionCommand } = await import('@aws-sdk/client-cloudformation');
  try {
    await (
      await aws.cloudformation()
    ).send(new UpdateTerminationProtectionCommand({ StackName: stack, EnableTerminationProtection: false }));
  } catch (error) {
    if (/does not exist/.test((error as Error).message)) return;
    throw awsError(error, `lift the termination protection of ${stack}`);
  }
}

export interface StackState {
  readonly exists: boolean;
  readonly status?: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export async function stackState(aws: Aws, stack: string): Promise<StackState> {
  const { DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  try {
    const answer = await (await aws.cloudformation()).send(new DescribeStacksCommand({ StackName: stack }));
    const found = answer.Stacks?.[0];
    const exists = found !== undefined && found.StackStatus !== 'DELETE_COMPLETE' && found.StackStatus !== 'REVIEW_IN_PROGRESS';
    return {
      exists,
      status: found?.StackStatus,
      outputs: Object.fromEntries((found?.Outputs ?? []).map((output) => [output.OutputKey ?? '', output.OutputValue ?? ''])),
    };
  } catch (error) {
    if (/does not exist/.test((error as Error).message)) return { exists: false, outputs: {} };
    throw awsError(error, `read the state of stack ${stack}`);
  }
}
