import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Suite } from './fault.js';

export interface Ran {
  /** `broken`: no test was run, so nothing is told. */
  readonly outcome: 'green' | 'red' | 'late' | 'broken';
  readonly seconds: number;
  /** The first test that failed, and how. */
  readonly by?: string;
}

/** Run a suite in a copy of the tree, up to its first failure. */
export async function runSuite(copy: string, suite: Suite, options: { limitMs: number; signal: AbortSignal }): Promise<Ran> {
  const began = Date.now();
  const report = join(copy, '.cache', 'report.json');
  rmSync(report, { force: true });
  const done = (outcome: Ran['outcome'], by?: string): Ran => ({ outcome, seconds: Math.round((Date.now() - began) / 1000), by });
  if (suite.rebuild) {
    const built = await run(copy, ['script/build.mjs'], options);
    if (built.code !== 0) return done('broken', built.said);
  }
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...suite.files, '--bail=1', '--maxWorkers=1'];
  const once = (env: NodeJS.ProcessEnv) => run(copy, [...args, '--reporter=json', `--outputFile.json=${report}`], options, env);
  // Most faults show in a few of the model's histories; some in any of thousands, as in `npm run test:model`.
  let ran = await once({ HALCYON_MODEL_HISTORIES: '40', HALCYON_EVERY: suite.thousands ? '' : '1' });
  if (suite.thousands && ran.code === 0) ran = await once({ HALCYON_MODEL_HISTORIES: '3000', HALCYON_EVERY: '1' });
  if (ran.late) return done('late', `not at its end after ${options.limitMs / 1000} s`);
  const { red, by, tests } = readReport(report);
  if (red && (tests > 0 || by !== undefined)) return done('red', by);
  return ran.code === 0 && tests > 0 ? done('green') : done('broken', ran.said);
}

/** A process group of its own, so that what tests start ends with them. */
function run(
  cwd: string,
  args: readonly string[],
  { limitMs, signal }: { limitMs: number; signal: AbortSignal },
  more: NodeJS.ProcessEnv = {},
) {
  return new Promise<{ code: number | null; late: boolean; said: string }>((settle) => {
    const env = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...more };
    const child = spawn(process.execPath, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const hear = (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-2000));
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    let late = false;
    const end = (how: NodeJS.Signals) => {
      try {
        process.kill(-(child.pid ?? 0), how);
      } catch {
        // It has ended.
      }
    };
    // Tests take their sandboxes down when asked to end.
    const stop = () => (end('SIGTERM'), setTimeout(end, 5000, 'SIGKILL').unref());
    const timer = setTimeout(() => ((late = true), stop()), limitMs);
    signal.addEventListener('abort', stop);
    child.once('close', (code) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      end('SIGKILL');
      settle({ code, late, said: said.trim() });
    });
  });
}

interface Report {
  readonly success: boolean;
  readonly numTotalTests: number;
  readonly testResults: ReadonlyArray<{
    readonly status: string;
    readonly message: string;
    readonly assertionResults: ReadonlyArray<{ status: string; fullName: string; failureMessages: readonly string[] | null }>;
  }>;
}

function readReport(path: string): { red: boolean; tests: number; by?: string } {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return { red: false, tests: 0 };
  }
  const failed = report.testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => status === 'failed'))[0];
  const unloaded = report.testResults.find(({ status, message }) => status === 'failed' && message !== '');
  const first = (text: string | undefined) => (text ?? '').split('\n')[0] ?? '';
  const by = failed
    ? `${failed.fullName}: ${first(failed.failureMessages?.[0])}`
    : unloaded && `before its tests: ${first(unloaded.message)}`;
  return { red: !report.success, tests: report.numTotalTests, by };
}
