import type { BucketSpec, KitConfig } from '../config/model.js';
import { ACLS, parseUserName, TAGS, type Acl } from '../contract/index.js';
import type { UserRecord } from '../engine/ports/ports.js';

/** Which ACLs a bucket must go on accepting while principals of an earlier file may still upload with them. Pure. */

/** An IAM user that the file does not have any more. */
export type FormerUser = Pick<UserRecord, 'name' | 'path' | 'tags'>;

export interface FormerAcl {
  readonly bucket: string;
  readonly acl: Acl;
  /** The principals that carry it. */
  readonly users: ReadonlyArray<{ readonly name: string; readonly team: string }>;
}

/** The buckets that stacks of the file's make. */
export const madeBuckets = (config: KitConfig): BucketSpec[] => [
  ...config.buckets,
  ...config.teams.flatMap(({ bucket }) => (bucket?.kind === 'own' ? [bucket.spec] : [])),
];

/** Of each of them, the ACLs beside its own. */
export function formerAcls(config: KitConfig, users: readonly FormerUser[]): FormerAcl[] {
  return madeBuckets(config).flatMap(({ name: bucket, acl: own }) =>
    ACLS.filter((acl) => acl !== own).flatMap((acl) => {
      const carrying = users.flatMap(({ name, path, tags }) => {
        const id = parseUserName({ name, path });
        if (id === undefined || id.access === 'read-only') return [];
        return tags[TAGS.bucket] === bucket && tags[TAGS.acl] === acl ? [{ name, team: id.team }] : [];
      });
      return carrying.length === 0 ? [] : [{ bucket, acl, users: carrying }];
    }),
  );
}

export function aclsByBucket(former: readonly FormerAcl[]): Map<string, Acl[]> {
  const byBucket = new Map<string, Acl[]>();
  for (const { bucket, acl } of former) byBucket.set(bucket, [...(byBucket.get(bucket) ?? []), acl]);
  return byBucket;
}

/** One sentence an ACL: who keeps it accepted, and what to run. */
export const renderFormerAcls = (former: readonly FormerAcl[]): string[] =>
  former.map(({ bucket, acl, users }) => {
    const teams = [...new Set(users.map(({ team }) => team))].join(' ');
    return `bucket ${bucket} goes on accepting uploads with ACL ${acl}, which builds that run may still carry, until ${users.map(({ name }) => name).join(', ')} has retired; run "halcyon-kit up ${teams}" then to close it`;
  });
