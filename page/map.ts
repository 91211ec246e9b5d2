import { hierarchy, tree, type HierarchyNode, type HierarchyPointNode } from 'd3-hierarchy';
import type { PageData } from '../lib/cli/page.js';
import { drawn, element, of } from './elements.js';
import { mapOf, SHAPES, type Mark, type Place } from './model.js';

/** Height of a line, width of a level. */
const LINE = 24;
const LEVEL = 310;
/** Of one place's children, so many are drawn at a time. */
const STEP = 40;
/** What is opened at first makes no more lines than this. */
const FIRST = 60;

interface Node {
  readonly place: Place;
  readonly path: string;
  readonly parent?: Node;
  /** "… 960 more": opening it draws more of its parent's. */
  readonly rest?: true;
}

/** On a phone: one place a line, further in the deeper it is. */
const INDENT = 16;
const NARROW = 290;
function indented(root: HierarchyNode<Node>): HierarchyPointNode<Node> {
  let line = 0;
  return root.eachBefore((node) => Object.assign(node, { x: line++ * LINE, y: node.depth * INDENT })) as HierarchyPointNode<Node>;
}

/** A drawn tree that is walked by keys as one of files is. @param find - is given the name of an app to look for. */
export function drawMap(data: PageData, find: (text: string) => void): void {
  const root: Node = { place: mapOf(data), path: '' };
  const open = new Set<string>();
  const shown = new Map<string, number>();
  const svg = of('tree');
  const narrow = matchMedia('(max-width: 48rem)');
  let focus = '';

  const childrenOf = (node: Node): Node[] => {
    if (node.rest === true || !open.has(node.path)) return [];
    const { children } = node.place;
    const upTo = shown.get(node.path) ?? STEP;
    const some = children.slice(0, upTo).map((place): Node => ({ place, path: `${node.path}/${place.kind} ${place.name}`, parent: node }));
    const left = children.length - some.length;
    if (left <= 0) return some;
    const rest: Place = {
      kind: 'app',
      name: `… ${left.toLocaleString('en')} more`,
      note: '',
      mark: worstOf(children.slice(upTo)),
      apps: 0,
      children: [],
    };
    return [...some, { place: rest, path: `${node.path}/…`, parent: node, rest: true }];
  };
  openFirst(root, open, childrenOf);

  const toggle = (node: Node): void => {
    if (node.rest === true && node.parent !== undefined) shown.set(node.parent.path, (shown.get(node.parent.path) ?? STEP) + 200);
    else if (node.place.kind === 'app') return find(node.place.name);
    else if (!open.delete(node.path)) open.add(node.path);
    draw(true);
  };
  const draw = (refocus: boolean): void => {
    const laid = narrow.matches
      ? indented(hierarchy(root, childrenOf))
      : tree<Node>()
          .nodeSize([LINE, LEVEL])
          .separation(() => 1)(hierarchy(root, childrenOf));
    const nodes = laid.descendants();
    const top = Math.min(...nodes.map(({ x }) => x));
    const height = Math.max(...nodes.map(({ x }) => x)) - top + 2 * LINE;
    const deep = Math.max(...nodes.map(({ y }) => y));
    const width = deep + (narrow.matches ? NARROW : LEVEL + 60);
    const at = ({ x, y }: { x: number; y: number }) => ({ x: y + 12, y: x - top + LINE });
    const lines = laid.links().map(({ source, target }) => {
      const [a, b] = [at(source), at(target)];
      const from = a.x + LEVEL - 36;
      const bent = `M${from},${a.y} C${from + 20},${a.y} ${b.x - 30},${b.y} ${b.x - 8},${b.y}`;
      return drawn('path', { d: narrow.matches ? `M${a.x + 4},${a.y + 10} V${b.y} H${b.x - 4}` : bent, 'aria-hidden': 'true' });
    });
    if (!nodes.some(({ data: { path } }) => path === focus)) focus = '';
    const items = nodes.map((node) => item(node, at(node), nodes));
    svg.setAttribute('width', String(width));
    svg.setAttribute('height', String(height));
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.replaceChildren(...lines, ...items);
    if (refocus) (svg.querySelector('[tabindex="0"]') as SVGElement | null)?.focus();
  };
  const item = (
    node: HierarchyPointNode<Node>,
    { x, y }: { x: number; y: number },
    nodes: ReadonlyArray<HierarchyPointNode<Node>>,
  ): SVGElement => {
    const { place, path, rest } = node.data;
    const closed = place.children.length > 0 && !open.has(path);
    const label = `${place.kind} ${place.name}${place.note === '' ? '' : `, ${place.note}`}${place.mark === 'good' ? '' : `, ${place.mark}`}`;
    const made = drawn(
      'g',
      {
        ...{ role: 'treeitem', tabindex: path === focus ? 0 : -1, transform: `translate(${x},${y})`, class: place.mark },
        ...{ 'aria-level': node.depth + 1, 'aria-label': rest === true ? `${place.name} of ${node.parent?.data.place.name ?? ''}` : label },
        ...(place.children.length > 0 ? { 'aria-expanded': String(!closed) } : {}),
      },
      drawn('title', {}, label),
      drawn('rect', { x: -8, y: -LINE / 2 + 2, width: LEVEL - 34, height: LINE - 4, rx: 4 }),
      drawn('text', { class: 'mark', y: 5, 'aria-hidden': 'true' }, `${SHAPES[place.mark]}`),
      drawn(
        'text',
        { x: 16, y: 5, 'aria-hidden': 'true' },
        `${closed ? '▸ ' : ''}${nameOf(place)}`,
        drawn('tspan', { class: 'soft', dx: 6 }, noteOf(place)),
      ),
    );
    made.addEventListener('click', () => {
      focus = path;
      toggle(node.data);
    });
    made.addEventListener('keydown', (event) => {
      const go = (to: HierarchyPointNode<Node> | undefined): void => {
        if (to === undefined) return;
        focus = to.data.path;
        draw(true);
      };
      // Up and down by where they are drawn.
      const inOrder = [...nodes].sort((a, b) => a.x - b.x || a.depth - b.depth);
      const here = inOrder.indexOf(node);
      const keys: Record<string, () => void> = {
        Enter: () => toggle(node.data),
        ' ': () => toggle(node.data),
        ArrowRight: () => (closed ? toggle(node.data) : go(node.children?.[0])),
        ArrowLeft: () => (place.children.length > 0 && !closed ? toggle(node.data) : go(node.parent ?? undefined)),
        ArrowDown: () => go(inOrder[here + 1]),
        ArrowUp: () => go(inOrder[here - 1]),
        Home: () => go(nodes[0]),
        End: () => go(inOrder.at(-1)),
      };
      const act = keys[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    });
    return made;
  };
  draw(false);
  narrow.addEventListener('change', () => draw(false));
  of('legend').append(
    ...(['good', 'info', 'warning', 'broken'] as const).map((mark) =>
      element(
        'li',
        {},
        element('span', { class: mark }, SHAPES[mark]),
        ` ${{ good: 'in order', info: 'soaking, or worth knowing', warning: 'needs attention', broken: 'broken, drifted or leaked' }[mark]}`,
      ),
    ),
  );
}

/** Level by level, as long as it stays a picture; what needs attention first. */
function openFirst(root: Node, open: Set<string>, childrenOf: (node: Node) => Node[]): void {
  let level = [root];
  let lines = 1;
  while (level.length > 0) {
    const next: Node[] = [];
    for (const node of [...level].sort((a, b) => Number(b.place.mark !== 'good') - Number(a.place.mark !== 'good'))) {
      const more = Math.min(node.place.children.length, STEP + 1);
      if (more === 0 || lines + more > FIRST) continue;
      lines += more;
      open.add(node.path);
      next.push(...childrenOf(node));
    }
    level = next;
  }
}

const worstOf = (places: readonly Place[]): Mark =>
  (['broken', 'warning', 'info'] as const).find((mark) => places.some((place) => place.mark === mark)) ?? 'good';

/** Characters that a place has on its line. Names may be 64 long: its title has them whole. */
const ROOM = 34;
const shorter = (text: string, room: number): string => (text.length > room ? `${text.slice(0, room - 1)}…` : text);
const noteOf = ({ note, name }: Place): string => {
  const room = ROOM - Math.min(name.length, ROOM - 10);
  return note.length > room && room < 8 ? '' : shorter(note, room);
};
const nameOf = (place: Place): string => shorter(place.name, ROOM - Math.min(noteOf(place).length, 10));
