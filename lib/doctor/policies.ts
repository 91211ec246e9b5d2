import type { PolicyDocumentJson } from '../constructs/policies.js';
import type { PolicyJson } from './model.js';

/** How a policy differs from the kit's own: statements that are missing or changed, and statements of others. */
export interface PolicyDrift {
  /** By Sid, or by their actions. */
  readonly missing: readonly string[];
  readonly extra: readonly string[];
}

/** Compare by meaning: order, and one value as a list or by itself, make no difference. */
export function policyDrift(actual: PolicyJson | null, expected: PolicyDocumentJson): PolicyDrift {
  const there = statements(actual).map((statement) => ({ statement, text: canonical(statement) }));
  const wanted = statements(expected).map((statement) => ({ statement, text: canonical(statement) }));
  return {
    missing: wanted.filter(({ text }) => !there.some((other) => other.text === text)).map(({ statement }) => nameOf(statement)),
    extra: there.filter(({ text }) => !wanted.some((other) => other.text === text)).map(({ statement }) => nameOf(statement)),
  };
}

const statements = (policy: { readonly Statement?: unknown } | null): unknown[] => {
  const found = policy?.Statement;
  return found === undefined ? [] : Array.isArray(found) ? found : [found];
};

function nameOf(statement: unknown): string {
  const { Sid, Effect, Action } = statement as { Sid?: string; Effect?: string; Action?: string | string[] };
  return Sid ?? `${Effect ?? '?'} ${[Action ?? '?'].flat().join(', ')}`;
}

function canonical(value: unknown, key = ''): string {
  // `"Principal": "*"` and `{"AWS": "*"}` name the same; AWS may return either.
  if (key === 'Principal' && value === '*') return canonical({ AWS: '*' });
  if (Array.isArray(value))
    return `[${value
      .map((item) => canonical(item))
      .sort()
      .join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner, name)}`);
    return `{${entries.sort().join(',')}}`;
  }
  // A single value stands for a list of one; numbers and booleans for their texts.
  return key === 'Sid' || key === 'Effect' || key === '' ? JSON.stringify(String(value)) : `[${JSON.stringify(String(value))}]`;
}
