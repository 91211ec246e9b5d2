import { isMissing } from '../aws/errors.js';
import type { Team } from '../config/model.js';
import { redact } from '../io/redaction.js';
import type { SmokeContext } from './context.js';
import { sweepApps, sweepNoted } from './leftover-apps.client.js';
import { sweepObjects } from './leftover-objects.client.js';

/** What sweeping works with. `aws` is for the region of the team's bucket. */
type SweepContext = Pick<SmokeContext, 'aws' | 'heroku' | 'io'>;

/** What earlier runs left behind goes first; that it cannot go is no reason to prove nothing. @param storage - objects in the bucket too. */
export async function sweep(context: SweepContext, team: Team, storage: boolean): Promise<void> {
  const { heroku, io, aws } = context;
  const bucket = storage ? team.bucket : undefined;
  try {
    const now = new Date();
    const { dead, running } = await sweepNoted(context, team);
    await Promise.all([sweepApps(heroku, io, now, running), bucket && sweepObjects(aws, bucket.spec, bucket.prefix, io, now, dead)]);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    io.warn(`leftovers of earlier smoke deploys could not be looked for: ${redact(error.message)}`);
  }
}

/** Apps of killed smoke deploys, with their objects. That it cannot be done is said, and stops nothing. */
export async function sweepKilled(context: SweepContext, team: Team): Promise<void> {
  const { aws, io } = context;
  try {
    const { dead } = await sweepNoted(context, team);
    if (dead.size > 0 && team.bucket) await sweepObjects(aws, team.bucket.spec, team.bucket.prefix, io, new Date(), dead);
  } catch (error) {
    // Its stack is not deployed yet.
    if (!(error instanceof Error) || isMissing(error, 'bucket')) return;
    io.warn(`apps of killed smoke deploys of ${team.name} could not be looked for: ${redact(error.message)}`);
  }
}
