import type { IoHost } from '../io/io-host.js';
import type { Evidence } from './evidence.js';

/** What every command is given besides its options. */
export interface CommandHost {
  readonly io: IoHost;
  /** Aborted by Ctrl-C: stop where running again can go on. */
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
  readonly evidence: Evidence;
  /** @throws KitError `confirmation-needed` where nobody can be asked. */
  confirm(question: string): Promise<boolean>;
}

/** What a command came to. `text` goes to stdout, or `data` as JSON with `--json`. */
export interface CommandResult {
  readonly data: unknown;
  readonly text: string;
  /** Both are secrets that were asked for, and are shown on stdout alone. */
  readonly unredacted?: true;
  /** `text` is a file: as wide as it is, on a terminal as well. */
  readonly verbatim?: true;
  /** Default 0; 1: failed; 2: not yet, run again later. */
  readonly exitCode?: number;
}

/** Teams, and stacks, that are worked on side by side, where nobody says: AWS throttles who asks about hundreds at once. */
export const CONCURRENCY = 5;

/** Options of every command. */
export interface GlobalOptions {
  /** Path of halcyon.yaml. */
  readonly config: string;
  readonly profile?: string;
  /** Every team of the file, where it is about teams. */
  readonly all?: boolean;
  /** Every change on a line of its own. */
  readonly verbose?: boolean;
  /** Default: {@link CONCURRENCY}. */
  readonly concurrency?: number;
}

/** Options of commands that change anything. */
export interface ChangeOptions extends GlobalOptions {
  readonly dryRun?: boolean;
  /** With `dryRun`: exit code 2 where anything would change. */
  readonly detailedExitcode?: boolean;
  readonly yes?: boolean;
  /** Apps outside the file that are not asked what they hold. */
  readonly forget?: readonly string[];
}
