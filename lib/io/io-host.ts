/** How library code speaks: to a terminal, to plain lines, to a test. Implementations redact everything they are given. */
export interface IoHost {
  /** A line for the person at the terminal (stderr). */
  info(message: string): void;
  /** A detail, shown with `--verbose` only (stderr). */
  debug(message: string): void;
  /** Something that deserves attention but does not stop the work (stderr). */
  warn(message: string): void;
  /** Begin a step of long work; its outcome is shown with how long it took (stderr). */
  step(title: string): Step;
}

/** One step of long work. Call `done` or `fail` exactly once. */
export interface Step {
  /** What is being done or waited for right now. */
  update(detail: string): void;
  /** @param outcome - default: the title alone. */
  done(outcome?: string): void;
  /** @param why - what it threw, which whoever catches it tells, or what it came to, in words. */
  fail(why: unknown): void;
}

/** Run `work` as a step: done with what `outcome` says of the result, failed when it throws. */
export async function inStep<T>(io: IoHost, title: string, work: (step: Step) => Promise<T>, outcome?: (result: T) => string): Promise<T> {
  const step = io.step(title);
  try {
    const result = await work(step);
    step.done(outcome?.(result));
    return result;
  } catch (error) {
    step.fail(error);
    throw error;
  }
}

/** More steps of a kind than these are one line. */
const NAMED = 10;

/** Run `work`, which says a step for each of `total` apps: of many, one step counts them, and those that fail are lines of their own. */
export function inOneStep<T>(io: IoHost, title: string, total: number, work: (io: IoHost) => Promise<T>): Promise<T> {
  if (total <= NAMED) return work(io);
  const counting = (whole: Step): IoHost => {
    let ended = 0;
    const end = (say: () => void) => {
      say();
      whole.update(`${(ended += 1)} of ${total}`);
    };
    const step = (one: string): Step => ({
      update() {},
      done: (outcome) => end(() => io.debug(outcome === undefined ? one : `${one}: ${outcome}`)),
      fail: (why) => end(() => (typeof why === 'string' ? io.warn : io.debug)(`${one}: ${String(why)}`)),
    });
    return { ...io, step };
  };
  return inStep(io, `${title} ${total} apps`, (whole) => work(counting(whole)));
}

/** An IoHost that says nothing: for tests and for library users who want none. */
export const silentIo: IoHost = {
  info() {},
  debug() {},
  warn() {},
  step: () => ({ update() {}, done() {}, fail() {} }),
};
