import type { AppWrite, PackageMove, Plan, Step, TeamResult } from '../engine/model.js';
import { waitsOf } from '../engine/plan/waiting.plan.js';
import { inWordsOf, isStackChanged, type StackChanges } from '../deploy/stacks.plan.js';
import { halcyonBucket } from '../contract/index.js';
import { PRICES } from '../contract/prices.js';
import type { AppBuildpacks } from '../heroku/buildpacks.sync.js';
import { counted, cut, inBytes } from '../io/printable.js';
import { renderTable } from '../io/table.js';
import { byRun } from './changes.plan.js';
import { stepInWords } from './words.js';

/** Plans and outcomes as people read them. Pure. */

const TYPES: Readonly<Record<string, string>> = {
  'AWS::IAM::User': 'IAM user',
  'AWS::S3::Bucket': 'bucket',
  'AWS::S3::BucketPolicy': 'bucket policy',
  'AWS::SecretsManager::Secret': 'secret',
};
const ACTIONS = { create: '+', update: '~', replace: '±', delete: '-' } as const;

/** So many of like things are named. */
const NAMED = 3;
/** So many lines of what cannot be put into one. */
const LINES = 10;

/** `a, b, c and 997 more`. */
export function several(names: Iterable<string>, verbose = false): string {
  const all = [...new Set(names)];
  const more = verbose ? 0 : all.length - NAMED;
  return more > 1 ? `${all.slice(0, NAMED).join(', ')} and ${more} more` : all.join(', ');
}

/** Like things together, in the order of the first of each kind; with `verbose` each alone. */
export function alike<T>(things: readonly T[], kind: (thing: T) => string, verbose: boolean): Array<[T, ...T[]]> {
  if (verbose) return things.map((thing) => [thing]);
  const groups = new Map<string, [T, ...T[]]>();
  for (const thing of things) {
    const key = kind(thing);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [thing]);
    else group.push(thing);
  }
  return [...groups.values()];
}

function atMost(lines: readonly string[], verbose: boolean): string[] {
  if (verbose || lines.length <= LINES + 1) return [...lines];
  return [...lines.slice(0, LINES), `… and ${lines.length - LINES} more such lines (-v shows all)`];
}

export function renderStacks(stacks: readonly StackChanges[], verbose = false): string {
  const changed = stacks.filter(isStackChanged);
  if (changed.length === 0) return 'Stacks: no change';
  const all = changed.flatMap(({ stack, changes, failed }) => [
    ...(failed === undefined ? [] : [{ stack, mark: '±', type: 'stack', logicalId: '', name: '', changed: inWordsOf(failed) }]),
    ...changes.map((change) => ({ stack, mark: ACTIONS[change.action], ...change, changed: changeInWords(change) })),
  ]);
  const rows = alike(all, ({ mark, type, changed: what }) => [mark, type, what].join('\n'), verbose).map((group) => [
    group[0].mark,
    several(group.map(({ stack }) => stack)),
    TYPES[group[0].type] ?? group[0].type,
    several(group.map(({ logicalId, name }) => (verbose && name ? `${name} (${logicalId})` : (name ?? logicalId)))),
    group[0].changed,
  ]);
  return [`Stacks\n${renderTable(['', 'stack', 'type', 'resource', 'changed'], rows)}`, ...renderStatements(changed, verbose)].join('\n\n');
}

function changeInWords({ action, properties = [], stays }: StackChanges['changes'][number]): string {
  if (action === 'delete') return stays ? 'leaves the stack, and stays' : 'is deleted';
  if (action === 'replace') return `is made anew, and the old one deleted: ${properties.join(', ')}`;
  return action === 'update' ? properties.join(', ') : '';
}

/** Of a stack that is made, the statements are as new as all else in it: they show where one that is there changes. */
function renderStatements(stacks: readonly StackChanges[], verbose: boolean): string[] {
  const all = stacks
    .filter(({ isNew }) => verbose || !isNew)
    .flatMap(({ stack, statements = [] }) => statements.map((statement) => ({ stack, ...statement })));
  const groups = alike(all, ({ stack: _, resource: __, principal: ___, ...rest }) => JSON.stringify(rest), verbose);
  const lines = groups.map((group) => {
    const [{ action, effect, actions, condition }] = group;
    const of = (what: 'resource' | 'principal' | 'stack') =>
      several(
        group.map((one) => one[what].replaceAll('\n', ', ')),
        verbose,
      );
    const when = condition.trim() === '' ? '' : ` if ${condition.replaceAll(/\s+/g, ' ')}`;
    return `${action === 'add' ? '+' : '-'} ${of('stack')}: ${effect} ${actions.replaceAll('\n', ', ')} on ${of('resource')}${of('principal') === '' ? '' : ` to ${of('principal')}`}${when}`;
  });
  return lines.length === 0 ? [] : [`IAM statements\n${atMost(lines, verbose).join('\n')}`];
}

