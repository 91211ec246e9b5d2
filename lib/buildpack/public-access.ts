/** A hosted buildpack has to be public, which an account may forbid. Pure. */

/** Settings of Block Public Access that are in the way: the first keeps it from being made public, the second even when it is. */
export const PUBLIC_ACCESS_SETTINGS = ['BlockPublicPolicy', 'RestrictPublicBuckets'] as const;
export type PublicAccessSetting = (typeof PUBLIC_ACCESS_SETTINGS)[number];

export const blockedMessage = (account: string, blocks: readonly PublicAccessSetting[]): string =>
  `account ${account} blocks public access as a whole (${blocks.join(', ')}), so Heroku cannot fetch a hosted buildpack from it`;
export const OTHER_WAY =
  'serve the buildpack from elsewhere and name it with "signing.buildpack: https://…", or switch that off for the account';
