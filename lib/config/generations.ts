import { userName } from '../contract/index.js';
import type { Principal } from './model.js';

/** IAM users of a team, as far as they decide which name is to be used. */
export interface UsersThere {
  /** Names of those that IAM has, of whatever team. */
  readonly exist: ReadonlySet<string>;
  /** Names of those that the team's stack has, were they deleted by hand or not. */
  readonly inStack: ReadonlySet<string>;
  /** Names of those that cannot serve: AWS has quarantined their keys, or another team has them. */
  readonly unfit?: ReadonlySet<string>;
}

/**
 * The generation of each principal: the latest that the stack has and IAM too. Where there is none, one with a name that nobody has yet: a
 * user that left its stack cannot be made again, one that was deleted by hand is not missed by CloudFormation, and one that is quarantined,
 * or another team's, is of no use. Pure.
 * @param deploying - `false`: where there is no stack, a user that is there serves. Default true.
 */
export function withGenerations(
  principals: readonly Principal[],
  { exist, inStack, unfit = new Set() }: UsersThere,
  deploying = true,
): Principal[] {
  const byBase = new Map<string, number[]>();
  for (const name of new Set([...exist, ...inStack])) {
    const [, base = name, generation = '1'] = /^(.+\.[0-9a-f]{6})-(\d+)$/.exec(name) ?? [];
    byBase.set(
      base,
      [...(byBase.get(base) ?? []), Number(generation)].sort((a, b) => b - a),
    );
  }
  return principals.map((principal) => {
    const taken = byBase.get(userName(principal)) ?? [];
    const nameOf = (generation: number) => userName({ ...principal, generation });
    const serves = (generation: number) => exist.has(nameOf(generation)) && !unfit.has(nameOf(generation));
    const generation =
      taken.find((one) => serves(one) && inStack.has(nameOf(one))) ??
      (deploying || inStack.size > 0 ? undefined : taken.find(serves)) ??
      (taken[0] ?? 0) + 1;
    return generation === 1 ? principal : { ...principal, generation };
  });
}
