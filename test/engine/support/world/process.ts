import type { Clock } from '../../../../lib/engine/clock.js';

/** The end of a process: nothing it does afterwards has an effect. */
export class Crash extends Error {}

export type Phase = 'before' | 'after' | 'look';
/** Called around every effect and before every look. */
export type Hook = (operation: string, phase: Phase) => Promise<void> | void;

/** Time, and what was seen to break a promise: shared by all parts of the world. */
export class Shared {
  now = Date.parse('2026-03-01T12:00:00Z');
  readonly violations: string[] = [];
  #serial = 0;

  readonly clock: Clock = {
    now: () => this.now,
    sleep: async (ms) => this.pass(ms),
    every: () => () => {},
  };

  serial = (): number => (this.#serial += 1);
  pass(ms: number): void {
    this.now += ms;
  }
  violated(text: string): void {
    this.violations.push(text);
  }
}

/** One run by one operator, as the services see it: each thing it does takes time, and it may be dead at any moment. */
export class Process {
  #dead = false;
  constructor(
    private readonly shared: Shared,
    private readonly hook: Hook,
  ) {}

  async moment(operation: string, phase: Phase): Promise<void> {
    if (this.#dead) throw new Crash(operation);
    try {
      await this.hook(operation, phase);
    } catch (error) {
      if (error instanceof Crash) this.#dead = true;
      throw error;
    }
  }
  async effect<T>(operation: string, work: () => T): Promise<T> {
    await this.moment(operation, 'before');
    this.shared.pass(120);
    const result = work();
    await this.moment(operation, 'after');
    return result;
  }
  async look<T>(operation: string, work: () => T): Promise<T> {
    await this.moment(operation, 'look');
    this.shared.pass(40);
    return work();
  }
}

/** IAM and Heroku tell times in whole seconds. */
export const seconds = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString();
