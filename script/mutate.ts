import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import pMap from 'p-map';
import { renderTable } from '../lib/io/table.js';
import { SUITES, type Fault, type Suite, type SuiteName } from './mutate/fault.js';
import { FAULTS } from './mutate/faults.js';
import { runSuite, type Ran } from './mutate/run-suite.js';
import { Workbench } from './mutate/workbench.js';

/** npm run mutate: makes each fault of the list in a copy of the tree, and sees whether the suite that speaks for it notices. */
const HELP = `npm run mutate -- [--only NAME]… [--suite NAME]… [--jobs N] [--json] [--list]

Breaks the kit on purpose, one fault at a time, in copies of the tree, and runs the tests that must notice.
Exit code 1 when a fault survives, when a suite is red without any, and when none could be made.

  --only NAME   this fault alone; NAME may end in *; may be repeated
  --suite NAME  the faults of this suite: ${Object.keys(SUITES).join(', ')}
  --jobs N      runs at a time; default: as many as there are cores, four at most
  --json        the outcome as JSON on stdout; progress goes to stderr in any case
  --list        say what there is, and do nothing

The suites that run the unmodified upstream need HALCYON_UPSTREAM_DIR; without it their faults are left out, and it is said.
`;

type Verdict = 'killed' | 'survived' | 'not run';
interface Result extends Pick<Fault, 'name' | 'suite'> {
  readonly verdict: Verdict;
  readonly seconds: number;
  readonly by: string;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    suite: { type: 'string', multiple: true },
    jobs: { type: 'string' },
    json: { type: 'boolean' },
    list: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
const say = (line: string) => process.stderr.write(`${line}\n`);
const end = (code: number, line?: string): never => {
  if (line !== undefined) say(line);
  process.exit(code);
};
const matches = (name: string, pattern: string) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);

if (values.help) {
  process.stdout.write(HELP);
  end(0);
}
const jobs = Number(values.jobs ?? Math.min(4, availableParallelism()));
if (!Number.isInteger(jobs) || jobs < 1) end(2, `--jobs must be a number of at least 1, got: ${values.jobs}`);
for (const pattern of values.only ?? [])
  if (!FAULTS.some(({ name }) => matches(name, pattern))) end(2, `there is no fault ${pattern}; see --list`);
for (const name of values.suite ?? [])
  if (!(name in SUITES)) end(2, `there is no suite ${name}; there are: ${Object.keys(SUITES).join(', ')}`);
const chosen = FAULTS.filter(
  ({ name, suite }) =>
    (values.only === undefined || values.only.some((pattern) => matches(name, pattern))) &&
    (values.suite === undefined || values.suite.includes(suite)),
);
if (values.list) {
  process.stdout.write(
    `${renderTable(
      ['fault', 'suite', 'file'],
      chosen.map(({ name, suite, file }) => [name, suite, file]),
    )}\n`,
  );
  end(0);
}

const suiteOf = (name: SuiteName): Suite => SUITES[name];
const runnable = ({ suite }: Pick<Fault, 'suite'>) =>
  !suiteOf(suite).files.some((file) => file.startsWith('test/upstream/')) || Boolean(process.env.HALCYON_UPSTREAM_DIR);
const wanted = chosen.filter(runnable);
const leftOut = chosen.length - wanted.length;
if (leftOut > 0) say(`${leftOut} faults are left out: HALCYON_UPSTREAM_DIR does not name the clones of the upstream`);

const controller = new AbortController();
const { signal } = controller;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => controller.abort(name));
const began = Date.now();
const bench = new Workbench(Math.max(1, Math.min(jobs, wanted.length)));
let results: Result[];
try {
  results = await play();
} finally {
  bench.remove();
}
if (signal.aborted) end(130, `stopped by ${signal.reason}; the copies are removed`);

const rank = { killed: 0, 'not run': 1, survived: 2 };
results.sort((a, b) => rank[a.verdict] - rank[b.verdict] || a.suite.localeCompare(b.suite) || a.name.localeCompare(b.name));
const survivors = results.filter(({ verdict }) => verdict !== 'killed');
const seconds = Math.round((Date.now() - began) / 1000);
const summary = `${results.length - survivors.length} of ${results.length} faults are noticed${leftOut > 0 ? `, ${leftOut} left out` : ''}; took ${seconds} s`;
if (values.json) process.stdout.write(`${JSON.stringify({ results, leftOut, seconds }, null, 2)}\n`);
else {
  const rows = results.map(({ verdict, name, suite, seconds: took, by }) => [verdict, name, suite, `${took} s`, by.slice(0, 110)]);
  process.stdout.write(`${renderTable(['', 'fault', 'suite', 'took', 'by'], rows)}\n\n${summary}\n`);
}
// Nothing noticed is nothing proven.
end(survivors.length > 0 || results.length === 0 ? 1 : 0);

async function play(): Promise<Result[]> {
  const controls = new Map<SuiteName, Ran>();
  const run = (fault: Fault | undefined, suite: SuiteName, limitMs: number) =>
    bench.with(fault, (copy) => runSuite(copy, suiteOf(suite), { limitMs, signal }));
  const all = { concurrency: jobs };
  // A suite must be green first; how long it takes then also tells when it hangs, and what to begin with.
  await pMap(
    new Set(wanted.map(({ suite }) => suite)),
    async (suite) => {
      if (signal.aborted) return;
      const ran = await run(undefined, suite, 1_200_000);
      controls.set(suite, ran);
      if (!signal.aborted) say(`• ${suite}: ${ran.outcome} without a fault, ${ran.seconds} s${ran.by === undefined ? '' : `: ${ran.by}`}`);
    },
    all,
  );
  const took = (suite: SuiteName) => controls.get(suite)?.seconds ?? 0;
  let count = 0;
  return pMap(
    [...wanted].sort((a, b) => took(b.suite) - took(a.suite)),
    async (fault): Promise<Result> => {
      const { name, suite } = fault;
      const result = (verdict: Verdict, ran: Pick<Ran, 'seconds' | 'by'>) => ({
        name,
        suite,
        verdict,
        seconds: ran.seconds,
        by: ran.by ?? '',
      });
      if (signal.aborted) return result('not run', { seconds: 0 });
      if (controls.get(suite)?.outcome !== 'green') return result('not run', { seconds: 0, by: 'its suite is red without a fault' });
      const ran = await run(fault, suite, 300_000 + 5000 * took(suite));
      const verdict = ran.outcome === 'green' ? 'survived' : ran.outcome === 'broken' ? 'not run' : 'killed';
      count += 1;
      if (!signal.aborted)
        say(
          `${verdict === 'killed' ? '✔' : '✘'} ${count}/${wanted.length} ${name}: ${verdict} (${suite}, ${ran.seconds} s) ${ran.by ?? ''}`,
        );
      return result(verdict, ran);
    },
    all,
  );
}
