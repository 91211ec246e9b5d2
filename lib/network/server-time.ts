/** Beyond this the machine's clock is said to be wrong. */
const WRONG_MS = 60_000;

/** Time by the clocks of AWS and Heroku, as their answers' Date headers tell it; by this machine's own until the first. */
export class ServerTime {
  #offset = 0;
  #said = false;
  /** @param options.local - this machine's clock. @param options.say - is told once that it is wrong. */
  constructor(private readonly options: { readonly local?: () => number; readonly say?: (text: string) => void } = {}) {}

  /** How far the services are ahead of this machine, ms. */
  get offset(): number {
    return this.#offset;
  }

  now(): number {
    return this.#local() + this.#offset;
  }

  /** Call when a request goes out. @returns what its answer's Date header is to be given to. */
  asked(): (date: string | undefined) => void {
    const sentAt = this.#local();
    return (date) => this.#note(Date.parse(date ?? ''), sentAt, this.#local());
  }

  #local(): number {
    return (this.options.local ?? Date.now)();
  }

  /** The header tells the second in which some moment between the two lay: as little as that asks for is corrected. */
  #note(second: number, sentAt: number, receivedAt: number): void {
    const [least, most] = [second - receivedAt, second + 1000 - sentAt];
    // No date, or the clock was set meanwhile.
    if (!(least <= most)) return;
    this.#offset = Math.min(Math.max(this.#offset, least), most);
    if (this.#said || Math.abs(this.#offset) <= WRONG_MS) return;
    this.#said = true;
    const minutes = Math.round(Math.abs(this.#offset) / 60_000);
    this.options.say?.(
      `clock-skew: this machine's clock is ${minutes} min ${this.#offset > 0 ? 'behind' : 'ahead of'} that of AWS and Heroku; theirs is used, but set it right`,
    );
  }
}
