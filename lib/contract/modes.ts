/**
 * How an app uses a bucket: the three ways of the *Haskell on Heroku* user guide.
 * `public`: no private bucket; `read-only`: a private bucket, never written; `upload`: prebuilt packages are archived in it.
 */
export const MODES = ['public', 'read-only', 'upload'] as const;
export type Mode = (typeof MODES)[number];

/** What a principal's key may do: `append-only` is `upload` less `s3:DeleteObject` (`clean: false`). */
export const ACCESSES = ['read-only', 'upload', 'append-only'] as const;
export type Access = (typeof ACCESSES)[number];

/** The access an app of `mode` needs, or undefined where it needs no key. */
export function accessOf(mode: Mode, clean: boolean): Access | undefined {
  if (mode === 'public') return undefined;
  return mode === 'upload' && !clean ? 'append-only' : mode;
}

/** The canned ACLs the kit supports in `HALCYON_S3_ACL`; `private` and `public-read` need ACLs enabled on the bucket. */
export const ACLS = ['bucket-owner-full-control', 'private', 'public-read'] as const;
export type Acl = (typeof ACLS)[number];
