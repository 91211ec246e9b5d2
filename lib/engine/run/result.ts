import { counted } from '../../io/printable.js';
import type { Intent, Plan, TeamResult } from '../model.js';
import { isOver, soonestOf, waitsOf } from '../plan/waiting.plan.js';
import type { RunContext, RunMemory } from './run.js';

export function resultOf(
  { team }: Pick<RunContext, 'team'>,
  { evidence }: RunMemory,
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

/** What it came to, where nothing can be done now; undefined while it is worth waiting, until `waitUntil` at most. */
export function restOf(context: RunContext, memory: RunMemory, intent: Intent, planned: Plan, waitUntil: number): TeamResult | undefined {
  const result = (status: TeamResult['status'], summary: string, error?: TeamResult['error']) =>
    resultOf(context, memory, status, summary, planned, error);
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
  const now = context.clock.now();
  return now >= waitUntil || soonestOf(waiting, now) > waitUntil ? result('waiting', waitsOf(waiting).join('; ')) : undefined;
}
