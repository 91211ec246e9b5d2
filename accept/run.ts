import type { Aws } from '../lib/aws/aws.js';
import type { CommandHost, CommandResult } from '../lib/cli/command.js';
import type { Heroku } from '../lib/heroku/heroku.js';
import type { Proof } from '../lib/smoke/report.js';
import type { namesOf, Place } from './fleet.plan.js';

/** A command of the kit as it is typed, without `halcyon-kit`, run in this process. */
export type Kit = (args: readonly string[], host: CommandHost) => Promise<CommandResult>;

/** What a run works with. Neither client heeds the signal: what was made is taken down after an interruption, too. */
export interface Run {
  readonly id: string;
  readonly place: Place;
  readonly names: ReturnType<typeof namesOf>;
  readonly aws: (region: string) => Aws;
  readonly heroku: Heroku;
  readonly host: CommandHost;
}

/** Runs a part of a run and records what it proved. @returns whether all of it holds. */
export type StageOf = (title: string, work: () => Promise<readonly Proof[]>) => Promise<boolean>;

/** @param more - said besides what was observed. */
export const proofOf = (proof: string, expected: string, observed: string, more?: string): Proof => ({
  proof,
  expected,
  observed: more ? `${observed} (${more})` : observed,
  ok: observed === expected,
});

export interface Stage {
  readonly title: string;
  readonly seconds: number;
  readonly proofs: readonly Proof[];
}

/** What one run showed. Plain data without secrets. */
export interface AcceptReport {
  readonly run: string;
  readonly version: string;
  readonly account: string;
  readonly region: string;
  readonly operator: string;
  readonly herokuTeam?: string;
  /** Where AWS is, if not AWS itself. */
  readonly endpoint?: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly stages: readonly Stage[];
  readonly ok: boolean;
}
