import { digestOf, halcyonBucket, parseStage } from '../contract/index.js';
import { inWordsOf, isStackChanged, type StackChanges } from '../deploy/stacks.plan.js';
import type { Plan, Step } from '../engine/model.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
import { REFILL_MS } from '../heroku/gate.js';
import { counted } from '../io/printable.js';

/** What a command would change, of whatever kind. */
export interface Changes {
  readonly teams: ReadonlyArray<{ readonly team: string; readonly plan: Plan }>;
  readonly buildpacks?: readonly AppBuildpacks[];
  readonly stacks?: readonly StackChanges[];
  /** Stacks and buckets that go, by names that say so. */
  readonly gone?: readonly string[];
}

/** What needs no second look by whoever agreed to a plan: it changes nothing that anyone has. */
const QUIET: ReadonlySet<Step['kind']> = new Set(['verify', 'smoke']);

/**
 * Each change as a sentence, in order: the same sentence whenever the same would be done, so without times, reasons and what builds go on
 * adding meanwhile. Without secrets.
 */
export const sentencesOf = ({ teams, buildpacks = [], stacks = [], gone = [] }: Changes): string[] => [
  ...stacks.flatMap(({ stack, changes, failed }) => [
    ...(failed === undefined ? [] : [`stack ${stack}: ${inWordsOf(failed)}`]),
    ...changes.map(({ action, type, logicalId, properties = [], digest = '' }) =>
      [`stack ${stack}: ${action} ${type} ${logicalId}`, properties.join(', '), digest].filter((part) => part !== '').join(' '),
    ),
  ]),
  ...buildpacks.flatMap(({ app, plan, forks }) => [
    ...plan.changes.map(({ action, url }) => `app ${app}: ${action} buildpack ${url}`),
    ...Object.entries(forks).map(([name, url]) => `app ${app}: set ${name} to ${url}`),
  ]),
  ...teams.flatMap(({ team, plan }) =>
    plan.steps.filter(({ kind }) => !QUIET.has(kind)).flatMap((step) => sentencesOfStep(step).map((text) => `team ${team}: ${text}`)),
  ),
  ...gone.map((what) => `${what}: delete`),
];

function sentencesOfStep(step: Step): string[] {
  if (step.kind === 'copy-packages') {
    const place = ({ bucketName, prefix, region }: typeof step.from) => `${halcyonBucket(bucketName, prefix)} in ${region}`;
    return [`copy packages from ${place(step.from)} to ${place(step.to)}`];
  }
  if (step.kind === 'write-apps')
    return step.apps.flatMap(({ app, changes }) =>
      changes.map(({ name, from, to }) => `app ${app}: ${name} from ${from ?? 'unset'} to ${to ?? 'unset'}`),
    );
  if (step.kind === 'record-holders') return [`${step.kind} ${step.principal}: ${step.holders.map(({ app }) => app).join(', ')}`];
  return 'principal' in step ? [`${step.kind} ${step.principal}${'keyId' in step ? ` ${step.keyId}` : ''} (${step.user})`] : [];
}

/** Of the same changes, always the same. */
export const changesDigest = (sentences: readonly string[]): string => digestOf(sentences);

/** What this run does of a plan, and what it leaves to a later one. */
export function byRun({ steps }: Pick<Plan, 'steps'>): { readonly now: readonly Step[]; readonly later: readonly Step[] } {
  const end = steps.findIndex((step) => step.kind === 'wait' && step.later);
  return end < 0 ? { now: steps, later: [] } : { now: steps.slice(0, end), later: steps.slice(end) };
}

/** This run does something, and not only a later one. */
export const isDoing = (plan: Pick<Plan, 'steps'>): boolean => byRun(plan).now.some(({ kind }) => kind !== 'wait');

/** Something would be done now: not only once what is waited for is over. */
export const isChanging = ({ teams, buildpacks = [], stacks = [], gone = [] }: Changes): boolean =>
  gone.length > 0 ||
  stacks.some(isStackChanged) ||
  buildpacks.some(({ plan, forks }) => plan.changes.length > 0 || Object.keys(forks).length > 0) ||
  teams.some(({ plan }) => isDoing(plan));

/** Of a dry run: 1 where a person must settle something first; with `--detailed-exitcode` 2 where anything would be done. */
export function dryRunExitCode(options: { readonly detailedExitcode?: boolean }, changes: Changes, blocked = false): number {
  if (blocked || changes.teams.some(({ plan }) => plan.blocked.length > 0)) return 1;
  if (!options.detailedExitcode) return 0;
  if (changes.teams.some(({ plan }) => plan.left.length > 0)) return 1;
  return isChanging(changes) ? 2 : 0;
}

/**
 * How much this run does, in one line; empty where it is nothing.
 * @param left - requests that Heroku takes at once; beyond them it takes so many a minute. Default: any number.
 */
export function tallyOf(changes: Changes, left = Infinity): string {
  const { teams, buildpacks = [], stacks = [], gone = [] } = changes;
  const resources = stacks.flatMap((stack) => stack.changes);
  const steps = teams.flatMap(({ plan }) => byRun(plan).now);
  const ofKind = (...kinds: Array<Step['kind']>) => steps.filter(({ kind }) => kinds.includes(kind)).length;
  const writes = steps.flatMap((step) => (step.kind === 'write-apps' ? step.apps : []));
  const lists = buildpacks.filter(({ plan }) => plan.changes.length > 0).length;
  const forks = buildpacks.filter((one) => Object.keys(one.forks).length > 0).length;
  // Before a key is retired each app is looked at: config vars, releases, builds, dynos.
  const looks = teams.flatMap(({ plan }) => {
    const { now } = byRun(plan);
    return now.some(({ kind }) => kind === 'deactivate') ? now.flatMap((step) => (step.kind === 'write-apps' ? step.apps : [])) : [];
  });
  const requests = 2 * (writes.length + lists) + forks + 4 * looks.length;
  const minutes = Math.ceil((Math.max(0, requests - left) * REFILL_MS) / 60_000);
  const counted = [
    count(stacks.filter(isStackChanged).length, 'stack'),
    count(resources.filter(({ action }) => action === 'replace').length, 'resource replaced', 'resources replaced'),
    count(resources.filter(({ action, stays }) => action === 'delete' && !stays).length, 'resource deleted', 'resources deleted'),
    ...['stack', 'bucket'].map((what) => count(gone.filter((one) => one.startsWith(what)).length, `${what} deleted`, `${what}s deleted`)),
    count(ofKind('create-key'), 'key made', 'keys made'),
    count(ofKind('deactivate'), 'key deactivated', 'keys deactivated'),
    count(ofKind('delete-key', 'delete-orphan', 'delete-unknown'), 'key deleted', 'keys deleted'),
    count(ofKind('delete-principal'), 'user deleted', 'users deleted'),
    count(lists, 'list of buildpacks', 'lists of buildpacks'),
    count(
      writes.reduce((sum, one) => sum + one.changes.length, forks),
      'config var',
    ),
    // What is made with a stage of a pipeline begins with what it has then.
    count(writes.filter(({ app }) => parseStage(app) === undefined).length + forks, 'restart'),
    count(requests, 'request to Heroku', 'requests to Heroku') + (minutes === 0 ? '' : `, about ${minutes} min at this account's rate`),
  ].filter((text) => text !== '');
  return counted.length === 0 ? '' : `In all: ${counted.join(', ')}`;
}

const count = (n: number, one: string, many = `${one}s`): string => (n === 0 ? '' : counted(n, one, many));
