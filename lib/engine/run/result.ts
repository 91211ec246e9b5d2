import { counted } from '../../io/printable.js';
import type { Intent, Plan, TeamResult } from '../model.js';
import { isOver, soonestOf, waitsOf } from '../plan/waiting.plan.js';
import type { RunContext, RunMemory } from './run.js';

type Done = Pick<RunMemory, 'failedApps' | 'began' | 'evidence'>;
const NOTHING: Done = { failedApps: new Map(), began: false, evidence: [] };

export function resultOf(
  { team }: Pick<RunContext, 'team'>,
  { evidence }: Pick<Done, 'evidence'>,
  status: TeamResult['status'],
  summary: string,
  planned: Plan | undefined,
  error?: TeamResult['error'],
): TeamResult {
  return {
    team: team.name,
    status,
    summary,
    waiting: planned?.waiting ?? [],
    blocked: planned?.blocked ?? [],
    notices: planned?.notices ?? [],
    left: planned?.left ?? [],
    ...(error === undefined ? {} : { error }),
    evidence,
  };
}

/** What it came to, where nothing can be done now. */
export function endOf(of: Pick<RunContext, 'team'>, intent: Intent, planned: Plan, memory = NOTHING): TeamResult {
  const result = (status: TeamResult['status'], summary: string, error?: TeamResult['error']) =>
    resultOf(of, memory, status, summary, planned, error);
  const { waiting } = planned;
  if (memory.failedApps.size > 0) {
    const list = [...memory.failedApps].map(([app, { message }]) => `${app}: ${message}`).join('; ');
    const contested = [...memory.failedApps.values()].every(({ code }) => code === 'config-vars-contested');
    const summary = `${counted(memory.failedApps.size, 'app')} could not be written: ${list}`;
    return result('failed', summary, { code: contested ? 'config-vars-contested' : 'apps-failed', message: list });
  }
  if (isOver(intent, waiting)) {
    const but = planned.left.length === 0 ? '' : `, but for ${counted(planned.left.length, 'app')}`;
    if (memory.began) return result('done', `done${but}`);
    return result(intent.kind === 'rotate' || intent.kind === 'finish' ? 'nothing-due' : 'done', `nothing to do${but}`);
  }
  return result('waiting', waitsOf(waiting).join('; '));
}

/** The same; undefined while it is worth waiting, until `waitUntil` at most. */
export function restOf(context: RunContext, memory: RunMemory, intent: Intent, planned: Plan, waitUntil: number): TeamResult | undefined {
  const end = endOf(context, intent, planned, memory);
  const now = context.clock.now();
  return end.status !== 'waiting' || now >= waitUntil || soonestOf(planned.waiting, now) > waitUntil ? end : undefined;
}
