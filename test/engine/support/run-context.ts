import type { KitConfig, Team } from '../../../lib/config/model.js';
import { DEFAULT_POLICY } from '../../../lib/engine/model.js';
import { Fence } from '../../../lib/engine/run/lease.client.js';
import type { Ports } from '../../../lib/engine/ports/ports.js';
import { Recent } from '../../../lib/engine/run/recent.js';
import type { RunContext } from '../../../lib/engine/run/run.js';
import { Vault } from '../../../lib/engine/run/vault.js';
import { silentIo } from '../../../lib/io/io-host.js';
import { thisProcess } from '../../../lib/lease-owner.js';
import type { Hook } from './world/process.js';
import type { World } from './world/world.js';

interface Options extends Partial<RunContext> {
  readonly hook?: Hook;
  /** Ports that stand before those of the model. */
  readonly wrap?: (ports: Ports) => Ports;
}

/** A process of its own on the model of AWS and Heroku, for the first team of a configuration. */
export function runContext(world: World, config: KitConfig, { hook, wrap = (ports) => ports, ...more }: Options = {}): RunContext {
  const team = config.teams[0] as Team;
  const fence = new Fence();
  const time = world.time();
  const clock = { ...world.clock, now: () => time.now() };
  const policy = more.policy ?? DEFAULT_POLICY;
  return {
    config,
    team,
    policy,
    concurrency: policy.concurrency,
    io: silentIo,
    clock,
    fence,
    vault: new Vault(),
    recent: new Recent(clock),
    ports: wrap(world.ports(hook, fence.check, time, team.bucket?.spec.name)),
    owner: thisProcess(policy.leaseTtl, world.now),
    ...more,
  };
}
