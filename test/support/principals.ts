import { principalsOf, teamNamed } from '../../lib/config/derive.js';
import type { KitConfig, Principal } from '../../lib/config/model.js';
import type { Access } from '../../lib/contract/index.js';

/** The principal of a team with `access`: the first, where each app has its own. */
export function principalIn(config: KitConfig, team: string, access: Access): Principal {
  const found = principalsOf(teamNamed(config, team)).find((principal) => principal.access === access);
  if (found === undefined) throw new Error(`team ${team} has no principal with ${access}`);
  return found;
}
