import pMap from 'p-map';
import type { KeyPair, Mode, PrincipalId } from '../contract/index.js';
import type { Team } from '../config/model.js';
import { KitError, throwFirst } from '../errors.js';
import type { RunOptions, SmokeContext } from './context.js';
import { sweep } from './leftovers.client.js';
import type { SmokeReport } from './report.js';
import { prove } from './run.js';
import { appNamed, subjectOf, subjectsOf, type Subject } from './subject.js';

export type { SmokeContext } from './context.js';
export type { SmokeReport } from './report.js';

export interface SmokeOptions extends Omit<RunOptions, 'key'> {
  /** Default: each mode in use. */
  readonly modes?: readonly Mode[];
  /** With `source`: the app that the team's own source is deployed to, replacing what runs there. Alone: the app to stand for. */
  readonly app?: string;
}

/** Smoke deploys at a time: each builds, and accounts have few dynos. */
const CONCURRENCY = 3;

/**
 * A smoke deploy of each mode a team uses. A mode that cannot be proven is a report that is not ok; nothing stops the others.
 * @throws KitError `interrupted` after an abort, when everything made is removed; `app-not-in-team`; `source-needs-app`.
 */
export async function smokeTeam(context: SmokeContext, team: Team, options: SmokeOptions = {}): Promise<SmokeReport[]> {
  if (options.source !== undefined && options.app === undefined) {
    throw new KitError('source-needs-app', `say which app of team ${team.name} the source ${options.source} is for: --app`);
  }
  const subjects = subjectsOf(team, options);
  await sweep(context, team, { apps: true, objects: subjects.some(({ mode }) => mode !== 'public') });
  return pMap(subjects, (subject) => runOne(context, subject, options), { concurrency: CONCURRENCY, stopOnError: false }).catch(throwFirst);
}

/** The same for one principal and one of its apps, with a key that need not be current yet. */
export async function smokePrincipal(
  context: SmokeContext,
  team: Team,
  principal: PrincipalId,
  options: { readonly app: string; readonly key?: KeyPair },
): Promise<SmokeReport> {
  return runOne(context, { ...subjectOf(team, appNamed(team, options.app)), principal, access: principal.access }, { key: options.key });
}

async function runOne(context: SmokeContext, subject: Subject, options: RunOptions): Promise<SmokeReport> {
  const { team, mode, access } = subject;
  const title = `smoke deploy of ${team.name}, ${access === 'append-only' ? 'upload (append-only)' : mode}`;
  if (context.signal?.aborted) throw interrupted(title);
  const step = context.io.step(title);
  try {
    const report = await prove(context, subject, options, step);
    const held = report.proofs.filter(({ ok }) => ok).length;
    const summary = `${held} of ${report.proofs.length} proofs hold`;
    if (report.ok) step.done(summary);
    else step.fail(summary);
    return report;
  } catch (error) {
    const shown = context.signal?.aborted ? interrupted(title) : error;
    step.fail(shown);
    throw shown;
  }
}

const interrupted = (title: string): KitError =>
  new KitError('interrupted', `${title} was stopped; what it had made is removed, or was just named`);
