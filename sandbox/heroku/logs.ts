/** One line of an app's log. */
export interface LogLine {
  readonly at: string;
  /** `app` for what processes print, `heroku` for what the platform says. */
  readonly source: 'app' | 'heroku';
  /** `web.1`, `run.1234`, `api`, `router`. */
  readonly dyno: string;
  readonly text: string;
}

export interface LogFilter {
  readonly dyno?: string | undefined;
  readonly source?: string | undefined;
  readonly lines?: number | undefined;
}

const KEPT = 1500;

/** An app's log: the last 1,500 lines, as Heroku keeps them, and whoever follows it. */
export class AppLog {
  private lines: LogLine[] = [];
  private readonly followers = new Set<(line: LogLine) => void>();

  add(source: LogLine['source'], dyno: string, text: string): void {
    const line = { at: new Date().toISOString().replace('Z', '000+00:00'), source, dyno, text };
    this.lines.push(line);
    if (this.lines.length > KEPT) this.lines.shift();
    for (const follower of this.followers) follower(line);
  }

  last(filter: LogFilter): LogLine[] {
    return this.lines.filter((line) => matches(line, filter)).slice(-(filter.lines ?? 100));
  }

  follow(filter: LogFilter, onLine: (line: LogLine) => void): () => void {
    const follower = (line: LogLine): void => {
      if (matches(line, filter)) onLine(line);
    };
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }
}

export const formatLogLine = (line: LogLine): string => `${line.at} ${line.source}[${line.dyno}]: ${line.text}`;

/** A dyno filter is a name (`run.1234`) or a process type (`run`). */
function matches(line: LogLine, filter: LogFilter): boolean {
  if (filter.source !== undefined && line.source !== filter.source) return false;
  return filter.dyno === undefined || line.dyno === filter.dyno || line.dyno.startsWith(`${filter.dyno}.`);
}

/** Calls `onLine` for every line of the bytes given, the last unfinished one at the end. */
export function lineSplitter(onLine: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  const decoder = new TextDecoder();
  let rest = '';
  const take = (text: string): void => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() as string;
    lines.forEach(onLine);
  };
  return {
    write: (chunk) => take(decoder.decode(chunk, { stream: true })),
    end: () => {
      take(decoder.decode());
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}
