import type { Settings } from '../settings.js';
import type { Answer } from './answer.js';
import type { Call } from './call.js';
import type { Knowledge } from './knowledge.js';
import type { Upstream } from './upstream.js';

/** What rules share. */
export interface Front {
  readonly account: string;
  /** Of AWS, that the account is in: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`. */
  readonly partition: string;
  readonly settings: Settings;
  readonly upstream: Upstream;
  readonly knowledge: Knowledge;
  /** The sandbox's clock, in milliseconds: the machine's and `settings.clockOffsetMs`. */
  now(): number;
}

/** One thing that AWS does and MiniStack does not. Goes when MiniStack learns it. */
export interface Rule {
  readonly name: string;
  /** Where AWS says so. */
  readonly source: string;
  applies(call: Call, front: Front): boolean;
  /** Answer in MiniStack's place, or let it (`next`) and change what it says. */
  handle(call: Call, front: Front, next: () => Promise<Answer>): Promise<Answer>;
}
