/** What a build or a release command prints: kept whole, followed by any number of readers, each from where it wants. */
export class OutputStream {
  private chunks: Buffer[] = [];
  private length = 0;
  private ended = false;
  private waiters = new Set<() => void>();

  write(text: string | Buffer): void {
    if (this.ended) return;
    const chunk = typeof text === 'string' ? Buffer.from(text) : text;
    this.chunks.push(chunk);
    this.length += chunk.length;
    this.wake();
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  /** Whether nothing will ever come from `offset` on. */
  exhausted(offset: number): boolean {
    return this.ended && offset >= this.length;
  }

  text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }

  /**
   * Everything from byte `offset` on, as it comes. A NUL every `keepAliveMs` while nothing comes; NULs are not part of what is counted.
   */
  read(offset: number, options: { keepAliveMs: number }): ReadableStream<Uint8Array> {
    let position = offset;
    let cancelled = false;
    let wakeMe: (() => void) | undefined;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          for (;;) {
            if (cancelled) return;
            const chunk = this.from(position);
            if (chunk.length > 0) {
              position += chunk.length;
              controller.enqueue(chunk);
              return;
            }
            if (this.ended) {
              controller.close();
              return;
            }
            const woken = await new Promise<boolean>((resolve) => {
              const timer = setTimeout(() => done(false), options.keepAliveMs);
              const done = (value: boolean): void => {
                clearTimeout(timer);
                this.waiters.delete(wake);
                resolve(value);
              };
              const wake = (): void => done(true);
              wakeMe = wake;
              this.waiters.add(wake);
            });
            if (!woken) {
              controller.enqueue(new Uint8Array([0]));
              return;
            }
          }
        },
        cancel: () => {
          cancelled = true;
          wakeMe?.();
        },
      },
      { highWaterMark: 0 },
    );
  }

  private from(offset: number): Buffer {
    const all = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
    this.chunks = [all];
    return all.subarray(offset);
  }

  private wake(): void {
    for (const wake of [...this.waiters]) wake();
  }
}

/** Pause between the last byte and the break, so that the byte is not lost with the connection. */
const BREAK_MS = 30;

/** The first `bytes` of a body, after which `breakOff` is called in place of an end. */
export function cutAfter(body: ReadableStream<Uint8Array>, bytes: number, breakOff: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let left = bytes;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = left > 0 ? await reader.read() : { done: false, value: new Uint8Array() };
      if (done) return controller.close();
      if (left > 0) {
        controller.enqueue(value.subarray(0, left));
        left -= Math.min(left, value.length);
        return;
      }
      setTimeout(breakOff, BREAK_MS);
      await new Promise(() => {});
    },
    cancel: () => reader.cancel(),
  });
}
