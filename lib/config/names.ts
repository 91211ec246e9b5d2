import { didYouMean } from './nearest.js';
import { KNOWN_REGIONS } from './regions.js';
import { defaultBucketName, KIT_OWNERS } from '../contract/index.js';

/**
 * Grammars of the names in halcyon.yaml. Each `explain…` tells what is wrong with a value, or undefined where it is right;
 * the patterns go into the JSON Schema, for editors, and may be looser.
 */
export type Explain = (value: string) => string | undefined;

/** Team and shared-bucket names become part of stack, user, secret and bucket names, hence the length. */
export const OWNER_PATTERN = /^[a-z][a-z0-9-]{0,18}[a-z0-9]$/;
/** https://devcenter.heroku.com/articles/platform-api-reference#app */
export const APP_PATTERN = /^[a-z][a-z0-9-]{1,28}[a-z0-9]$/;
/** https://devcenter.heroku.com/articles/platform-api-reference#pipeline */
export const PIPELINE_PATTERN = /^[a-z][a-z0-9-]{2,29}$/;
export const HEROKU_TEAM_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;
/** No token of Heroku's is one. */
export const VARIABLE_PATTERN = /^[A-Z][A-Z0-9_]{0,63}$/;
export const ACCOUNT_PATTERN = /^\d{12}$/;
export const REGION_PATTERN = /^[a-z0-9]+(-[a-z0-9]+)*$/;
export const AWS_REGION_PATTERN = /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/;
export const BUCKET_PATTERN = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** The characters that stand for themselves in a URL, which upstream does not encode, and in the pattern it strips a prefix with. */
export const PREFIX_PATTERN = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;
export const ENDPOINT_PATTERN = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/;
export const KMS_KEY_PATTERN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):(\d{12}):key\/[A-Za-z0-9-]+$/;
export const TOPIC_PATTERN = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/;
const PREFIX_LENGTH = 128;

const got = (value: string): string => `got ${JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value)}`;

const KIT_NAMES: readonly string[] = Object.values(KIT_OWNERS);
const KIT_BUCKET = new RegExp(`^(${KIT_NAMES.map((owner) => defaultBucketName(owner, '[0-9]{12}', '')).join('|')})`);

export const explainOwner: Explain = (value) => {
  if (KIT_NAMES.includes(value)) return `must not be ${JSON.stringify(value)}, which is for a bucket and a stack of the kit's own`;
  if (!OWNER_PATTERN.test(value))
    return `must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen, ${got(value)}`;
  return undefined;
};

/** Team stacks are `halcyon-TEAM`, next to the kit's other stacks. */
export const explainTeam: Explain = (value) => {
  if (value === 'bucket' || value.startsWith('bucket-'))
    return `must not begin with "bucket-", which is for the stacks of shared buckets, ${got(value)}`;
  if (value === 'buildpack') return 'must not be "buildpack", which is for the stack that serves the buildpack';
  return explainOwner(value);
};

const formed =
  (pattern: RegExp, what: string): Explain =>
  (value) =>
    pattern.test(value) ? undefined : `must be ${what}, ${got(value)}`;

export const explainApp = formed(
  APP_PATTERN,
  'a Heroku app name: 3 to 30 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen',
);
export const explainPipeline = formed(
  PIPELINE_PATTERN,
  'the name of a Heroku pipeline: 3 to 30 lower-case letters, digits and hyphens, beginning with a letter',
);
export const explainHerokuTeam = formed(
  HEROKU_TEAM_PATTERN,
  'a Heroku team name as in its URL: lower-case letters, digits, hyphens and underscores',
);
export const explainTopic = formed(TOPIC_PATTERN, 'the ARN of an SNS topic, arn:aws:sns:REGION:ACCOUNT:NAME');
/** What was written may be the secret itself: it is not shown. */
export const explainVariable: Explain = (value) =>
  VARIABLE_PATTERN.test(value)
    ? undefined
    : 'must be the name of an environment variable in capitals, such as HEROKU_TOKEN_PAYMENTS; what it holds is never written here';
export const explainAccount = formed(ACCOUNT_PATTERN, 'an AWS account id of 12 digits');

export const BOUNDARY_PATTERN = /^[\w+=,.@-]{1,128}$/;
/** By name, as a file may be in several accounts. */
export const explainBoundary = formed(BOUNDARY_PATTERN, 'the name of a managed policy, without ARN and path');

export const explainRegion: Explain = (value) =>
  REGION_PATTERN.test(value) && (!AWS_REGION_PATTERN.test(value) || DIRECTION.test(value))
    ? undefined
    : `must be an AWS region such as eu-west-1, ${got(value)}${hint(didYouMean(value, KNOWN_REGIONS))}`;
