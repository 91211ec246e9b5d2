import type { PageData } from '../lib/cli/page.js';
import { element, of } from './elements.js';
import { contentsOf, many, size, type Contents } from './model.js';

/** The buckets, and what is in them. */

const IN_WORDS = {
  ...{ ghc: 'compilers', cabal: 'with lists of packages', sandbox: 'dependencies', build: 'apps half way' },
  ...{ install: 'finished apps', original: 'sources' },
} as const;
/** So many are written out, and with more than so many none is open at first. */
const MOST = 50;
const OPEN = 3;
const UNASKED = 'asked for by no app';
const NUMBERS = ['packages', 'size', UNASKED];

export function drawBuckets(data: PageData): void {
  const contents = contentsOf(data);
  const found = new Map(contents.map((one) => [one.bucket, one]));
  const columns = contents.length === 0 ? [] : NUMBERS;
  of('bucket-table')
    .querySelector('thead tr')
    ?.append(...columns.map((text) => element('th', { scope: 'col', class: 'number' }, text)));
  const rows = data.buckets.map(({ name, region, account, kind, teams }) => {
    const { files, bytes, unasked } = found.get(name) ?? {};
    const inBytes = (amount?: number) => (amount === undefined ? '–' : size(amount));
    const amounts = [files?.toLocaleString('en') ?? '–', inBytes(bytes), inBytes(unasked)];
    return element(
      'tr',
      {},
      ...[name, region, account, kind, teams.length > 12 ? many(teams.length, 'team') : teams.join(', ')].map((text) =>
        element('td', {}, text),
      ),
      ...columns.map((_, at) => element('td', { class: 'number' }, amounts[at] ?? '')),
    );
  });
  of('bucket-table')
    .querySelector('tbody')
    ?.append(...rows);
  const blocks = contents.slice(0, MOST).map((one) => inside(one, contents.length <= OPEN));
  if (contents.length > MOST) blocks.push(element('p', { class: 'hint' }, `and ${many(contents.length - MOST, 'smaller bucket')}`));
  of('contents').append(
    ...(contents.length <= OPEN
      ? blocks
      : [element('details', { class: 'contents' }, element('summary', {}, 'What is in each, the largest first'), ...blocks)]),
  );
  if (contents.length === 0 || contents.some(({ unasked }) => unasked !== undefined)) return;
  const command = element('code', {}, 'halcyon-kit status --packages');
  of('contents').append(element('p', { class: 'hint' }, 'What no app has asked for is looked for with ', command, '.'));
}

function inside({ bucket, files, bytes, unasked, kinds, notes }: Contents, open: boolean): HTMLElement {
  const most = Math.max(...kinds.map((kind) => kind.bytes), 1);
  const rows = kinds.map((kind) => {
    const idle = kind.unasked?.bytes ?? 0;
    const part = (of_: number) => `width: ${((of_ / most) * 100).toFixed(2)}%`;
    const track = element(
      'span',
      { class: 'track info', 'aria-hidden': 'true' },
      element('i', { style: part(kind.bytes) }),
      element('i', { style: part(idle), class: 'warning' }),
    );
    return element(
      'tr',
      {},
      element('td', { class: 'words' }, element('b', {}, kind.kind), ` ${IN_WORDS[kind.kind]}`),
      ...[kind.files.toLocaleString('en'), size(kind.bytes)].map((text) => element('td', { class: 'number' }, text)),
      ...[kind.oldest, kind.newest].map((time) => element('td', { class: 'whole' }, time.slice(0, 10))),
      ...(unasked === undefined ? [] : [element('td', { class: 'number' }, idle === 0 ? '–' : size(idle))]),
      element('td', { class: 'wide' }, track),
    );
  });
  const bar = unasked === undefined ? 'size' : 'size, its first part asked for by no app';
  const columns = ['kind', 'packages', 'size', 'oldest', 'newest', ...(unasked === undefined ? [] : [UNASKED]), bar].map((text) =>
    element('th', { scope: 'col', class: NUMBERS.includes(text) && text !== bar ? 'number' : '' }, text),
  );
  const table = element('table', {}, element('thead', {}, element('tr', {}, ...columns)), element('tbody', {}, ...rows));
  const idle = unasked === undefined || unasked === 0 ? '' : `, ${size(unasked)} of it asked for by no app`;
  const scroll = element('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': `What is in ${bucket}, table` }, table);
  return element(
    'details',
    { class: 'contents', ...(open ? { open: '' } : {}) },
    element('summary', {}, element('b', {}, bucket), `: ${size(bytes)} in ${many(files, 'package')}${idle}`),
    ...notes.map((note) => element('p', { class: 'hint' }, note)),
    ...(kinds.length === 0 ? [] : [scroll]),
  );
}
