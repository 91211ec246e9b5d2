import { isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';

export type Path = ReadonlyArray<string | number>;

/** What stands where in a document, found without looking through it again for each question. */
export interface Nodes {
  /** Offsets of keys that their mapping has already. */
  readonly twice: readonly number[];
  /** Aliases that lead nowhere, would never end, or not in this machine's memory: then nothing may follow them. */
  readonly broken?: { readonly offset: number; readonly message: string };
  /** Key and value of the last step of `path` that is there. */
  find(path: Path): { key?: Node; value?: Node; found: boolean };
}

const DEEPEST = 100;
/** What aliases may add to the text, in characters; each node counts as some. */
const ALIASES_ADD = 10_000_000;
const A_NODE = 16;

/** @param written - length of the text. */
export function inspect(root: Node | null, written: number): Nodes {
  const anchors = new Map<string, Node>();
  const targets = new Map<Node, Node | undefined>();
  const sizes = new Map<Node, number>();
  const maps = new Map<YAMLMap, Map<string, { key: Node; value?: Node }>>();
  const twice: number[] = [];
  let broken: Nodes['broken'];
  const stop = (node: Node, message: string) => {
    broken ??= { offset: node.range?.[0] ?? 0, message };
    return 0;
  };

  /** Size of a node with its aliases followed; notes what it meets on the way. */
  const walk = (node: Node | null | undefined, depth: number): number => {
    if (node === null || node === undefined || broken !== undefined) return 0;
    if (depth > DEEPEST) return stop(node, `is nested too deeply: more than ${DEEPEST} levels; mend its brackets`);
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      targets.set(node, target);
      if (target === undefined) return stop(node, `*${node.source} names nothing: there is no &${node.source} before it`);
      return sizes.get(target) ?? stop(node, `*${node.source} stands inside of what it names, so it would never end; write it out`);
    }
    if ('anchor' in node && typeof node.anchor === 'string') anchors.set(node.anchor, node);
    let size = A_NODE;
    if (isScalar(node)) size += typeof node.value === 'string' ? node.value.length : 0;
    if (isSeq(node)) for (const item of node.items) size += walk(item as Node, depth + 1);
    if (isMap(node)) {
      const entries = new Map<string, { key: Node; value?: Node }>();
      maps.set(node, entries);
      for (const pair of node.items) {
        const key = pair.key as Node | null;
        const value = (pair.value as Node | null) ?? undefined;
        size += walk(key, depth + 1) + walk(value, depth + 1);
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (entries.has(name)) twice.push(key.range?.[0] ?? 0);
        else entries.set(name, { key, ...(value === undefined ? {} : { value }) });
      }
    }
    if (size > written * A_NODE + ALIASES_ADD) return stop(node, 'its aliases make it too large; write less of it by aliases');
    sizes.set(node, size);
    return size;
  };
  walk(root, 0);

  return {
    twice,
    ...(broken === undefined ? {} : { broken }),
    find(path) {
      let key: Node | undefined;
      let value: Node | undefined = root ?? undefined;
      for (const step of path) {
        const container: Node | undefined = isAlias(value) ? targets.get(value) : value;
        if (isMap(container)) {
          const entry = maps.get(container)?.get(String(step));
          if (entry === undefined) return { key, value, found: false };
          ({ key, value } = { value: undefined, ...entry });
        } else if (isSeq(container) && typeof step === 'number' && container.items[step] !== undefined) {
          key = undefined;
          value = container.items[step] as Node;
        } else return { key, value, found: false };
      }
      return { key, value, found: true };
    },
  };
}
