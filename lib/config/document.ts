import { isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { cut } from '../io/printable.js';
import type { Problem } from './model.js';
import { inspect, type Path } from './nodes.js';

export type { Path } from './nodes.js';

/** A YAML text that remembers where everything stands. */
export interface SourceDocument {
  /** Plain data; undefined where the text is not YAML. Of duplicate keys, the last counts. */
  readonly data: unknown;
  /** Syntax errors, duplicate keys, and the like. */
  readonly problems: readonly Problem[];
  /**
   * A problem at `path`: at its value, or with `at: 'key'` at its key. What is not there is placed at the nearest thing around it.
   */
  problem(path: Path, message: string, options?: { hint?: string; at?: 'key' | 'value' }): Problem;
  /** A scalar as it is written, before YAML made a number of it. */
  source(path: Path): string | undefined;
}

/** Of a message, and of a step of a path: what is longer is no name, and is not printed whole. */
const LONGEST = { message: 500, step: 80 };

export function readDocument(text: string): SourceDocument {
  const lines = new LineCounter();
  const document = parse(text, lines);
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    // The counter knows no line 0: an empty text has one line all the same.
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (document === undefined)
    return unreadable({ path: '', line: 1, column: 1, message: 'is nested too deeply', hint: 'mend its brackets' });
  const nodes = inspect(document.contents as Node | null, text.length);
  const problems: Problem[] = [
    ...document.errors.map((error) => ({
      path: '',
      ...position(error.pos[0]),
      message: cut(syntaxMessage(error.code, error.message), LONGEST.message),
      ...(error.code === 'TAB_AS_INDENT' ? { hint: 'indent with spaces' } : {}),
    })),
    ...nodes.twice.map((offset) => ({ path: '', ...position(offset), message: twiceMessage(text.slice(offset, offset + LONGEST.step)) })),
    ...(nodes.broken === undefined ? [] : [{ path: '', ...position(nodes.broken.offset), message: nodes.broken.message }]),
  ];
  const find = (path: Path) => nodes.find(path);
  return {
    data: document.errors.length === 0 && nodes.broken === undefined ? document.toJS({ maxAliasCount: -1 }) : undefined,
    problems,
    problem(path, message, options = {}) {
      const { key, value, found } = find(path);
      // Where nothing is written after the colon, the key is what can be pointed at.
      const empty = value?.range?.[0] === value?.range?.[1];
      const node = !found || empty || options.at === 'key' ? (key ?? value) : (value ?? key);
      return {
        path: path.map((step) => cut(String(step), LONGEST.step)).join('.'),
        ...position(node?.range?.[0] ?? 0),
        message: cut(message, LONGEST.message),
        ...(options.hint === undefined ? {} : { hint: cut(options.hint, LONGEST.message) }),
      };
    },
    source(path) {
      const { value, found } = find(path);
      return found && isScalar(value) ? value.source : undefined;
    },
  };
}

/** Undefined where brackets are nested more deeply than the parser can follow. Keys that are there twice are looked for in `nodes.ts`. */
function parse(text: string, lineCounter: LineCounter): Document | undefined {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const unreadable = (problem: Problem): SourceDocument => ({
  data: undefined,
  problems: [problem],
  problem: () => problem,
  source: () => undefined,
});

const twiceMessage = (at: string): string => `${/^[\w.-]+/.exec(at)?.[0] ?? 'a key'} is there twice; keep one`;

function syntaxMessage(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'the file must hold one document, without "---" in between';
  const first = (message.split('\n')[0] ?? message).replace(/[.:]$/, '');
  return `is not YAML: ${first.charAt(0).toLowerCase()}${first.slice(1)}`;
}
