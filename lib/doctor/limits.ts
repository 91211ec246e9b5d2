/** Halcyon lists one page of 1,000 keys, of one kind of archive in one directory. */
export const LISTED_PAGE = 1_000;
/** S3 takes 5 GB in one PUT, which is all that Halcyon makes; told in time. */
export const LARGE_BYTES = 4 * 1024 ** 3;
/** S3 refuses from 15 minutes on. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** What one of Halcyon's listings asks for: a directory, and the kind of archive in it (`PLATFORM/ghc-7.8.4/halcyon-install-`). */
export const listedTogether = (key: string): string => /^(?:.*\/)?(?:halcyon-[a-z]+-)?/.exec(key)![0];
