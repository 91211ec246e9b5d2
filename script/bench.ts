// Figures of the kit, each taken beside what it is compared with, in this one run. Names choose some, and sizes of fleets:
// npm run bench -- kit shim; npm run bench -- fleet --apps 100,1000,10000
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { renderTable } from '../lib/io/table.js';
import { isMet, type Figure } from './bench/measure.js';

const PARTS: Record<string, () => Promise<Figure[]>> = {
  kit: async () => (await import('./bench/kit.js')).figures(),
  size: async () => (await import('./bench/size.js')).figures(),
  front: async () => (await import('./bench/front.js')).run(),
  shim: async () => (await import('./bench/shim.js')).run(),
  rotation: async () => (await import('./bench/rotation.js')).run(),
  edits: async () => (await import('./bench/edits.js')).run(),
  synth: async () => (await import('./bench/synth.js')).run(),
  fleet: async () => (await import('./bench/fleet.js')).run(values.apps.split(',').map(Number)),
};

/** Aims of fleets that are held by tests, as nothing of them is measured. */
const GOALS_OF_TESTS = [
  'Held by tests:',
  '10,000 apps by a simulated clock, with the rate limit on: at most 1.05 × requests ÷ rate, none refused (test/heroku/budget.mocked.test.ts)',
  '1,000 apps while Heroku fails now and then: each ends right, none is written twice (npm run test:fleet)',
  'a page of 10,000 apps is there in 2 s, and filters without lag (npm test: test/page)',
];

const { values, positionals: asked } = parseArgs({ allowPositionals: true, options: { apps: { type: 'string', default: '100' } } });
const unknown = asked.find((name) => !(name in PARTS));
if (unknown !== undefined) {
  process.stderr.write(`there is no part "${unknown}"; there are: ${Object.keys(PARTS).join(', ')}\n`);
  process.exit(1);
}

const figures: Figure[] = [];
for (const [name, part] of Object.entries(PARTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stderr.write(`measuring ${name} …\n`);
  figures.push(...(await part()));
}
const rows = figures.map(({ name, value, unit, aim, note }) => [
  isMet({ value, aim }) === false ? '✘' : aim === undefined ? '' : '✔',
  name,
  `${Number.isInteger(value) ? value : value.toFixed(value < 10 ? 2 : 1)} ${unit}`,
  aim ?? '',
  note ?? '',
]);
const whole = (name: string, index: number) =>
  name.startsWith('…') ? `${figures.slice(0, index).findLast((one) => !one.name.startsWith('…'))?.name} ${name}` : name;
const missed = figures.flatMap((figure, index) =>
  isMet(figure) === false ? [`✘ ${whole(figure.name, index)}: ${figure.why ?? 'not explained'}`] : [],
);
const elsewhere = asked.includes('fleet') || asked.length === 0 ? GOALS_OF_TESTS : [];
process.stdout.write(
  `${[renderTable(['', 'figure', 'measured', 'aim', ''], rows), missed.join('\n'), elsewhere.join('\n')].filter((part) => part !== '').join('\n\n')}\n\nNode ${process.version}, load ${loadavg()[0]?.toFixed(1)} at the end\n`,
);
process.exit(0);