export function renderBuildpacks(plans: readonly AppBuildpacks[], verbose = false): string {
  const all = plans.flatMap(({ app, plan, forks }) => [
    ...plan.changes.map(({ action, url, reason }) => ({ app, rest: [action, short(url), reason] })),
    ...Object.entries(forks).map(([name, url]) => ({ app, rest: ['set', `${name}=${url}`, 'named in the file'] })),
  ]);
  const rows = alike(all, ({ rest }) => rest.join('\n'), verbose).map((group) => [several(group.map(({ app }) => app)), ...group[0].rest]);
  return rows.length === 0 ? '' : `Buildpacks (in force at the next build)\n${renderTable(['app', 'action', 'buildpack', 'why'], rows)}`;
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

type TeamSteps = { readonly team: string; readonly plan: Plan };

/** What is the same but for whose key it is about. */
export const anyKey = (text: string): string => text.replaceAll(/\bA[KS]IA\w+|\(new key of [^)]*\)/g, '…');

/** What goes without saying of a new key. */
const isMaking = (step: Step): boolean =>
  ['store-pending', 'verify', 'promote'].includes(step.kind) && 'keyId' in step && step.keyId.startsWith('(new key');

/** What a user's key goes through again later is no step of the first time. */
function inTurn(steps: readonly Step[]): Array<{ readonly step: Step; readonly turn: number }> {
  const seen = new Map<string, number>();
  return steps.map((step) => {
    const of = `${step.kind} ${'user' in step ? step.user : ''}`;
    const turn = (seen.get(of) ?? 0) + 1;
    seen.set(of, turn);
    return { step, turn };
  });
}

/** Plans of teams as one picture: like steps of all of them are one line. */
export function renderPlans(plans: readonly TeamSteps[], verbose = false): string {
  if (verbose && plans.length > 1) return plans.map((one) => renderPlans([one], true)).join('\n\n');
  const busy = plans.filter(({ plan }) => plan.steps.length > 0);
  const calm = (partly: boolean) =>
    plans
      .filter(({ plan }) => plan.steps.length === 0 && plan.blocked.length === 0 && plan.left.length > 0 === partly)
      .map(({ team }) => team);
  const steps = (['now', 'later'] as const)
    .flatMap((run) => busy.flatMap(({ team, plan }) => inTurn(byRun(plan)[run]).map((one) => ({ ...one, run, team }))))
    .filter(({ step }) => verbose || !isMaking(step))
    .map((one, at) => ({ ...one, at }));
  const groups = alike(
    steps,
    ({ step, run, turn }) => [step.kind, step.kind === 'copy-packages' ? subject(step) : '', anyKey(step.reason), run, turn].join('\n'),
    verbose,
  );
  // Where the last of them stands: what is waited for before any of them comes first.
  const last = (things: (typeof groups)[number]) => things.at(-1)?.at ?? 0;
  const rows = groups
    .sort((a, b) => last(a) - last(b))
    .map((things, index) => {
      const group = things.map(({ step }) => step) as [Step, ...Step[]];
      // A user's label says whose it is, an app's name does not.
      const whose = group[0].kind === 'write-apps' && busy.length > 1 ? ` of ${several(things.map(({ team }) => team))}` : '';
      return [
        String(index + 1),
        group[0].kind === 'wait' && group[0].later ? 'later' : stepInWords(group[0].kind),
        several(
          group.flatMap((step) => (step.kind === 'write-apps' ? step.apps.map(({ app }) => app) : [subject(step)])),
          verbose,
        ) + whose,
        group.length > 1 ? anyKey(group[0].reason) : group[0].reason,
      ];
    });
  const whose = busy.length === 1 ? `${busy[0]?.team}: keys and config vars` : `Keys and config vars of ${busy.length} teams`;
  return [
    ...(busy.length > 0 ? [`${whose}\n${renderTable(['', 'step', 'what', 'why'], rows)}`] : []),
    ...renderWrites(busy, verbose),
    ...[several(calm(false))].filter((teams) => teams !== '').map((teams) => `${teams}: keys and config vars are as they should be`),
    ...[several(calm(true))].filter((teams) => teams !== '').map((teams) => `${teams}: nothing to change in what could be looked at`),
    ...(['waiting', 'blocked', 'notices', 'left'] as const).flatMap((kind) =>
      atMost(
        plans.flatMap(({ plan }) =>
          remarks({
            ...NO_REMARKS,
            [kind]: plan[kind],
            waiting: kind === 'waiting' ? plan.waiting.filter((one) => !isStep(plan, one)) : [],
          }),
        ),
        verbose,
      ),
    ),
  ].join('\n');
}

