import { appendFileSync } from 'node:fs';

/** One request: never a value, a header or a query. Status 0: the connection was broken in place of an answer. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** ISO 8601. */
  readonly at: string;
  /** The fault switch that hit it. */
  readonly fault?: string;
}

export class RequestLog {
  private entries: LoggedRequest[] = [];

  /** @param file - also appended there, as JSON lines. */
  constructor(private readonly file: string | undefined) {}

  add(entry: LoggedRequest): void {
    this.entries.push(entry);
    if (this.file !== undefined) appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
  }

  all(): LoggedRequest[] {
    return [...this.entries];
  }

  clear(): void {
    this.entries = [];
  }
}
