import { spawn } from 'node:child_process';

/** One figure: what it is, and what it aims at where there is an aim. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `≤ 1.2`. */
  readonly aim?: string;
  readonly note?: string;
  /** Where it misses its aim: why. */
  readonly why?: string;
}

/** Whether it is what it aims at; undefined where it aims at nothing that can be compared. */
export function isMet({ value, aim }: Pick<Figure, 'value' | 'aim'>): boolean | undefined {
  const [, sign, number] = /^([≤<]?) ?([\d.]+)/.exec(aim ?? '') ?? [];
  if (number === undefined) return undefined;
  return sign === '<' ? value < Number(number) : sign === '≤' ? value <= Number(number) : value === Number(number);
}

export interface Run {
  readonly ms: number;
  /** Its own process's time on a core, where the system tells (Linux). */
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/** Run a program to its end: wall milliseconds, and the time on a core and peak resident size of its own process where the system tells (Linux). */
export async function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Run> {
  const { readFileSync } = await import('node:fs');
  const began = process.hrtime.bigint();
  const child = spawn(command, [...args], { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  let [peak, ticks] = [0, 0];
  const watch = setInterval(() => {
    try {
      const [user, system] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/.*\)/s, '').trim().split(' ').slice(11);
      ticks = Math.max(ticks, Number(user) + Number(system));
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
    } catch {
      // The process is over, or this system has no /proc.
    }
  }, 20);
  const code = await new Promise<number | null>((done, fail) => child.on('error', fail).on('close', done));
  clearInterval(watch);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${errors}`);
  return { ms: Number(process.hrtime.bigint() - began) / 1e6, cpuMs: ticks * 10, peakMiB: peak / 1024 };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** Two programs in turn, A B A B …, after a warm-up of each, so that a machine that slows down slows both. */
export async function sideBySide(
  times: number,
  a: () => Promise<Run>,
  b: () => Promise<Run>,
): Promise<{ a: Run[]; b: Run[]; ratio: number }> {
  await a();
  await b();
  const runs: { a: Run[]; b: Run[] } = { a: [], b: [] };
  for (let i = 0; i < times; i++) {
    runs.a.push(await a());
    runs.b.push(await b());
  }
  return { ...runs, ratio: median(runs.a.map((r, i) => r.ms / (runs.b[i]?.ms ?? NaN))) };
}
