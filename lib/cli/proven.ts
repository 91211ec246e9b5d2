import { z } from 'zod';
import type { Team } from '../config/model.js';
import { proofKey } from '../contract/index.js';
import { isKitError } from '../errors.js';
import type { SmokeReport } from '../smoke/report.js';
import type { LastProof } from './glance.js';
import type { Session } from './session.js';

const PROOF = z.object({ at: z.iso.datetime(), ok: z.boolean() });

/** Nice to know, and nothing hangs on it. */
const dispensable =
  ({ host }: Session) =>
  (error: unknown): undefined => {
    if (!isKitError(error)) throw error;
    host.io.debug(`the last proof: ${error.message}`);
  };

/** Written down beside the lease, for `status`. */
export async function noteProof(session: Session, { name, bucket }: Team, reports: readonly SmokeReport[]): Promise<void> {
  if (bucket === undefined || reports.length === 0) return;
  const { Objects } = await import('../smoke/objects.client.js');
  const proof: LastProof = { at: new Date().toISOString(), ok: reports.every(({ ok }) => ok) };
  const objects = new Objects(session.aws(bucket.spec.region), bucket.spec);
  await objects.put(proofKey(name), JSON.stringify(proof)).catch(dispensable(session));
}

export async function lastProof(session: Session, { name, bucket }: Team): Promise<LastProof | undefined> {
  if (bucket === undefined) return undefined;
  const { s3Object } = await import('../engine/ports/s3-object.client.js');
  const found = await s3Object(session.aws(bucket.spec.region), bucket.spec, proofKey(name)).read().catch(dispensable(session));
  try {
    return found && PROOF.parse(JSON.parse(found.body));
  } catch {
    return undefined;
  }
}
