import { createWriteStream, type WriteStream } from 'node:fs';

/** One answered request. Never a secret: names and ids only. */
export interface LogEntry {
  /** When it was answered, ISO 8601. */
  readonly time: string;
  /** ARN of who asked; `unknown` for a key nobody has, `anonymous` without a signature. */
  readonly principal: string;
  readonly accessKeyId?: string;
  /** Signing name: `s3`, `iam`, `sts`, `secretsmanager`, `cloudformation` … */
  readonly service: string;
  /** `PutObject`, `CreateAccessKey` … */
  readonly operation: string;
  /** `bucket/key`, or the user, secret, stack … the request names. */
  readonly resource?: string;
  readonly region?: string;
  readonly signatureVersion: 2 | 4 | 'none';
  /** HTTP status; 0 when no answer was given. */
  readonly status: number;
  /** AWS's error code, or `fault:KIND` where a fault was asked for. */
  readonly reason?: string;
  readonly durationMs: number;
  /** `User-Agent` and `x-amz-acl`, which tell clients and modes apart. */
  readonly userAgent?: string;
  readonly acl?: string;
}

/** Entries kept in memory; a file keeps all. */
const KEPT = 100_000;

export class RequestLog {
  readonly #entries: LogEntry[] = [];
  readonly #file: WriteStream | undefined;

  constructor(file?: string) {
    this.#file = file === undefined ? undefined : createWriteStream(file, { flags: 'a', mode: 0o600 });
  }

  add(entry: LogEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > KEPT) this.#entries.splice(0, KEPT / 10);
    this.#file?.write(`${JSON.stringify(entry)}\n`);
  }

  entries(): LogEntry[] {
    return [...this.#entries];
  }

  clear(): void {
    this.#entries.length = 0;
  }

  async close(): Promise<void> {
    const file = this.#file;
    if (file !== undefined) await new Promise<void>((resolve) => file.end(() => resolve()));
  }
}
