import type { z } from 'zod';
import { KitError } from '../errors.js';
import { counted, cut } from '../io/printable.js';
import type { Path, SourceDocument } from './document.js';
import type { Problem } from './model.js';
import { didYouMean } from './nearest.js';
import type { Bad } from './rules/index.js';
import { bucketVariant, KEYS } from './schema.js';

type Issue = z.core.$ZodIssue;

/** Everything that is wrong with the shape, and the paths to leave out so that the rules can look at the rest. */
export function shapeProblems(issues: readonly Issue[], document: SourceDocument): { problems: Problem[]; bad: Bad[] } {
  const problems: Problem[] = [];
  const bad: Bad[] = [];
  for (const issue of issues.flatMap(flatten)) {
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const at = [...path, key];
        bad.push({ path: at });
        problems.push(document.problem(at, `is not known here`, { at: 'key', hint: unknownKeyHint(key, path) }));
      }
      continue;
    }
    bad.push({ path, emptied: issue.code === 'invalid_type' && issue.expected === 'object' });
    const missing = issue.input === undefined;
    const { message, hint } = describe(issue, path, document);
    problems.push(document.problem(path, message, { hint, at: missing ? 'key' : 'value' }));
  }
  return { problems, bad };
}

/** The one union is that of a team's bucket: what is wrong is said of the option that was meant. */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const option = issue.errors[bucketVariant(issue.input)] ?? [];
  return option.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** Of a long text no more is looked at than is shown. */
const show = (value: unknown): string => cut(JSON.stringify(typeof value === 'string' ? value.slice(0, 60) : value) ?? String(value), 57);

const list = (values: readonly unknown[]): string => new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(values.map(String));

const WHAT: Record<string, string> = {
  string: 'a text',
  object: 'a mapping of names to values',
  record: 'a mapping of names to values',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
};

function describe(issue: Issue, path: Path, document: SourceDocument): { message: string; hint?: string } {
  const input = issue.input;
  switch (issue.code) {
    case 'invalid_value':
      if (input === undefined) return { message: `is missing: ${list(issue.values)}` };
      return {
        message: `must be ${list(issue.values)}, got ${show(input)}`,
        hint: didYouMean(String(input), issue.values.map(String)),
      };
    case 'invalid_type': {
      const what = WHAT[issue.expected] ?? issue.expected;
      if (input === undefined) return { message: `is missing${ADVICE[String(path.at(-1))] ?? ''}` };
      if (input === null) return { message: `is empty: it must be ${what}` };
      if (issue.expected === 'string' && typeof input !== 'object') {
        // What YAML has made of it may have lost leading zeros: show what was written.
        return {
          message: `must be quoted, since YAML reads it as a ${typeof input}`,
          hint: `write "${document.source(path) ?? String(input)}"`,
        };
      }
      if (issue.expected === 'boolean' && typeof input === 'string' && /^(yes|no|on|off|true|false)$/i.test(input)) {
        return { message: `must be true or false, got ${show(input)}`, hint: `write ${/^(yes|on|true)$/i.test(input)}` };
      }
      return { message: `must be ${what}, got ${show(input)}` };
    }
    case 'too_small':
      return { message: `must be at least ${issue.minimum}, got ${show(input)}` };
    case 'too_big':
      return { message: `must be at most ${issue.maximum}, got ${show(input)}` };
    default:
      return { message: issue.message };
  }
}

/** What a missing value is there for. */
const ADVICE: Record<string, string> = {
  account: ': the AWS account id, quoted, so that nothing is ever made in the wrong account',
  region: ': the AWS region of the bucket, such as eu-west-1',
  apps: ': the Heroku apps of the team, by name',
};

/** What kind of mapping stands at `path`. */
function kindOf(path: Path): string {
  if (path.length === 0) return '';
  const last = String(path.at(-1));
  if (path[0] === 'notify') return 'notify';
  if (path[0] === 'buckets') return path.length === 2 ? 'bucket' : last;
  if (path[0] === 'teams' && path.length === 2) return 'team';
  if (path[0] === 'teams' && path[2] === 'apps' && path.length === 4) return 'app';
  if (path[0] === 'teams' && path[2] === 'pipelines' && path.length > 3) return path.length === 4 ? 'pipeline' : 'stage';
  return last;
}

/** Kinds of mapping that know a key, to say where it belongs. */
const PLACES: Record<string, string> = {
  '': 'the top of the file',
  bucket: 'a bucket',
  retention: '"retention" of a bucket',
  team: 'a team',
  app: 'an app',
  signing: '"signing"',
  buildpack: '"buildpack"',
};

/** Names that people bring along from elsewhere. */
const ALIASES: Record<string, string> = {
  kmsKey: 'kmsKeyArn',
  kms: 'kmsKeyArn',
  retain: 'retention: { retain }',
  expireAfterDays: 'retention: { expireAfterDays }',
  noncurrentDays: 'retention: { noncurrentDays }',
};

function unknownKeyHint(key: string, path: Path): string | undefined {
  const kind = kindOf(path);
  if (/secret|access_?key|token|password/i.test(key)) return 'keys and secrets never go into this file: the kit makes and keeps them';
  const known = KEYS[kind] ?? [];
  if (kind === 'bucket' && known.includes(key)) {
    return path[0] === 'buckets'
      ? 'a shared bucket has no such setting: it is each team’s'
      : 'it does not go with this kind of bucket: a shared bucket is described under "buckets", an existing one is left as it is';
  }
  if (kind === 'bucket' && ALIASES[key] !== undefined) return `did you mean "${ALIASES[key]}"?`;
  const near = didYouMean(key, known);
  if (near !== undefined) return near;
  const elsewhere = Object.entries(KEYS).filter(([place, keys]) => place in PLACES && keys.includes(key));
  if (elsewhere.length > 0) return `it belongs to ${list(elsewhere.map(([place]) => PLACES[place]))}`;
  return known.length > 0 ? `known are ${known.join(', ')}` : undefined;
}

/** Problems that are printed; `details` has them all. */
const PRINTED = 200;

/** `config-invalid`, with every problem in the order of the file. */
export function configInvalid(problems: readonly Problem[], file: string): KitError {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
  const lines = sorted
    .slice(0, PRINTED)
    .map(
      ({ path, line, column, message, hint }) =>
        `${file}:${line}:${column}  ${path === '' ? '' : `${path}: `}${message}${hint === undefined ? '' : `; ${hint}`}`,
    );
  if (sorted.length > PRINTED) lines.push(`… and ${sorted.length - PRINTED} more`);
  return new KitError('config-invalid', `${counted(sorted.length, 'problem')} in ${file}\n${lines.join('\n')}`, {
    details: { problems: sorted },
  });
}
