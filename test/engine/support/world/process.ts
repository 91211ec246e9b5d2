import type { Clock } from '../../../../lib/engine/clock.js';
import type { Guard } from '../../../../lib/engine/ports/ports.js';
import { ServerTime } from '../../../../lib/network/server-time.js';

/** The end of a process: nothing it does afterwards has an effect. */
export class Crash extends Error {}

export type Phase = 'before' | 'after' | 'look';
/** Called around every effect and before every look. */
export type Hook = (operation: string, phase: Phase) => Promise<void> | void;

/** Time, and what was seen to break a promise: shared by all parts of the world. */
export class Shared {
  now = Date.parse('2026-03-01T12:00:00Z');
  /** How far the operators' clocks are ahead. */
  skew = 0;
  readonly violations: string[] = [];
  #serial = 0;

  readonly clock: Clock = {
    now: () => this.now,
    stopwatch: () => {
      const since = this.now;
      return () => this.now - since;
    },
    sleep: async (ms) => this.pass(ms),
    every: () => () => {},
  };

  /** An operator's view of the services' time. */
  time(): ServerTime {
    return new ServerTime({ local: () => this.now + this.skew });
  }

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
    /** Comes right before each attempt. */
    readonly guard: Guard,
    private readonly time: ServerTime,
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
  async effect<T>(operation: string, work: () => T, guard: Guard = this.guard): Promise<T> {
    await this.moment(operation, 'before');
    await guard();
    const result = this.exchange(120, work);
    await this.moment(operation, 'after');
    return result;
  }
  async look<T>(operation: string, work: () => T | Promise<T>): Promise<T> {
    await this.moment(operation, 'look');
    return this.exchange(40, work);
  }
  exchange<T>(ms: number, work: () => T): T {
    const answered = this.time.asked();
    this.shared.pass(ms);
    answered(seconds(this.shared.now));
    return work();
  }
}

/** IAM and Heroku tell times in whole seconds. */
export const seconds = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString();
