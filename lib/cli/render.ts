import type { PackageMove, Plan, Step, TeamObservation, TeamResult } from '../engine/model.js';
import { inWordsOf, isStackChanged, type StackChanges } from '../deploy/stacks.plan.js';
import { halcyonBucket, KEY_CONFIG_VARS } from '../contract/index.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
import { cut } from '../io/printable.js';
import { renderTable } from '../io/table.js';

/** Plans and outcomes as people read them. Pure. */

const ACTIONS = { create: '+', update: '~', replace: '±', delete: '-' } as const;

export function renderStacks(stacks: readonly StackChanges[]): string {
  const changed = stacks.filter(isStackChanged);
  if (changed.length === 0) return 'Stacks: no change';
  const rows = changed.flatMap(({ stack, changes, failed }) => [
    ...(failed === undefined ? [] : [['±', stack, 'AWS::CloudFormation::Stack', '', inWordsOf(failed)]]),
    ...changes.map(({ action, type, logicalId, properties }) => [
      ACTIONS[action],
      stack,
      type,
      logicalId,
      action === 'update' ? (properties ?? []).join(', ') : '',
    ]),
  ]);
  return `Stacks\n${renderTable(['', 'stack', 'type', 'resource', 'changed'], rows)}`;
}

export function renderBuildpacks(plans: readonly AppBuildpacks[]): string {
  const rows = plans.flatMap(({ app, plan, forks }) => [
    ...plan.changes.map(({ action, url, reason }) => [app, action, short(url), reason]),
    ...Object.entries(forks).map(([name, url]) => [app, 'set', `${name}=${url}`, 'named in the file']),
  ]);
  return rows.length === 0 ? '' : `Buildpacks (in force at the next build)\n${renderTable(['app', 'action', 'buildpack', 'why'], rows)}`;
}

/** Values that are there and would become others, but for secrets: each once, with the apps that have it. */
export function renderOverwritten(teams: ReadonlyArray<{ readonly observation: TeamObservation; readonly plan: Plan }>): string {
  const found = new Map<string, { readonly row: readonly string[]; readonly apps: string[] }>();
  for (const { observation, plan } of teams) {
    const apps = new Map(observation.apps.map((app) => [app.name, app]));
    for (const { app, changes } of plan.steps.flatMap((step) => (step.kind === 'write-apps' ? step.apps : [])))
      for (const name of changes) {
        const { vars, wanted } = apps.get(app) ?? {};
        if (vars?.[name] === undefined || KEY_CONFIG_VARS.includes(name)) continue;
        const row = [name, cut(vars[name].replaceAll(/\s+/g, ' '), 60), wanted?.[name] ?? '(unset)'];
        const same = found.get(row.join('\n')) ?? { row, apps: [] };
        found.set(row.join('\n'), { row, apps: [...same.apps, app] });
      }
  }
  if (found.size === 0) return '';
  return `Values that are overwritten\n${renderTable(
    ['config var', 'is', 'becomes', 'apps'],
    [...found.values()].map(({ row, apps }) => [...row, apps.join(', ')]),
  )}`;
}

/** Apps without haskell-on-heroku: reported, never changed unasked. */
export function buildpackWarnings(plans: readonly AppBuildpacks[], url: string): string[] {
  return plans
    .filter(({ plan }) => plan.problem !== undefined)
    .map(
      ({ app }) =>
        `app ${app} does not have haskell-on-heroku among its buildpacks; add it with "heroku buildpacks:add ${url} -a ${app}", or set buildpack.install: true in the file`,
    );
}

export function renderPlan(team: string, plan: Plan): string {
  const rows = plan.steps.map((step, index) => [String(index + 1), step.kind, subject(step), step.reason]);
  return [
    rows.length === 0
      ? `${team}: ${plan.left.length > 0 ? 'nothing to change in what could be looked at' : 'keys and config vars are as they should be'}`
      : `${team}: keys and config vars\n${renderTable(['', 'step', 'what', 'why'], rows)}`,
    ...remarks(plan),
  ].join('\n');
}

const remarks = ({ waiting, blocked, notices, left }: Pick<Plan, 'waiting' | 'blocked' | 'notices' | 'left'>): string[] => [
  ...waiting.map(({ text }) => `waiting: ${text}`),
  ...blocked.map(({ text }) => `blocked: ${text}`),
  ...notices.map((text) => `note: ${text}`),
  ...left.map(({ text }) => `left as it is: ${text}`),
];

/** List prices in USD, us-east-1, 2026 (https://aws.amazon.com/s3/pricing): a copy, and a gigabyte from one region to another. */
const PRICE = { copy: 0.005 / 1000, transfer: 0.02 };
/** A rough guess, on the slow side: copies a second, and bytes a second between regions. */
const PACE = { copies: 50, bytes: 50e6 };

/** `1200 objects, 310.0 MB, about 1 min and $0.01`. @internal */
export function effortOf({ from, to, objects, bytes }: PackageMove): string {
  const apart = from.region !== to.region;
  const minutes = Math.ceil(Math.max(objects / PACE.copies, apart ? bytes / PACE.bytes : 0) / 60);
  const usd = objects * PRICE.copy + (apart ? (bytes / 1e9) * PRICE.transfer : 0);
  const price = usd < 0.01 ? 'less than $0.01' : `$${usd.toFixed(2)}`;
  return `${objects} objects, ${(bytes / 1e6).toFixed(1)} MB, about ${minutes} min and ${price}`;
}

function subject(step: Step): string {
  if (step.kind === 'copy-packages')
    return `${halcyonBucket(step.from.bucketName, step.from.prefix)} → ${halcyonBucket(step.to.bucketName, step.to.prefix)}, ${effortOf(step)}`;
  if (step.kind === 'write-apps')
    return step.apps
      .map(({ app, changes }) => `${app} (${changes.length === 1 ? changes[0] : `${changes.length} config vars`}, restarts)`)
      .join(', ');
  if (step.kind === 'smoke') return `${step.principal}, ${step.app}`;
  if (step.kind === 'wait') return '';
  return 'keyId' in step ? `${step.principal} ${step.keyId}` : step.principal;
}

export const renderOutcome = (outcome: TeamResult): string =>
  [`${outcome.team}: ${outcome.summary}`, ...remarks(outcome).map((line) => `  ${line}`)].join('\n');

/** Nothing failed, is blocked, or waits; an app may be left as it is. */
export const isThrough = (outcomes: readonly TeamResult[]): boolean =>
  outcomes.every(({ status }) => status === 'done' || status === 'nothing-due');

/** 0: all done or nothing due; 2: something waits; 1: something failed or is blocked, or an app is left as it is. */
export function exitCodeOf(outcomes: readonly TeamResult[]): number {
  if (outcomes.some(({ status, left }) => status === 'failed' || status === 'blocked' || left.length > 0)) return 1;
  return outcomes.some(({ status }) => status === 'waiting') ? 2 : 0;
}

/** A published buildpack's URL ends in its hash: enough of it tells versions apart. */
const short = (url: string): string => url.replace(/^https?:\/\/.*\/(halcyon-sigv4-[0-9a-f]{8})[0-9a-f]{56}\.tgz$/, '$1….tgz');