/** What apps get, old → new: those that get the same names are one row, and a value that is not the same for all of them says so. */
function renderWrites(plans: readonly TeamSteps[], verbose: boolean): string[] {
  const writes = plans.flatMap(({ plan }) => plan.steps.flatMap((step) => (step.kind === 'write-apps' ? step.apps : [])));
  const shape = ({ changes }: AppWrite) => changes.map(({ name, to }) => `${name}${to === null ? '-' : '+'}`).join(' ');
  const rows = alike(writes, shape, verbose).map((group) => [
    several(group.map(({ app }) => app)),
    group[0].changes
      .map(({ name }, index) => {
        const value = (side: 'from' | 'to') => {
          const values = new Set(group.map(({ changes }) => changes[index]?.[side] ?? 'unset'));
          return values.size === 1 ? cut([...values].join('').replaceAll(/\s+/g, ' '), 60) : `(${values.size} different ones, shown by -v)`;
        };
        return `${name}: ${value('from')} → ${value('to')}`;
      })
      .join('\n'),
  ]);
  return rows.length === 0 ? [] : [`\n${renderTable(['app (restarts)', 'config vars'], rows)}`];
}

/** What is waited for is a row already, where something comes after it. */
const isStep = ({ steps }: Plan, { text, keyId }: Plan['waiting'][number]): boolean =>
  steps.some(
    ({ kind, reason }) => kind === 'wait' && (reason === text || (reason.includes(keyId) && ofAnyKeys(reason) === ofAnyKeys(text))),
  );

/** A row may be about several keys. */
const ofAnyKeys = (text: string): string => anyKey(text).replaceAll(/…(, …)+/g, '…');

const NO_REMARKS = { waiting: [], blocked: [], notices: [], left: [] };

const remarks = ({ waiting, blocked, notices, left }: Pick<Plan, 'waiting' | 'blocked' | 'notices' | 'left'>): string[] => [
  ...waitsOf(waiting).map((text) => `waiting: ${text}`),
  ...blocked.map(({ text }) => `blocked: ${text}`),
  ...notices.map((text) => `note: ${text}`),
  ...left.map(({ text }) => `left as it is: ${text}`),
];

/** A rough guess, on the slow side: copies a second, and bytes a second between regions. */
const PACE = { copies: 50, bytes: 50e6 };

/** `1200 objects, 310.0 MB, about 1 min and $0.01`. @internal */
export function effortOf({ from, to, objects, bytes }: PackageMove): string {
  const apart = from.region !== to.region;
  const minutes = Math.ceil(Math.max(objects / PACE.copies, apart ? bytes / PACE.bytes : 0) / 60);
  const usd = objects * PRICES.s3Write + (apart ? (bytes / 1e9) * PRICES.s3Transfer : 0);
  const price = usd < 0.01 ? 'less than $0.01' : `$${usd.toFixed(2)}`;
  return `${counted(objects, 'object')}, ${inBytes(bytes)}, about ${minutes} min and ${price}`;
}

function subject(step: Step): string {
  if (step.kind === 'copy-packages')
    return `${halcyonBucket(step.from.bucketName, step.from.prefix)} → ${halcyonBucket(step.to.bucketName, step.to.prefix)}, ${effortOf(step)}`;
  if (step.kind === 'smoke') return `${step.principal}, ${step.app}`;
  if (step.kind === 'wait' || step.kind === 'write-apps') return '';
  return 'keyId' in step ? `${step.principal} ${step.keyId}` : step.principal;
}

/** Of one that waits, or is blocked, the remarks say what its summary does. */
export const renderOutcome = (outcome: TeamResult): string => {
  const { team, status, summary } = outcome;
  const said = status === 'waiting' || status === 'blocked' ? 'not through' : summary;
  return [`${team}: ${said}`, ...remarks(outcome).map((line) => `  ${line}`)].join('\n');
};

/** Nothing failed, is blocked, or waits; an app may be left as it is. */
export const isThrough = (outcomes: readonly TeamResult[]): boolean =>
  outcomes.every(({ status }) => status === 'done' || status === 'nothing-due');

/**
 * 0: all done or nothing due; 2: something waits, or someone else is at work; 1: something failed or is blocked, or an app is left as it is.
 * @param held - what it is where someone else is at work.
 */
export function exitCodeOf(outcomes: readonly TeamResult[], held: 1 | 2 = 2): 0 | 1 | 2 {
  const codes = outcomes.map(({ status, left, error }) => {
    if (status === 'blocked' || left.length > 0) return 1;
    if (status === 'failed') return error?.code === 'lease-held' ? held : 1;
    return status === 'waiting' ? 2 : 0;
  });
  return ([1, 2] as const).find((code) => codes.includes(code)) ?? 0;
}

/** A published buildpack's URL ends in its hash: enough of it tells versions apart. */
const short = (url: string): string => url.replace(/^https?:\/\/.*\/(halcyon-sigv4-[0-9a-f]{8})[0-9a-f]{56}\.tgz$/, '$1….tgz');
