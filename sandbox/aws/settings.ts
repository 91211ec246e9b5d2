import { KitError } from '../../lib/errors.js';

/** What may be changed while the sandbox runs: in process by assignment, from outside by `PATCH /_sandbox/settings`. */
export interface Settings {
  /** How long a new access key may still be unknown, in milliseconds. Default 0. AWS: seconds usually. */
  keyDelayMs: number;
  /** The same for single services by signing name (`s3`, `sts`, `iam`), where they are to disagree in a known way. */
  keyDelayByService: Record<string, number>;
  /** Chance, 0 to 1, that one call with such a key is accepted meanwhile; each service decides call by call. Default 0.5; 0 refuses all. */
  keyDelayAccept: number;
  /** Signature Version 2. Regions launched since 2014 refuse it whatever is set here. */
  sigv2: Sigv2Settings;
  /** Whether a BucketOwnerEnforced bucket refuses `x-amz-acl: private` as it refuses other ACLs; reports conflict. Default false. */
  refusePrivateAcl: boolean;
  /** How far the sandbox's clock is ahead of the machine's, in milliseconds. Default 0. */
  clockOffsetMs: number;
  /** How late GetAccessKeyLastUsed tells of a use, in milliseconds. Default 0. AWS: minutes to hours. */
  lastUsedLagMs: number;
}

interface Sigv2Settings {
  /** For buckets not named below. Default `refuse`: what AWS announced for buckets created after 24 June 2020. */
  default: 'refuse' | 'accept';
  /** By bucket name. */
  buckets: Record<string, 'refuse' | 'accept'>;
  /** By region, for buckets not named above. */
  regions: Record<string, 'refuse' | 'accept'>;
}

export type SettingsInput = Partial<Omit<Settings, 'sigv2'>> & { sigv2?: Partial<Sigv2Settings> };

export function makeSettings(input: SettingsInput = {}): Settings {
  return {
    keyDelayMs: 0,
    keyDelayAccept: 0.5,
    keyDelayByService: {},
    refusePrivateAcl: false,
    clockOffsetMs: 0,
    lastUsedLagMs: 0,
    ...input,
    sigv2: { default: 'refuse', buckets: {}, regions: {}, ...input.sigv2 },
  };
}

/** Change some settings; maps such as `sigv2.buckets` are merged. */
export function applySettings(settings: Settings, input: SettingsInput): void {
  const { sigv2, ...rest } = input;
  const known = Object.keys(settings);
  const unknown = Object.keys(input).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new KitError('setting-unknown', `unknown setting '${unknown}': use one of ${known.join(', ')}`);
  Object.assign(settings, rest);
  if (sigv2 === undefined) return;
  if (sigv2.default !== undefined) settings.sigv2.default = sigv2.default;
  Object.assign(settings.sigv2.buckets, sigv2.buckets);
  Object.assign(settings.sigv2.regions, sigv2.regions);
}
