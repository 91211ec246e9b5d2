import type { Intent, Plan, TeamResult } from '../model.js';
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
    const list = [...memory.failedApps].map(([app, why]) => `${app}: ${why}`).join('; ');
    const summary = `${memory.failedApps.size} app(s) could not be written: ${list}`;
    return result('failed', summary, { code: 'apps-failed', message: list });
  }
  // What `ensure` is for is done: every app has what it should; older keys retire in their own time.
  if (waiting.length === 0 || intent.kind === 'ensure') {
    if (memory.began) return result('done', 'done');
    return result(intent.kind === 'rotate' || intent.kind === 'finish' ? 'nothing-due' : 'done', 'nothing to do');
  }
  const now = context.clock.now();
  const soonest = Math.min(
    ...waiting.map(({ until, kind }) => (until !== undefined ? Date.parse(until) : kind === 'unreadable' ? Infinity : now)),
  );
  return now >= waitUntil || soonest > waitUntil ? result('waiting', waiting.map(({ text }) => text).join('; ')) : undefined;
}
