import pc from 'picocolors';
import type { IoHost, Step } from './io-host.js';
import { outgoing } from './redaction.js';
import { fold } from './table.js';

type Stream = { readonly isTTY?: boolean; readonly columns?: number };

/** `text` as it may be shown on a stream; on a terminal it is wrapped, once secrets are gone: nobody finds one that is in two pieces. */
export const fitted = (text: string, stream: Stream): string => fold(outgoing(text), roomOn(stream));
const roomOn = ({ isTTY, columns }: Stream): number => (isTTY && columns) || Infinity;

export interface TerminalOptions {
  /** Where lines go; default process.stderr. */
  readonly stream?: NodeJS.WritableStream & Stream;
  readonly verbose?: boolean;
  /** A live line for what is under way; default: when the stream is a terminal. Otherwise plain lines. */
  readonly live?: boolean;
  /** Milliseconds; default Date.now. */
  readonly now?: () => number;
}

/** Without a terminal a step says what it is doing no more often than this, in ms: a log wants to be read. */
const PLAIN_PAUSE = 5_000;

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** An IoHost for people: finished steps stay as lines, the step under way is redrawn in place on a terminal. */
export function createTerminal(options: TerminalOptions = {}): IoHost & { close(): void } {
  const stream = options.stream ?? process.stderr;
  const live = options.live ?? stream.isTTY === true;
  const now = options.now ?? Date.now;
  const open = new Map<object, { title: string; detail: string; since: number }>();
  let frame = 0;
  let drawn = false;
  let timer: NodeJS.Timeout | undefined;

  const erase = () => {
    if (drawn) stream.write('\r\x1b[2K');
    drawn = false;
  };
  const draw = () => {
    const current = [...open.values()].at(-1);
    if (!live || current === undefined) return;
    const more = open.size > 1 ? ` (and ${open.size - 1} more)` : '';
    const said = outgoing(`${current.title}${current.detail ? `: ${current.detail}` : ''}${more} ${seconds(now() - current.since)}`);
    const text = said.replaceAll('\n', ' ');
    const width = Math.max(20, (stream.columns ?? 80) - 3);
    erase();
    stream.write(`${pc.cyan(FRAMES[frame++ % FRAMES.length] ?? '')} ${text.length > width ? `${text.slice(0, width - 1)}…` : text}`);
    drawn = true;
  };
  /** @param text - may have our colours; what came from elsewhere has gone through `outgoing`. */
  const line = (text: string) => {
    erase();
    stream.write(`${fold(text, roomOn(stream))}\n`);
    draw();
  };
  const tick = () => {
    if (live && open.size > 0 && timer === undefined) {
      timer = setInterval(draw, 100);
      timer.unref();
    } else if (open.size === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
    }
  };

  return {
    info: (message) => line(outgoing(message)),
    debug: (message) => {
      if (options.verbose) line(pc.dim(outgoing(message)));
    },
    warn: (message) => line(`${pc.yellow('!')} ${outgoing(message)}`),
    step(title): Step {
      const self = { title, detail: '', since: now() };
      let lastLine = now();
      open.set(self, self);
      if (live) draw();
      else line(outgoing(`- ${title} …`));
      tick();
      const end = (mark: string, text: string) => {
        if (!open.delete(self)) return;
        tick();
        line(`${mark} ${outgoing(text)} ${pc.dim(seconds(now() - self.since))}`);
      };
      return {
        update(detail) {
          if (detail === self.detail) return;
          self.detail = detail;
          if (live) draw();
          else if (now() - lastLine >= PLAIN_PAUSE) {
            lastLine = now();
            line(outgoing(`  ${title}: ${detail}`));
          }
        },
        done: (outcome) => end(pc.green('✔'), outcome ? `${title}: ${outcome}` : title),
        fail: (why) => {
          const { name, code, message = String(why) } = why as Partial<Error & { code: unknown }>;
          // Stopped, whatever it was about to say.
          const stopped = name === 'AbortError' || code === 'interrupted';
          // An error is told once, by whoever catches it.
          const outcome = stopped ? 'interrupted' : why instanceof Error ? undefined : message.split('\n')[0];
          end(stopped ? pc.yellow('■') : pc.red('✘'), outcome === undefined ? title : `${title}: ${outcome}`);
        },
      };
    },
    close() {
      open.clear();
      tick();
      erase();
    },
  };
}

/** `0.4 s`, `12 s`, `3 min 5 s`. @internal */
export function seconds(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
