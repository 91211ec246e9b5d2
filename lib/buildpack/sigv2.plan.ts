/** Which buckets must go on accepting signature version 2 while apps move to version 4. Pure. */

/** A bucket as it is before a deployment: one that is not there, or that refuses version 2 already, has nobody who signs so. */
export interface BucketSignatures {
  readonly bucket: string;
  readonly state: 'absent' | 'refuses' | 'accepts';
  /** Apps with private storage in it, of every team in the file; read only where it accepts version 2. */
  readonly apps: readonly AppSignatures[];
}

export interface AppSignatures {
  readonly app: string;
  readonly team: string;
  /** Its team is being deployed, so that it has the buildpack before the bucket changes. */
  readonly selected: boolean;
  /** Our buildpack is first in its list; undefined where the app could not be read. */
  readonly first?: boolean;
  /** A build that began without our buildpack is running. */
  readonly building?: boolean;
}

export interface BucketOnV2 {
  readonly bucket: string;
  /** The apps that keep it open. */
  readonly apps: ReadonlyArray<{ readonly app: string; readonly team: string; readonly why: 'no-buildpack' | 'building' | 'unreadable' }>;
}

export function bucketsStillOnV2(buckets: readonly BucketSignatures[]): BucketOnV2[] {
  return buckets
    .filter(({ state }) => state === 'accepts')
    .map(({ bucket, apps }) => ({
      bucket,
      apps: apps.flatMap((seen) => {
        const why = whyStill(seen);
        return why === undefined ? [] : [{ app: seen.app, team: seen.team, why }];
      }),
    }))
    .filter(({ apps }) => apps.length > 0);
}

function whyStill({ selected, first, building }: AppSignatures): BucketOnV2['apps'][number]['why'] | undefined {
  if (first === undefined) return 'unreadable';
  if (building === true) return 'building';
  return selected || first ? undefined : 'no-buildpack';
}

const REASONS = {
  'no-buildpack': 'does not have the SigV4 buildpack yet',
  building: 'is being built without the SigV4 buildpack',
  unreadable: 'cannot be read',
} as const;

/** One sentence a bucket: who keeps it open, and what to run. */
export const renderOnV2 = (buckets: readonly BucketOnV2[]): string[] =>
  buckets.map(({ bucket, apps }) => {
    const who = apps.map(({ app, team, why }) => `${app} of ${team} ${REASONS[why]}`).join(', ');
    const later = apps.every(({ why }) => why === 'building') ? ' when the build has ended' : '';
    const teams = [...new Set(apps.map(({ team }) => team))].join(' ');
    return `bucket ${bucket} goes on accepting signature version 2: ${who}; run "halcyon-kit up ${teams}"${later} to close it`;
  });
