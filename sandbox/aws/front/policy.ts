/**
 * Just enough of IAM's policy language to decide Deny statements of a bucket policy.
 * Source: IAM user guide, "IAM JSON policy elements reference".
 */
export interface Statement {
  readonly effect: string;
  /** `*`, ARNs and account ids. Undefined with NotPrincipal, which is not understood. */
  readonly principals: readonly string[] | undefined;
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly resources: readonly string[];
  readonly notResources: readonly string[];
  readonly conditions: ReadonlyArray<{ readonly operator: string; readonly key: string; readonly values: readonly string[] }>;
  readonly conditionKeys: ReadonlySet<string>;
}

export interface RequestContext {
  readonly action: string;
  readonly resource: string;
  /** Undefined for an anonymous request. */
  readonly principal: string | undefined;
  /** Condition keys in lower case. */
  readonly keys: Readonly<Record<string, string>>;
}

type Json = Record<string, unknown>;

export function parsePolicy(text: string): Statement[] {
  let policy: { Statement?: unknown };
  try {
    policy = JSON.parse(text) as { Statement?: unknown };
  } catch {
    return [];
  }
  return ([policy.Statement].flat() as Json[])
    .filter((statement) => typeof statement === 'object' && statement !== null)
    .map(parseStatement);
}

const strings = (value: unknown): string[] => (value === undefined ? [] : [value].flat().map(String));

function parseStatement(statement: Json): Statement {
  const principal = statement.Principal;
  const named = typeof principal === 'object' && principal !== null ? (principal as Json).AWS : principal;
  const conditions = Object.entries((statement.Condition ?? {}) as Record<string, Json>).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => ({ operator: operator.toLowerCase(), key: key.toLowerCase(), values: strings(values) })),
  );
  return {
    effect: String(statement.Effect),
    principals: principal === undefined ? undefined : strings(named),
    actions: strings(statement.Action),
    notActions: strings(statement.NotAction),
    resources: strings(statement.Resource),
    notResources: strings(statement.NotResource),
    conditions,
    conditionKeys: new Set(conditions.map(({ key }) => key)),
  };
}

/** Whether `statement` is a Deny that this request meets. */
export function denies(statement: Statement, context: RequestContext): boolean {
  return (
    statement.effect === 'Deny' &&
    statement.principals !== undefined &&
    statement.principals.some((principal) => namesPrincipal(principal, context.principal)) &&
    covers(statement.actions, statement.notActions, context.action, 'i') &&
    covers(statement.resources, statement.notResources, context.resource, '') &&
    statement.conditions.every(({ operator, key, values }) => holds(operator, context.keys[key], values))
  );
}

function namesPrincipal(named: string, actual: string | undefined): boolean {
  if (named === '*') return true;
  if (actual === undefined) return false;
  const [, partition, , , account] = actual.split(':');
  return named === actual || named === account || named === `arn:${partition}:iam::${account}:root`;
}

function covers(named: readonly string[], except: readonly string[], actual: string, flags: string): boolean {
  if (named.length > 0) return named.some((pattern) => like(pattern, actual, flags));
  return except.length > 0 && !except.some((pattern) => like(pattern, actual, flags));
}

/** `*` and `?` as IAM has them. */
export const like = (pattern: string, text: string, flags = ''): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    `s${flags}`,
  ).test(text);

const COMPARE: Readonly<Record<string, (actual: string, wanted: string) => boolean>> = {
  stringequals: (actual, wanted) => actual === wanted,
  stringequalsignorecase: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  stringlike: (actual, wanted) => like(wanted, actual),
  arnequals: (actual, wanted) => like(wanted, actual),
  arnlike: (actual, wanted) => like(wanted, actual),
  bool: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  numericequals: (actual, wanted) => Number(actual) === Number(wanted),
  numericlessthan: (actual, wanted) => Number(actual) < Number(wanted),
  numericlessthanequals: (actual, wanted) => Number(actual) <= Number(wanted),
  numericgreaterthan: (actual, wanted) => Number(actual) > Number(wanted),
  numericgreaterthanequals: (actual, wanted) => Number(actual) >= Number(wanted),
};
const NEGATED = /^(string|arn|numeric)not(equals|equalsignorecase|like)$/;

function holds(operator: string, actual: string | undefined, values: readonly string[]): boolean {
  if (operator === 'null') return (actual === undefined) === (values[0]?.toLowerCase() === 'true');
  const ifExists = operator.endsWith('ifexists');
  const plain = ifExists ? operator.slice(0, -'ifexists'.length) : operator;
  const negated = NEGATED.test(plain);
  if (actual === undefined) return ifExists || negated;
  const compare = COMPARE[negated ? plain.replace('not', '') : plain];
  if (compare === undefined) return false;
  return values.some((wanted) => compare(actual, wanted)) !== negated;
}
