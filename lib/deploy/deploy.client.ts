import { rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { PropertyChange, ResourceChange } from '@aws-cdk/cloudformation-diff';
import pMap from 'p-map';
import { createAws, type Aws } from '../aws/aws.js';
import { awsError } from '../aws/errors.js';
import type { KitConfig } from '../config/model.js';
import { digestOf, TEMPLATES_STACK, type Acl } from '../contract/index.js';
import { isKitError, KitError } from '../errors.js';
import { inStep, type IoHost } from '../io/io-host.js';
import { counted } from '../io/printable.js';
import type { Network } from '../network/network.js';
import { loadApp } from '../stacks/load.js';
import { changeStack, stateChanged } from './change-stack.client.js';
import { scratchDirectory } from './scratch.client.js';
import { stackState, stackStates, type ListedStack } from './stack.client.js';
import { nameOf, stackChanges, type StackChanges, type StatementChange } from './stacks.plan.js';
import { deployedTemplate, type Template, type TemplateResource } from './template.client.js';

interface DeployedStack {
  readonly stack: string;
  readonly outputs: Readonly<Record<string, string>>;
}

interface Deployed {
  readonly deployed: readonly DeployedStack[];
  /** Why the others are not as they should be, by stack: those that were not begun among them. */
  readonly failed: ReadonlyMap<string, KitError>;
}

/** For what must come before a stack's deployment, and concerns others. */
export interface Hands {
  /** Waits until none is under way. */
  alone(): Promise<unknown>;
  /** Changes a stack, which has to be as it was compared: what comes of it is no change by another. @throws KitError `state-changed`. */
  changing<T>(stack: string, work: () => Promise<T>): Promise<T>;
}

/** The file's stacks, made by the CDK, and CloudFormation: in process, no bootstrap, no assets. */
export interface Deployer {
  diff(stacks: readonly string[]): Promise<StackChanges[]>;
  /** A stack as it was when it was compared. */
  stateOf(stack: string): ListedStack | undefined;
  /**
   * A few at a time, each after those that it needs. What fails keeps no other from its end but those that need it, unless all would fail
   * alike; it is told at once.
   * @param prepare - called right before each of them, one at a time.
   * @throws what every stack would meet, when what was under way is over.
   */
  deploy(stacks: readonly string[], prepare?: (stack: string, hands: Hands) => Promise<void>): Promise<Deployed>;
  /** The bucket of a stack's template, as a resource to import. */
  bucketResource(stack: string): { logicalId: string; resource: TemplateResource } | undefined;
}

export interface DeployerOptions {
  readonly config: KitConfig;
  /** Names of the buckets that still accept signature version 2. Default: none. */
  readonly acceptSigV2?: ReadonlySet<string>;
  /** ACLs that uploads to a bucket may still carry beside its own, by its name. Default: none. */
  readonly formerAcls?: ReadonlyMap<string, readonly Acl[]>;
  readonly io: IoHost;
  readonly profile?: string;
  /** Stacks that are deployed side by side. Default: 5. */
  readonly concurrency?: number;
  readonly network: Network;
  /** Stops waiting for CloudFormation, which goes on: the next run waits for it. */
  readonly signal?: AbortSignal;
}

/** What so many fail by, others may as well. */
const ENOUGH = 5;
/** What every stack would meet, or a mistake of ours. What one has come through, others may meet alone. */
const isOfAll = (error: unknown, some: boolean) =>
  !isKitError(error) ||
  isKitError(error, 'aws-credentials-missing', 'aws-credentials-expired', 'aws-credentials-refused', 'clock-skew') ||
  (!some && isKitError(error, 'aws-denied', 'aws-unreachable', 'aws-tls'));
/** AWS allows five minutes. */
const SKEW_ALLOWED_MS = 4.5 * 60_000;

/** @throws KitError `synth-failed`, `clock-skew`. */
export async function createDeployer(options: DeployerOptions): Promise<Deployer> {
  // The SDK learns AWS's time from a request that is refused, and keys are made by requests that are sent once.
  if (Math.abs(options.network.time.offset) > SKEW_ALLOWED_MS)
    throw new KitError(
      'clock-skew',
      "this machine's clock differs from AWS's by more than stacks can be deployed with; set it right, and run again",
    );
  const { io, config, acceptSigV2, formerAcls, profile, network, signal, concurrency = 5 } = options;
  const { buildApp } = await loadApp();
  let aws: Aws | undefined;
  const awsIn = (region: string) => (aws ??= createAws({ region, profile, network })).in(region);
  // Neither the constructs, as many as the file has users, nor the files are needed once the templates are read.
  const outdir = await scratchDirectory();
  const synth = () => {
    try {
      return buildApp(config, { acceptSigV2, formerAcls, outdir })
        .synth()
        .stacksRecursively.map((artifact) => ({
          ...{ id: artifact.id, stack: artifact.hierarchicalId, stackName: artifact.stackName, region: artifact.environment.region },
          ...{ template: artifact.template as Template, tags: artifact.tags, protect: artifact.terminationProtection },
          after: artifact.dependencies.map(({ id }) => id),
        }));
    } catch (error) {
      throw new KitError('synth-failed', `cannot make the CloudFormation templates: ${(error as Error).message}`, { cause: error });
    } finally {
      rmSync(outdir, { recursive: true, force: true });
    }
  };
  const made = synth();
  /** Of what was deployed when the stacks were compared, by stack. */
  const seen = new Map<string, string>();
  const states = new Map<string, ListedStack>();
  const changing = async <T>(aws: Aws, stack: string, work: () => Promise<T>): Promise<T> => {
    const now = async () => digestOf((await stackState(aws, stack)).exists ? await deployedTemplate(aws, stack) : {});
    if (seen.has(stack) && (await now()) !== seen.get(stack)) throw stateChanged(stack);
    // What an error leaves of it is this run's as well.
    seen.delete(stack);
    const done = await work();
    seen.set(stack, await now());
    return done;
  };
  /** `stacks`, each after the one that its template goes through, if any. */
  const withTemplates = (stacks: readonly string[]) => {
    const templates = made.filter(({ stackName }) => stackName === TEMPLATES_STACK);
    const wanted = stacks.flatMap((name) => made.filter(({ stack }) => stack === name));
    return [...new Set(wanted.flatMap((one) => [...templates.filter(({ id }) => one.after.includes(id)), one]))];
  };

  return {
    async diff(stacks) {
      const all = withTemplates(stacks);
      const stateOf = await stackStates(
        awsIn,
        all.map(({ stackName: name, region }) => ({ name, region })),
      );
      return pMap(
        all,
        async ({ stack, stackName, region, template }) => {
          const aws = awsIn(region);
          try {
            const state = stateOf(stackName, region);
            const { exists, status } = state;
            states.set(stack, state);
            const deployed = exists ? await deployedTemplate(aws, stackName) : {};
            seen.set(stack, digestOf(deployed));
            if (isDeepStrictEqual(deployed, template)) return stackChanges({ stack, changes: [] }, status);
            const changes = (exists ? await changesOf(deployed, template) : additionsOf(template)).map((change) => {
              const name = nameOf(change.logicalId, (change.action === 'delete' ? deployed : template).Resources);
              return name === undefined ? change : { ...change, name };
            });
            const statements = await statementsOf(deployed, template);
            return stackChanges({ stack, changes, statements, ...(exists ? {} : { isNew: true }) }, status);
          } catch (error) {
            throw awsError(error, `compare ${stack} with what is deployed`);
          }
        },
        { concurrency: 8 },
      );
    },
    stateOf: (stack) => states.get(stack),
    async deploy(stacks, prepare) {
      const wanted = withTemplates(stacks);
      const underWay = new Map<string, Promise<void>>();
      const done = new Map<string, DeployedStack>();
      const failed = new Map<string, KitError>();
      const fail = (stack: string, error: unknown) => {
        failed.set(stack, error as KitError);
        if (wanted.length > 1 && !signal?.aborted) io.warn((error as KitError).message);
      };
      let tried = 0;
      const ofAll = () => [...failed.values()].find((error) => isOfAll(error, done.size > 0));
      const hopeless = () => {
        const [first] = failed.values();
        if (first === undefined || done.size > 0 || tried < ENOUGH) return ofAll();
        return new KitError('deploy-failed', `the first ${tried} stacks all failed, the first with: ${first.message}`, { cause: first });
      };
      const deployOne = async ({ id, stack, stackName, region, ...change }: (typeof made)[number]) => {
        const { outputs, left } = await inStep(io, `deploying ${stack}`, (step) =>
          changeStack(awsIn(region), stackName, { ...change, from: seen.get(stack) }, { step, signal }),
        );
        done.set(id, { stack: stackName, outputs });
        for (const one of left) io.warn(`${stackName}: CloudFormation left ${one}`);
      };
      for (const [index, one] of wanted.entries()) {
        const { id, stack, region, after } = one;
        await Promise.all(after.map((needed) => underWay.get(needed)));
        while (underWay.size >= concurrency) await Promise.race(underWay.values());
        if (signal?.aborted) break;
        const cause = hopeless();
        if (cause !== undefined) {
          const rest = wanted.slice(index);
          for (const left of rest) failed.set(left.stack, cause);
          io.warn(`${counted(rest.length, 'stack')} not begun, as each may fail alike`);
          break;
        }
        const lacking = wanted.find((needed) => after.includes(needed.id) && failed.has(needed.stack));
        try {
          if (lacking !== undefined) throw new KitError('deploy-failed', `${stack} was left as it is, as it needs ${lacking.stack}`);
          await prepare?.(stack, {
            alone: () => Promise.all(underWay.values()),
            changing: (other, work) => changing(awsIn(region), other, work),
          });
          signal?.throwIfAborted();
        } catch (error) {
          fail(stack, error);
          continue;
        }
        const work = deployOne(one).catch((error: unknown) => {
          tried += 1;
          fail(stack, error);
        });
        underWay.set(
          id,
          work.finally(() => underWay.delete(id)),
        );
      }
      await Promise.all(underWay.values());
      signal?.throwIfAborted();
      const every = ofAll();
      if (every !== undefined) throw every;
      return { deployed: wanted.flatMap(({ id }) => done.get(id) ?? []), failed };
    },
    bucketResource(stack) {
      const { Resources = {} } = made.find(({ stackName }) => stackName === stack)?.template ?? {};
      const found = Object.entries(Resources).find(([, resource]) => resource.Type === 'AWS::S3::Bucket');
      return found && { logicalId: found[0], resource: found[1] };
    },
  };
}

async function changesOf(deployed: Template, template: Template): Promise<StackChanges['changes']> {
  const { fullDiff } = await import('@aws-cdk/cloudformation-diff');
  return Object.entries(fullDiff({ ...deployed }, { ...template }).resources.changes).map(([logicalId, change]) => ({
    logicalId,
    type: change.resourceType ?? '',
    action: change.isAddition ? 'create' : change.isRemoval ? 'delete' : change.changeImpact.includes('REPLACE') ? 'replace' : 'update',
    properties: Object.keys(change.propertyUpdates),
    ...(change.changeImpact === 'WILL_ORPHAN' ? { stays: true } : {}),
    digest: digestOf([change.oldValue, change.newValue]),
  }));
}

/** The same of a stack that is not there: what CloudFormation's schemas say of changes, a hundred megabytes, is not needed. */
const additionsOf = ({ Resources = {} }: Template): StackChanges['changes'] =>
  Object.entries(Resources).map(([logicalId, resource]) => ({
    ...{ logicalId, type: resource.Type, action: 'create' as const, properties: [], digest: digestOf([undefined, resource]) },
  }));

/** Of the policies that the kit's stacks have: users' and buckets'. */
async function statementsOf({ Resources: old = {} }: Template, { Resources: made = {} }: Template): Promise<StatementChange[]> {
  const { IamChanges } = await import('@aws-cdk/cloudformation-diff/lib/iam/iam-changes.js');
  const of = (resourceType: string) =>
    [...new Set([...Object.keys(old), ...Object.keys(made)])]
      // What leaves a stack, and stays, may do what it could.
      .filter((id) => (made[id] ?? old[id])?.Type === resourceType && (made[id] ?? !/^Retain/.test(old[id]?.DeletionPolicy ?? '')))
      .map((id) => ({ resourceLogicalId: id, resourceType, oldProperties: old[id]?.Properties, newProperties: made[id]?.Properties }));
  const { statements } = new IamChanges({
    propertyChanges: of('AWS::IAM::User').map(({ oldProperties, newProperties, ...of }) => ({
      ...{ ...of, propertyName: 'Policies', scrutinyType: 'InlineIdentityPolicies' as PropertyChange['scrutinyType'] },
      ...{ oldValue: oldProperties?.Policies, newValue: newProperties?.Policies },
    })),
    resourceChanges: of('AWS::S3::BucketPolicy').map((one) => ({
      ...one,
      scrutinyType: 'ResourcePolicyResource' as ResourceChange['scrutinyType'],
    })),
  });
  const named = (text: string) =>
    text.replaceAll(/(?:AWS:)?\$\{(\w+)(?:\.Arn)?\}/g, (all, id: string) => nameOf(id, made) ?? nameOf(id, old) ?? all);
  const render = (action: StatementChange['action'], some: typeof statements.additions) =>
    some.map((statement) => {
      const { action: actions, principal, resource, ...rest } = statement.render();
      return { ...rest, action, actions, principal: named(principal), resource: named(resource) };
    });
  return [...render('remove', statements.removals), ...render('add', statements.additions)];
}