const hint = (text: string | undefined): string => (text === undefined ? '' : `; ${text}`);

/** Where in its area a region of AWS's is: new regions come, new directions do not. */
const DIRECTION = /-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d{1,2}$/;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html (general purpose buckets) */
export const explainBucket: Explain = (value) => {
  const wrong = bucketFault(value);
  return wrong === undefined ? undefined : `is not a bucket name: ${wrong}, ${got(value)}`;
};

function bucketFault(value: string): string | undefined {
  if (value.includes('/')) return 'a prefix goes into "prefix"';
  if (value.length < 3 || value.length > 63) return `it must have 3 to 63 characters, not ${value.length}`;
  if (!/^[a-z0-9.-]+$/.test(value)) return 'only lower-case letters, digits, hyphens and dots are allowed';
  if (!/^[a-z0-9].*[a-z0-9]$/.test(value)) return 'it must begin and end with a letter or a digit';
  if (value.includes('..')) return 'two dots may not be adjacent';
  if (/^\d+\.\d+\.\d+\.\d+$/.test(value)) return 'it must not look like an IP address';
  if (KIT_BUCKET.test(value)) return "it is for a bucket of the kit's own";
  const prefix = ['xn--', 'sthree-', 'amzn-s3-demo-'].find((reserved) => value.startsWith(reserved));
  if (prefix !== undefined) return `it must not begin with "${prefix}", which is AWS's own`;
  const suffix = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3'].find((reserved) => value.endsWith(reserved));
  if (suffix !== undefined) return `it must not end with "${suffix}", which is AWS's own`;
  return undefined;
}

/** Upstream writes the prefix into URLs as it is, and strips it from listings with a regular expression. */
export const explainPrefix: Explain = (value) => {
  if (value === '') return 'must not be empty; leave "prefix" out to use the whole bucket';
  if (value.startsWith('/') || value.endsWith('/')) return `must not begin or end with a slash, ${got(value)}`;
  if (value.length > PREFIX_LENGTH) return `must have at most ${PREFIX_LENGTH} characters, not ${value.length}`;
  const foreign = [...new Set(value.replaceAll(/[A-Za-z0-9._/-]/g, ''))];
  if (foreign.length > 0) {
    const list = foreign.map((character) => JSON.stringify(character)).join(', ');
    return `must be letters, digits, ".", "_", "-" and "/" only, since Halcyon does not encode URLs; not ${list}, ${got(value)}`;
  }
  const segments = value.split('/');
  if (segments.includes('')) return `must not have two slashes in a row, ${got(value)}`;
  if (segments.some((segment) => segment === '.' || segment === '..')) return `must not have "." or ".." between slashes, ${got(value)}`;
  if (segments[0] === '.halcyon-kit') return 'must not be under ".halcyon-kit", where the kit keeps its own objects';
  return undefined;
};

export const explainEndpoint: Explain = (value) => {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(value)?.[0];
  if (scheme !== undefined) return `must be a host without scheme (Halcyon always uses https), so without "${scheme}", ${got(value)}`;
  if (value.includes('/')) return `must be a host without path, ${got(value)}`;
  const port = /:(\d+)$/.exec(value)?.[1];
  if (!ENDPOINT_PATTERN.test(value) || value.includes('..') || Number(port ?? 1) > 65_535 || Number(port ?? 1) < 1)
    return `must be a host such as s3.eu-west-1.amazonaws.com, or host:port, ${got(value)}`;
  return undefined;
};

export const explainKmsKey: Explain = (value) => {
  if (KMS_KEY_PATTERN.test(value)) return undefined;
  if (value.includes(':alias/')) return `must be the ARN of the key itself: policies do not follow an alias, ${got(value)}`;
  return `must be the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID, ${got(value)}`;
};

/** A buildpack or git URL, which ends up in plans, logs and Heroku's build output. */
export const explainUrl: Explain = (value) => {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    return `must be a URL, https://…, ${got(value)}`;
  }
  if (url.username !== '' || url.password !== '')
    return 'must be a URL without user name and password, since it is shown in every build log';
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'https:' || url.protocol === 'file:' || (url.protocol === 'http:' && local)) return undefined;
  return `must be an https URL, ${got(value)}`;
};

export const explainBuildpack: Explain = (value) =>
  value === 'hosted'
    ? undefined
    : explainUrl(value)?.replace('a URL', '"hosted" or a URL').replace('an https URL', '"hosted" or an https URL');
