import type { PageData } from '../lib/cli/page.js';
import { element, of } from './elements.js';
import { agesOf, histogram, many, SHAPES, type Aged } from './model.js';

const DAY = 86_400_000;
const STEP = 30;
const WEEK = 7;

/** How old the keys are: how many of each age, and one by one from what is due first. */
export function drawKeys(data: PageData): void {
  const ages = agesOf(data);
  const maxAge = data.policy.maxAge / DAY;
  const longest = Math.max(maxAge, ...ages.map(({ age }) => age)) * 1.02;
  const timeline = of('timeline');
  const current = ages.filter(({ key }) => key.stage === 'current');
  const overdue = current.filter(({ due = 0 }) => due < 0).length;
  const soon = current.filter(({ due = 0 }) => due >= 0 && due < WEEK).length;
  timeline
    .querySelector('caption')
    ?.append(
      `${many(ages.length, 'key')}; current ones are due at ${days(maxAge)}: ${overdue.toLocaleString('en')} overdue, ${soon.toLocaleString('en')} due within a week; ${ages.filter(({ key }) => key.soaks !== undefined).length.toLocaleString('en')} soaking`,
    );
  of('axis').textContent = `since it was made: 0 to ${days(longest)}; the line is when it is due`;
  if (ages.length > STEP) drawHistogram(ages, longest, maxAge);
  const body = timeline.querySelector('tbody') as HTMLElement;
  const more = of('more-keys') as HTMLButtonElement;
  let upTo = STEP;
  const draw = (): void => {
    body.replaceChildren(...ages.slice(0, upTo).map((one) => row(one, longest, maxAge)));
    more.hidden = ages.length <= upTo;
    more.textContent = `Show ${Math.min(1000, ages.length - upTo).toLocaleString('en')} more`;
  };
  more.addEventListener('click', () => {
    upTo += 1000;
    draw();
  });
  draw();
}

function row({ key, principal, age, due, mark, text }: Aged, longest: number, maxAge: number): HTMLElement {
  const percent = (of_: number) => `${Math.min(100, (of_ / longest) * 100).toFixed(2)}%`;
  const track = element(
    'span',
    { class: `track ${mark === 'good' ? 'info' : mark}`, 'aria-hidden': 'true' },
    element('i', { style: `width: ${percent(age)}` }),
  );
  if (key.stage === 'current') track.append(element('b', { style: `left: ${percent(maxAge)}` }));
  const when = due === undefined ? '–' : due < 0 ? `${days(-due)} ago` : `in ${days(due)}`;
  return element(
    'tr',
    {},
    element('td', {}, key.id),
    element('td', {}, principal),
    element('td', { class: mark }, `${SHAPES[mark]} ${text}`),
    element('td', {}, days(age)),
    element(
      'td',
      { class: due !== undefined && due < 0 ? 'warning' : '' },
      key.soaks !== undefined && due !== undefined && due < 0 ? 'may be deleted' : when,
    ),
    element('td', { class: 'wide' }, track),
  );
}

function drawHistogram(ages: readonly Aged[], longest: number, maxAge: number): void {
  const parts = Math.min(60, Math.max(10, Math.round(longest / WEEK)));
  const counts = histogram(ages, longest, parts);
  const most = Math.max(...counts);
  const bars = counts.map((n, at) => {
    const [from, to] = [(at * longest) / parts, ((at + 1) * longest) / parts];
    const made = element('span', {
      style: `height: ${n === 0 ? 0 : Math.max(2, (n / most) * 100)}%`,
      title: `${many(n, 'key')} of ${Math.floor(from)} to ${Math.ceil(to)} days`,
    });
    if (to > maxAge) made.classList.add('warning');
    return made;
  });
  const label = `Keys by age: the most, ${many(most, 'key')}, are about ${days(((counts.indexOf(most) + 0.5) * longest) / parts)} old`;
  of('histogram').append(
    element('div', { class: 'bars', role: 'img', 'aria-label': label }, ...bars),
    element('div', { class: 'axis', 'aria-hidden': 'true' }, element('span', {}, 'new'), element('span', {}, days(longest))),
  );
}

const days = (n: number): string => (n < 2 ? `${Math.round(n * 24)} h` : `${Math.round(n)} d`);
