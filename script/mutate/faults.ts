import type { Fault } from './fault.js';
import { ADOPT } from './faults/adopt.js';
import { CONTRACT } from './faults/contract.js';
import { DEPLOY } from './faults/deploy.js';
import { ENGINE } from './faults/engine.js';
import { POLICIES } from './faults/policies.js';
import { PREBUILD } from './faults/prebuild.js';
import { SHIM } from './faults/shim.js';
import { SMOKE } from './faults/smoke.js';

/** Every fault that some suite must notice: `npm run mutate` makes each, and sees. */
export const FAULTS: readonly Fault[] = [...CONTRACT, ...POLICIES, ...DEPLOY, ...SHIM, ...ENGINE, ...SMOKE, ...PREBUILD, ...ADOPT];
