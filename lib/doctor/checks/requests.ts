import { isDone, type Operation } from '../../storage/halcyon-requests.js';
import { classifyRefusal, type Refusal, type RefusalKind } from '../../storage/refusals.js';
import type { Check, Finding, Observation, ProbeFacts } from '../model.js';
import { about, broken, subjectOf, warning } from './finding.js';

/** What is wrong with the bucket or the way to it, whoever asks. */
const OF_BUCKET: ReadonlySet<RefusalKind> = new Set<RefusalKind>([
  ...(['sigv2-refused', 'acl-refused', 'wrong-endpoint', 'endpoint-unreachable', 'tls', 'bucket-gone', 'clock-skew'] as const),
  ...(['throttled', 'server-error'] as const),
]);

interface Probed {
  readonly by: string;
  readonly probe: ProbeFacts;
}

const probesOf = ({ teams }: Observation): Probed[] =>
  teams.flatMap(({ principals, apps }) => [
    ...principals.flatMap(({ label, probe }) => (probe === undefined ? [] : [{ by: `principal ${label}`, probe }])),
    ...apps.flatMap(({ name, probe }) => (probe === undefined ? [] : [{ by: subjectOf(name), probe }])),
  ]);

/** Requests that should have been answered otherwise. One finding a cause, however many requests it spoils. */
export const requests: Check = (observation) =>
  probesOf(observation).flatMap(({ by, probe }) => [...refusals(by, probe), ...tooWide(by, probe), ...left(by, probe)]);

const left = (by: string, { left: message }: ProbeFacts): Finding[] =>
  message === undefined
    ? []
    : about(by, [warning('probe-left', { message, fix: 'delete it by hand: the write probe put it there, and no build looks for it' })]);

function refusals(by: string, { context, results }: ProbeFacts): Finding[] {
  const byKind = new Map<RefusalKind, { refusal: Refusal; operations: Operation[] }>();
  for (const result of results) {
    const refusal = classifyRefusal(result, context);
    if (refusal === undefined) continue;
    // A refusal that was hoped for counts only where it came for another reason than the policies.
    if (result.expected === 'denied' && refusal.kind === 'policy-denies') continue;
    const known = byKind.get(refusal.kind);
    if (known === undefined) byKind.set(refusal.kind, { refusal, operations: [result.operation] });
    else known.operations.push(result.operation);
  }
  return [...byKind].flatMap(([kind, { refusal, operations }]) => {
    const severity = refusal.transient && kind !== 'endpoint-unreachable' ? warning : broken;
    const subject = OF_BUCKET.has(kind) && by.startsWith('principal ') ? `bucket ${context.bucket}` : by;
    return about(subject, [severity(kind, { ...refusal, message: `${refusal.message} (${operations.join(', ')})` })]);
  });
}

function tooWide(by: string, { results }: ProbeFacts): Finding[] {
  const allowed = results.filter((result) => result.expected === 'denied' && isDone(result));
  if (allowed.length === 0) return [];
  return about(by, [
    broken('access-too-wide', {
      message: `its key may ${allowed.map(({ operation }) => operation).join(' and ')}, which its access must not allow`,
      looksLike: 'nothing: builds do more than they should',
      fix: 'look at the policies of its user and of the bucket; halcyon-kit up puts back the kit’s own',
    }),
  ]);
}

/** S3 refuses from 15 minutes on. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** The clock here, where it is off but not refused yet. */
export const clock: Check = (observation) => {
  const results = probesOf(observation).flatMap(({ probe }) => probe.results);
  if (results.some(({ error }) => error?.code === 'RequestTimeTooSkewed')) return [];
  const ahead = results.flatMap(({ clockAheadMs }) => clockAheadMs ?? []);
  const most = ahead.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
  if (Math.abs(most) < CLOCK_TOLERANCE_MS) return [];
  return about('this machine', [
    warning('clock-skew', {
      message: `its clock is ${Math.round(Math.abs(most) / 60_000)} minutes ${most > 0 ? 'behind' : 'ahead of'} S3's; from 15 on every request is refused`,
      fix: 'set the clock right (NTP)',
    }),
  ]);
};
