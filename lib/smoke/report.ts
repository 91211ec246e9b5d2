import type { Access, Mode } from '../contract/index.js';
import { redact } from '../io/redaction.js';
import type { Subject } from './subject.js';

/** One thing proven, or not. */
export interface Proof {
  /** What was tried, for people: `PUT in its own prefix`. */
  readonly proof: string;
  readonly expected: string;
  readonly observed: string;
  readonly ok: boolean;
  /** What it touches, where a known cause is told by it. */
  readonly about?: 'source' | 'page' | 'config-vars';
}

export const proof = (title: string, expected: string, observed: string, about?: Proof['about']): Proof => ({
  proof: title,
  expected,
  observed,
  ok: expected === observed,
  ...(about ? { about } : {}),
});

/** A known cause of what went wrong, and its remedy. */
export interface Cause {
  /** Stable, kebab-case. */
  readonly code: string;
  /** What it is. */
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
}

/** The first proof that does not hold, and the known causes. @param otherwise - what is said where every one holds. */
export function failureOf({ proofs, causes }: Pick<SmokeReport, 'proofs' | 'causes'>, otherwise: string): string {
  const first = proofs.find(({ ok }) => !ok);
  const what = first === undefined ? otherwise : `${first.proof}: ${first.observed}, expected ${first.expected}`;
  return [what, ...causes.map(({ code, message, remedy }) => `  ${code}: ${message}; ${remedy}`)].join('\n');
}

/** What one smoke deploy showed. Plain data without secrets. */
export interface SmokeReport {
  readonly team: string;
  readonly mode: Mode;
  /** Undefined in mode `public`. */
  readonly access?: Access;
  /** The app whose config vars, buildpacks and stack were used. */
  readonly app: string;
  /** Every proof holds. */
  readonly ok: boolean;
  readonly proofs: readonly Proof[];
  /** Known causes of what does not hold; empty where all holds. */
  readonly causes: readonly Cause[];
  readonly evidence: Evidence;
}

/** What the report rests on, for the evidence file. */
export interface Evidence {
  readonly smokeApp: string;
  readonly stack: string;
  readonly platform: string;
  /** Without user names and passwords in URLs. */
  readonly buildpacks: readonly string[];
  readonly bucket?: string;
  readonly endpoint?: string;
  readonly signing: 2 | 4;
  /** Access key id; the secret is nowhere. */
  readonly keyId?: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly builds: readonly BuildEvidence[];
  /** Output of the one-off dynos, lines. */
  readonly dyno: readonly string[];
  /** What could not be removed; the next run tries again. */
  readonly leftovers: readonly string[];
}

interface BuildEvidence {
  readonly id: string;
  readonly status: string;
  readonly release?: number;
  /** Its log's last 200 lines, without colours. */
  readonly log: readonly string[];
}

/** Redacted as a whole: a build or a dyno may print anything. */
export function reportOf(
  { team, mode, access, app }: Subject,
  { proofs, causes, evidence }: Pick<SmokeReport, 'proofs' | 'causes' | 'evidence'>,
): SmokeReport {
  const ok = proofs.every((proof) => proof.ok);
  const report: SmokeReport = { team: team.name, mode, access, app: app.name, ok, proofs, causes, evidence };
  return JSON.parse(redact(JSON.stringify(report))) as SmokeReport;
}
