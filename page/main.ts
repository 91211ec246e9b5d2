import type { PageData } from '../lib/cli/page.js';
import { drawBuckets } from './buckets.js';
import { button, element, of } from './elements.js';
import { drawKeys } from './keys.js';
import { drawMap } from './map.js';
import { filtered, groupsOf, many, minute, rowsOf, SHAPES, type Group, type Row } from './model.js';

/** Draws the page from the data that is in it. */
const data = JSON.parse(of('data').textContent ?? '') as PageData;

function drawHead(): void {
  const apps = data.teams.reduce((sum, team) => sum + team.apps.length, 0);
  const keys = data.teams.flatMap(({ principals }) => principals.flatMap((one) => one.keys));
  of('deployment').textContent = data.deployment;
  of('seen').textContent = `as seen ${minute(data.at)} UTC`;
  const counts = (['broken', 'warning', 'info'] as const)
    .map((severity) => ({ severity, n: data.findings.filter((finding) => finding.severity === severity).length }))
    .filter(({ n }) => n > 0);
  of('summary').append(
    ...(counts.length === 0 ? [element('li', { class: 'good' }, '● nothing needs attention')] : []),
    ...counts.map(({ severity, n }) => element('li', { class: severity }, `${SHAPES[severity]} ${n.toLocaleString('en')} ${severity}`)),
    element('li', {}, many(data.teams.length, 'team')),
    element('li', {}, many(apps, 'app')),
    element('li', {}, many(keys.length, 'key')),
  );
}

/** So many of a kind are written out: the table has them all. */
const MOST = 200;
/** With more blocks than this those of a name are folded. */
const FOLDED = 3;

function kindOf(groups: readonly [Group, ...Group[]]): HTMLElement {
  const [{ severity, name }] = groups;
  const n = groups.reduce((sum, { about }) => sum + about.length, 0);
  const heading = element('span', { class: severity }, `${SHAPES[severity]} ${name}`);
  const blocks = groups.slice(0, MOST).map(finding);
  const more = groups.length > MOST ? [element('p', { class: 'subjects' }, `and ${(groups.length - MOST).toLocaleString('en')} more`)] : [];
  if (groups.length <= FOLDED) return element('div', { class: `finding ${severity}` }, element('p', {}, heading), ...blocks);
  return element(
    'details',
    { class: `finding ${severity}` },
    element('summary', {}, heading, ` of ${n.toLocaleString('en')}`),
    ...blocks,
    ...more,
  );
}

function finding({ fix: [before, command, after], about }: Group): HTMLElement {
  const lines = about.slice(0, MOST).map(({ subject, message }) => element('p', {}, element('b', {}, subject), `: ${message}`));
  const more = about.length > MOST ? [element('p', { class: 'subjects' }, `and ${(about.length - MOST).toLocaleString('en')} more`)] : [];
  const body =
    about.length <= 5
      ? lines
      : [element('details', {}, element('summary', {}, `Which ${about.length.toLocaleString('en')}`), ...lines, ...more)];
  const mend = element(
    'p',
    { class: 'mend' },
    '→ ',
    before,
    ...(command === '' ? [] : [element('code', {}, command), after, ' ', copier(command)]),
  );
  return element('div', { class: 'block' }, ...body, mend);
}

function copier(command: string): HTMLElement {
  const copy = button('Copy', () => {
    void navigator.clipboard?.writeText(command).then(
      () => (copy.textContent = 'Copied'),
      () => undefined,
    );
  });
  copy.setAttribute('aria-label', `Copy ${command}`);
  return copy;
}

/** Rows at a time: a page of 10,000 opens at once all the same. */
const STEP = 200;

function drawApps(): (text: string) => void {
  const rows = rowsOf(data);
  const body = of('app-table').querySelector('tbody') as HTMLElement;
  const input = of('filter') as HTMLInputElement;
  const more = of('more-apps') as HTMLButtonElement;
  let shown: readonly Row[] = rows;
  let upTo = STEP;
  const row = ({ team, app, mode, key, mark, state }: Row): HTMLElement =>
    element(
      'tr',
      {},
      ...[team, app, mode, key].map((text) => element('td', {}, text)),
      element('td', { class: mark }, `${SHAPES[mark]} ${state}`),
    );
  const draw = (): void => {
    body.replaceChildren(...shown.slice(0, upTo).map(row));
    of('count').textContent = `${shown.length.toLocaleString('en')} of ${many(rows.length, 'app')}`;
    more.hidden = shown.length <= upTo;
    more.textContent = `Show ${Math.min(1000, shown.length - upTo).toLocaleString('en')} more`;
  };
  const search = (): void => {
    shown = filtered(rows, input.value);
    upTo = STEP;
    draw();
  };
  more.addEventListener('click', () => {
    upTo += 1000;
    draw();
  });
  input.addEventListener('input', search);
  draw();
  // On paper there is no button to press.
  addEventListener('beforeprint', () => {
    upTo = Infinity;
    draw();
    for (const one of document.querySelectorAll('details')) one.open = true;
  });
  return (text) => {
    input.value = text;
    search();
    of('apps').scrollIntoView();
    input.focus({ preventScroll: true });
  };
}

drawHead();
const groups = groupsOf(data.findings);
of('findings-list').append(
  ...(groups.length === 0
    ? [element('p', { class: 'good' }, '● Nothing needs attention, as far as status looks; halcyon-kit doctor looks deeper.')]
    : groups.map(kindOf)),
);
drawBuckets(data);
drawKeys(data);
drawMap(data, drawApps());
