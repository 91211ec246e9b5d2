import type { KitConfig, Team } from '../../../lib/config/model.js';
import { DEFAULT_POLICY } from '../../../lib/engine/model.js';
import { Recent } from '../../../lib/engine/run/recent.js';
import type { RunContext } from '../../../lib/engine/run/run.js';
import { Vault } from '../../../lib/engine/run/vault.js';
import { silentIo } from '../../../lib/io/io-host.js';
import type { World } from './world/world.js';

/** A process of its own on the model of AWS and Heroku, for the first team of a configuration. */
export function runContext(world: World, config: KitConfig, more: Partial<RunContext> = {}): RunContext {
  const policy = more.policy ?? DEFAULT_POLICY;
  return {
    config,
    team: config.teams[0] as Team,
    policy,
    concurrency: policy.concurrency,
    io: silentIo,
    clock: world.clock,
    vault: new Vault(),
    recent: new Recent(world.clock),
    ports: world.ports(() => {}),
    ...more,
  };
}
