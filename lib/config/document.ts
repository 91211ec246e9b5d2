import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair } from 'yaml';
import type { Problem } from './model.js';

export type Path = ReadonlyArray<string | number>;

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

export function readDocument(text: string): SourceDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    // The counter knows no line 0: an empty text has one line all the same.
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems: Problem[] = document.errors.map((error) => ({
    path: '',
    ...position(error.pos[0]),
    message: syntaxMessage(error.code, error.message, text.slice(error.pos[0])),
    ...(error.code === 'TAB_AS_INDENT' ? { hint: 'indent with spaces' } : {}),
  }));
  const resolve = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  /** Key and value of the last step of `path` that is there. */
  const find = (path: Path): { key?: Node; value?: Node; found: boolean } => {
    let key: Node | undefined;
    let value = document.contents as Node | undefined;
    for (const step of path) {
      const container = resolve(value);
      if (isMap(container)) {
        const pair = container.items.find(
          (item): item is Pair<Node, Node> => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
        );
        if (pair === undefined) return { key, value, found: false };
        key = pair.key;
        value = pair.value ?? undefined;
      } else if (isSeq(container) && typeof step === 'number' && container.items[step] !== undefined) {
        key = undefined;
        value = container.items[step] as Node;
      } else return { key, value, found: false };
    }
    return { key, value, found: true };
  };

  let data: unknown;
  if (document.errors.every((error) => error.code === 'DUPLICATE_KEY')) {
    try {
      data = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      problems.push({ path: '', line: 1, column: 1, message: `cannot be resolved: ${(error as Error).message}` });
    }
  }
  return {
    data,
    problems,
    problem(path, message, options = {}) {
      const { key, value, found } = find(path);
      // Where nothing is written after the colon, the key is what can be pointed at.
      const empty = value?.range?.[0] === value?.range?.[1];
      const node = !found || empty || options.at === 'key' ? (key ?? value) : (value ?? key);
      const range = node?.range ?? undefined;
      return { path: path.join('.'), ...position(range?.[0] ?? 0), message, ...(options.hint === undefined ? {} : { hint: options.hint }) };
    },
    source(path) {
      const { value, found } = find(path);
      return found && isScalar(value) ? value.source : undefined;
    },
  };
}

function syntaxMessage(code: string, message: string, at: string): string {
  if (code === 'DUPLICATE_KEY') return `${/^[\w.-]+/.exec(at)?.[0] ?? 'a key'} is there twice; keep one`;
  if (code === 'MULTIPLE_DOCS') return 'the file must hold one document, without "---" in between';
  const first = (message.split('\n')[0] ?? message).replace(/[.:]$/, '');
  return `is not YAML: ${first.charAt(0).toLowerCase()}${first.slice(1)}`;
}
