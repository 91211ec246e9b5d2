import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/index.js';
import type { Problem } from '../../lib/config/model.js';
import { isKitError, type KitError } from '../../lib/errors.js';

const refusal = (text: string): KitError => {
  try {
    parseConfig(text);
  } catch (error) {
    if (isKitError(error, 'config-invalid')) return error;
    throw error;
  }
  throw new Error('was accepted');
};
const problems = (text: string): string[] => refusal(text).message.split('\n').slice(1);

const OWN = 'bucket: { region: eu-west-1, account: "111122223333" }';
const app = (settings: string, bucket = OWN): string => `teams:\n  payments:\n    ${bucket}\n    apps:\n      payments-api: ${settings}\n`;
const bucket = (settings: string): string => app('{ mode: upload }', `bucket: { region: eu-west-1, account: "111122223333", ${settings} }`);
const placed = (settings: string): string => app('{ mode: upload }', `bucket: { ${settings} }`);
const signing = (settings: string, region = 'eu-west-1', more = ''): string =>
  `${app('{ mode: upload }', `bucket: { region: ${region}, account: "111122223333"${more} }`)}signing: { ${settings} }\n`;
const shared = (teams: string): string => `buckets:\n  common: { account: "111122223333", region: us-east-1 }\nteams:\n${teams}`;
const sharing = (name: string, settings: string): string =>
  `  ${name}:\n    bucket: { ${settings} }\n    apps: { ${name}-web: { mode: upload } }\n`;
const tags = (count: number, prefix = 't'): string => Array.from({ length: count }, (_, i) => `${prefix}${i}: a`).join(', ');
const apps = (count: number, team: string): string =>
  Array.from({ length: count }, (_, i) => `      ${team}-app-${i}: { mode: upload }\n`).join('');

const MISTAKES: Array<[what: string, text: string, ...lines: string[]]> = [
  [
    'places to notify',
    `${app('{ mode: upload }')}notify:\n  - {}\n  - { sns: x }\n  - { webhook: "https://a.example" }\n  - { sns: "arn:aws:sns:eu-west-1:111122223333:t", secretFrom: S }\n`,
    'halcyon.yaml:7:5  notify.0: must name one of sns, webhook, webhookFrom',
    'halcyon.yaml:8:12  notify.1.sns: must be the ARN of an SNS topic, arn:aws:sns:REGION:ACCOUNT:NAME, got "x"',
    'halcyon.yaml:9:16  notify.2.webhook: must be signed, or anyone could tell it anything; add "secretFrom: NAME", the environment variable with the secret; where the URL itself is one, use webhookFrom',
    'halcyon.yaml:10:52  notify.3.secretFrom: goes with a webhook only: SNS signs by itself; remove it',
  ],
  [
    'a pipeline without a bucket, in two teams',
    'teams:\n  aa:\n    apps: { app-a: { mode: public } }\n    pipelines: { shop: { review: { mode: read-only, canary: true } } }\n  bb:\n    apps: { app-b: { mode: public } }\n    pipelines: { Shop: {}, shop: { review: { mode: public } } }\n',
    'halcyon.yaml:2:3  teams.aa: has no bucket, but review of pipeline shop is in mode read-only; add "bucket", or make every app public',
    'halcyon.yaml:4:53  teams.aa.pipelines.shop.review.canary: is not known here; it belongs to an app',
    'halcyon.yaml:7:18  teams.bb.pipelines.Shop: must be the name of a Heroku pipeline: 3 to 30 lower-case letters, digits and hyphens, beginning with a letter, got "Shop"',
    'halcyon.yaml:7:36  teams.bb.pipelines.shop.review: is in team aa already; a stage of a pipeline belongs to one team; remove it here or there',
  ],
  ['nothing', '', 'halcyon.yaml:1:1  the file is empty; begin with "teams:"; "halcyon-kit init --dry-run" prints an example'],
  [
    'comments only',
    '# hello\n',
    'halcyon.yaml:1:1  the file is empty; begin with "teams:"; "halcyon-kit init --dry-run" prints an example',
  ],
  ['a list', '- a\n', 'halcyon.yaml:1:1  the file must be a mapping; begin with "teams:"'],
  [
    'neither team nor bucket',
    'signing: { version: 4 }\n',
    'halcyon.yaml:1:1  the file names no team; add "teams:"; "halcyon-kit init --dry-run" prints an example',
  ],
  ['no team', 'teams: {}\n', 'halcyon.yaml:1:1  teams: has no team'],
  [
    'no app',
    `teams:\n  payments:\n    ${OWN}\n    apps: {}\n`,
    'halcyon.yaml:4:5  teams.payments.apps: has no app; name at least one Heroku app',
  ],
  [
    'apps left out',
    `teams:\n  payments:\n    ${OWN}\n`,
    'halcyon.yaml:2:3  teams.payments.apps: is missing: the Heroku apps of the team, by name',
  ],
  ['a team left empty', 'teams:\n  payments:\n', 'halcyon.yaml:2:3  teams.payments: is empty: it must be a mapping of names to values'],

  ['YAML that is not', 'teams: a: b\n', 'halcyon.yaml:1:8  is not YAML: nested mappings are not allowed in compact mappings'],
  ['a tab', 'teams:\n\tpayments: {}\n', 'halcyon.yaml:2:1  is not YAML: tabs are not allowed as indentation; indent with spaces'],
  [
    'an app twice in a team',
    `${app('{ mode: public }')}      payments-api: { mode: upload }\n`,
    'halcyon.yaml:6:7  payments-api is there twice; keep one',
  ],
  [
    'two documents',
    `${app('{ mode: public }')}---\nteams: {}\n`,
    'halcyon.yaml:6:1  the file must hold one document, without "---" in between',
  ],
  [
    'a name that JavaScript hides',
    'teams:\n  __proto__:\n    apps: { some-app: { mode: public } }\nsigning: { __proto__: { version: 2 } }\n',
    'halcyon.yaml:2:3  teams.__proto__: must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen, got "__proto__"',
    'halcyon.yaml:4:12  signing.__proto__: is not known here; known are version, buildpack, region, acknowledgeV2',
  ],
  [
    'an unknown mode',
    app('{ mode: readonly }'),
    'halcyon.yaml:5:29  teams.payments.apps.payments-api.mode: must be public, read-only or upload, got "readonly"; did you mean "read-only"?',
  ],
  ['no mode', app('{}'), 'halcyon.yaml:5:7  teams.payments.apps.payments-api.mode: is missing: public, read-only or upload'],
  [
    'an unknown setting of an app',
    app('{ mode: upload, clena: false }'),
    'halcyon.yaml:5:37  teams.payments.apps.payments-api.clena: is not known here; did you mean "clean"?',
  ],
  [
    'a yes that is no boolean',
    app('{ mode: upload, clean: no }'),
    'halcyon.yaml:5:44  teams.payments.apps.payments-api.clean: must be true or false, got "no"; write false',
  ],
  [
    'clean with read-only',
    app('{ mode: read-only, clean: false }'),
    'halcyon.yaml:5:40  teams.payments.apps.payments-api.clean: goes with mode upload only, and this app is in mode read-only: its key may never delete',
  ],
  [
    'fallback with read-only',
    app('{ mode: read-only, publicStorage: fallback }'),
    'halcyon.yaml:5:55  teams.payments.apps.payments-api.publicStorage: cannot be fallback in mode read-only, which never uses public packages; remove it, or use mode upload',
  ],
  [
    'publicStorage with public',
    app('{ mode: public, publicStorage: never }'),
    'halcyon.yaml:5:37  teams.payments.apps.payments-api.publicStorage: means nothing in mode public, which uses public packages only; remove it',
  ],
  [
    'a canary without a key',
    app('{ mode: public, canary: true }'),
    'halcyon.yaml:5:37  teams.payments.apps.payments-api.canary: means nothing in mode public, which has no key to rotate; remove it',
  ],
  [
    'fallback for a team without uploads',
    app('{ mode: read-only }', `${OWN}\n    publicStorage: fallback`),
    'halcyon.yaml:4:20  teams.payments.publicStorage: cannot be fallback where no app is in mode upload: the other modes do not choose; remove it',
  ],
  [
    'two canaries',
    `${app('{ mode: upload, canary: true }')}      payments-web: { mode: upload, canary: true }\n`,
    'halcyon.yaml:6:45  teams.payments.apps.payments-web.canary: is the second canary of team payments: payments-api is one already; keep one',
  ],
  [
    'a private app without a bucket',
    'teams:\n  payments:\n    apps: { payments-api: { mode: upload } }\n',
    'halcyon.yaml:2:3  teams.payments: has no bucket, but app payments-api is in mode upload; add "bucket", or make every app public',
  ],
  [
    'an app in two teams',
    shared(sharing('search', 'shared: common, prefix: a') + sharing('maps', 'shared: common, prefix: b').replace('maps-web', 'search-web')),
    'halcyon.yaml:9:13  teams.maps.apps.search-web: is in team search already; an app belongs to one team; remove it here or there',
  ],

  ...['x', 'Payments', '9lives', 'a-', 'a_b', 'a23456789012345678901'].map((name): [string, string, string] => [
    `a team called ${name}`,
    `teams:\n  ${name}:\n    apps: { some-app: { mode: public } }\n`,
    `halcyon.yaml:2:3  teams.${name}: must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen, got "${name}"`,
  ]),
  [
    'a team named like a shared bucket’s stack',
    'teams:\n  bucket-a:\n    apps: { some-app: { mode: public } }\n',
    'halcyon.yaml:2:3  teams.bucket-a: must not begin with "bucket-", which is for the stacks of shared buckets, got "bucket-a"',
  ],
  [
    'a team named like the buildpack’s stack',
    'teams:\n  buildpack:\n    apps: { some-app: { mode: public } }\n',
    'halcyon.yaml:2:3  teams.buildpack: must not be "buildpack", which is for the stack that serves the buildpack',
  ],
  [
    'teams whose buckets would be the kit’s own',
    'teams:\n  kit-buildpack:\n    apps: { some-app: { mode: public } }\n  kit-templates:\n    apps: { other-app: { mode: public } }\n',
    'halcyon.yaml:2:3  teams.kit-buildpack: must not be "kit-buildpack", which is for a bucket and a stack of the kit\'s own',
    'halcyon.yaml:4:3  teams.kit-templates: must not be "kit-templates", which is for a bucket and a stack of the kit\'s own',
  ],
  [
    'a shared bucket that would be the kit’s own',
    shared(sharing('search', 'shared: kit-buildpack')).replace('common', 'kit-buildpack'),
    'halcyon.yaml:2:3  buckets.kit-buildpack: must not be "kit-buildpack", which is for a bucket and a stack of the kit\'s own',
  ],
  [
    'a bucket of the kit’s own by name',
    bucket('name: halcyon-kit-buildpack-111122223333-eu-west-1'),
    'halcyon.yaml:3:65  teams.payments.bucket.name: is not a bucket name: it is for a bucket of the kit\'s own, got "halcyon-kit-buildpack-111122223333-eu-west-1"',
  ],
  [
    'a bucket of the kit’s own as existing',
    placed('existing: halcyon-kit-templates-111122223333-eu-west-1, region: eu-west-1, account: "111122223333"'),
    'halcyon.yaml:3:25  teams.payments.bucket.existing: is not a bucket name: it is for a bucket of the kit\'s own, got "halcyon-kit-templates-111122223333-eu-west-1"',
  ],
  ...['ab', 'My-App', '1app', 'app-', 'app.web', 'a234567890123456789012345678901'].map((name): [string, string, string] => [
    `an app called ${name}`,
    app('{ mode: public }').replace('payments-api', name),
    `halcyon.yaml:5:7  teams.payments.apps.${name}: must be a Heroku app name: 3 to 30 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen, got "${name}"`,
  ]),
  [
    'a Heroku team that is none',
    app('{ mode: public }', `${OWN}\n    heroku: { team: "Acme Inc" }`),
    'halcyon.yaml:4:21  teams.payments.heroku.team: must be a Heroku team name as in its URL: lower-case letters, digits, hyphens and underscores, got "Acme Inc"',
  ],
  [
    'unknown credentials',
    app('{ mode: upload }', `${OWN}\n    credentials: perapp`),
    'halcyon.yaml:4:18  teams.payments.credentials: must be per-mode or per-app, got "perapp"; did you mean "per-app"?',
  ],

  [
    'an account that YAML reads as a number',
    placed('region: eu-west-1, account: 011122223333'),
    'halcyon.yaml:3:43  teams.payments.bucket.account: must be quoted, since YAML reads it as a number; write "011122223333"',
  ],
  [
    'an account too short',
    placed('region: eu-west-1, account: "1234"'),
    'halcyon.yaml:3:43  teams.payments.bucket.account: must be an AWS account id of 12 digits, got "1234"',
  ],
  [
    'neither account nor region',
    placed('acl: private'),
    'halcyon.yaml:3:5  teams.payments.bucket.account: is missing: the AWS account id, quoted, so that nothing is ever made in the wrong account',
    'halcyon.yaml:3:5  teams.payments.bucket.region: is missing: the AWS region of the bucket, such as eu-west-1',
  ],
  [
    'a region that AWS has not come to',
    placed('region: us-east-9, account: "111122223333"'),
    'halcyon.yaml:3:23  teams.payments.bucket.region: AWS has no region us-east-9; did you mean "us-east-1"?',
  ],
  [
    'a region with a typing error',
    placed('region: eu-wset-1, account: "111122223333"').replace('eu-wset-1', 'eu-wset1'),
    'halcyon.yaml:3:23  teams.payments.bucket.region: must be an AWS region such as eu-west-1, got "eu-wset1"; did you mean "eu-west-1"?',
  ],
  [
    'a region with capitals',
    placed('region: EU, account: "111122223333"'),
    'halcyon.yaml:3:23  teams.payments.bucket.region: must be an AWS region such as eu-west-1, got "EU"',
  ],
  [
    'an unknown ACL',
    bucket('acl: bucket-owner-fullcontrol'),
    'halcyon.yaml:3:64  teams.payments.bucket.acl: must be bucket-owner-full-control, private or public-read, got "bucket-owner-fullcontrol"; did you mean "bucket-owner-full-control"?',
  ],
  [
    'public-read by accident',
    bucket('acl: public-read'),
    'halcyon.yaml:3:64  teams.payments.bucket.acl: public-read lets anyone read every prebuilt package, and needs Block Public Access of ACLs switched off; add "allowPublicRead: true" if that is meant, else use bucket-owner-full-control',
  ],
  [
    'allowPublicRead without need',
    bucket('allowPublicRead: true'),
    'halcyon.yaml:3:59  teams.payments.bucket.allowPublicRead: goes with acl public-read only; remove it',
  ],
  [
    'a setting by another name',
    bucket('kmsKey: x'),
    'halcyon.yaml:3:59  teams.payments.bucket.kmsKey: is not known here; did you mean "kmsKeyArn"?',
  ],
  [
    'a setting out of its place',
    bucket('retain: false'),
    'halcyon.yaml:3:59  teams.payments.bucket.retain: is not known here; did you mean "retention: { retain }"?',
  ],
  [
    'a setting at the top',
    `endpoint: s3.example.com\n${app('{ mode: upload }')}`,
    'halcyon.yaml:1:1  endpoint: is not known here; it belongs to a bucket',
  ],
  [
    'a secret in the file',
    bucket('secretAccessKey: wJalrXUtnFEMI'),
    'halcyon.yaml:3:59  teams.payments.bucket.secretAccessKey: is not known here; keys and secrets never go into this file: the kit makes and keeps them',
  ],
  [
    'a KMS alias',
    bucket('kmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:alias/a"'),
    'halcyon.yaml:3:70  teams.payments.bucket.kmsKeyArn: must be the ARN of the key itself: policies do not follow an alias, got "arn:aws:kms:eu-west-1:111122223333:alias/a"',
  ],
  [
    'a KMS key id alone',
    bucket('kmsKeyArn: 0b1c-2d3e'),
    'halcyon.yaml:3:70  teams.payments.bucket.kmsKeyArn: must be the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID, got "0b1c-2d3e"',
  ],
  [
    'a KMS key of another region',
    bucket('kmsKeyArn: "arn:aws:kms:us-east-1:111122223333:key/0b1c-2d3e"'),
    'halcyon.yaml:3:70  teams.payments.bucket.kmsKeyArn: is in region us-east-1, but the bucket is in eu-west-1: S3 uses keys of its own region only',
  ],
  [
    'noncurrentDays without versions',
    bucket('retention: { noncurrentDays: 3 }'),
    'halcyon.yaml:3:72  teams.payments.bucket.retention.noncurrentDays: means nothing without versioning; add "versioning: true" to the bucket, "versioning: false" where it was on before, or remove it',
  ],
  [
    'no days',
    bucket('retention: { expireAfterDays: 0 }'),
    'halcyon.yaml:3:89  teams.payments.bucket.retention.expireAfterDays: must be at least 1, got 0',
  ],
  [
    'half a day',
    bucket('retention: { expireAfterDays: 1.5 }'),
    'halcyon.yaml:3:89  teams.payments.bucket.retention.expireAfterDays: must be a whole number, got 1.5',
  ],
  [
    'a number for a tag',
    bucket('tags: { cost-center: 0042 }'),
    'halcyon.yaml:3:80  teams.payments.bucket.tags.cost-center: must be quoted, since YAML reads it as a number; write "0042"',
  ],
  [
    'a tag of AWS’s',
    bucket('tags: { "aws:x": y }'),
    'halcyon.yaml:3:67  teams.payments.bucket.tags.aws:x: must not begin with "aws:", which is taken',
  ],
  [
    'a tag with a forbidden character',
    bucket('tags: { a: "b*" }'),
    'halcyon.yaml:3:70  teams.payments.bucket.tags.a: may have letters, digits, spaces and _ . : / = + - @ only',
  ],
  [
    'too many tags',
    bucket(`tags: { ${tags(37)} }`),
    'halcyon.yaml:3:59  teams.payments.bucket.tags: make 37 tags, and there is room for 35: AWS takes 50, and the kit adds up to 15',
  ],
  [
    'too many tags of a team and its bucket together',
    `${bucket(`tags: { ${tags(19)} }`)}    tags: { ${tags(19, 'u')} }\n`,
    'halcyon.yaml:3:59  teams.payments.bucket.tags: make 38 tags, and there is room for 35: AWS takes 50, and the kit adds up to 15',
  ],
  [
    'too many tags of a shared bucket',
    shared(sharing('search', 'shared: common')).replace('us-east-1', `us-east-1, tags: { ${tags(37)} }`),
    'halcyon.yaml:2:57  buckets.common.tags: make 37 tags, and there is room for 35: AWS takes 50, and the kit adds up to 15',
  ],
  [
    'tags that differ in case alone',
    bucket('tags: { cost: a, Cost: b }'),
    'halcyon.yaml:3:76  teams.payments.bucket.tags.Cost: is the same tag as "cost" to IAM, which ignores case',
  ],
  [
    'tags of a team and its bucket that differ in case alone',
    `${bucket('tags: { COST: a }')}    tags: { cost: a }\n`,
    'halcyon.yaml:3:67  teams.payments.bucket.tags.COST: is the same tag as "cost" to IAM, which ignores case',
  ],
  [
    'the kit’s own tag, in capitals',
    bucket('tags: { "HALCYON:team": y }'),
    'halcyon.yaml:3:67  teams.payments.bucket.tags.HALCYON:team: must not begin with "HALCYON:", which is taken',
  ],
  [
    'a value of AWS’s',
    bucket('tags: { a: "aws:x" }'),
    'halcyon.yaml:3:70  teams.payments.bucket.tags.a: must not begin with "aws:", which is taken',
  ],
  [
    'a tag’s value too long',
    bucket(`tags: { a: ${'v'.repeat(257)} }`),
    'halcyon.yaml:3:70  teams.payments.bucket.tags.a: must have at most 256 characters, not 257',
  ],
  ...(
    [
      ['https://s3.eu-west-1.amazonaws.com', 'must be a host without scheme (Halcyon always uses https), so without "https://"'],
      ['s3.eu-west-1.amazonaws.com/bucket', 'must be a host without path'],
      ['s3 amazonaws', 'must be a host such as s3.eu-west-1.amazonaws.com, or host:port'],
      ['localhost:99999', 'must be a host such as s3.eu-west-1.amazonaws.com, or host:port'],
    ] as const
  ).map(([endpoint, message]): [string, string, string] => [
    `endpoint ${endpoint}`,
    bucket(`endpoint: "${endpoint}"`),
    `halcyon.yaml:3:69  teams.payments.bucket.endpoint: ${message}, got "${endpoint}"`,
  ]),
  ...(
    [
      ['s3.us-east-2.amazonaws.com', 'us-east-2'],
      ['s3-us-west-2.amazonaws.com', 'us-west-2'],
      ['s3.dualstack.eu-west-2.amazonaws.com', 'eu-west-2'],
      ['s3.amazonaws.com', 'us-east-1'],
    ] as const
  ).map(([endpoint, region]): [string, string, string] => [
    `the endpoint of another region, ${endpoint}`,
    bucket(`endpoint: ${endpoint}`),
    `halcyon.yaml:3:69  teams.payments.bucket.endpoint: is in region ${region}, but the bucket is in eu-west-1: S3 would answer every request with a redirect; remove it: the regional endpoint is the default`,
  ]),
  ...(
    [
      ['ab', 'it must have 3 to 63 characters, not 2'],
      ['a'.repeat(64), 'it must have 3 to 63 characters, not 64'],
      ['My-Bucket', 'only lower-case letters, digits, hyphens and dots are allowed'],
      ['my_bucket', 'only lower-case letters, digits, hyphens and dots are allowed'],
      ['-bucket', 'it must begin and end with a letter or a digit'],
      ['bucket.', 'it must begin and end with a letter or a digit'],
      ['my..bucket', 'two dots may not be adjacent'],
      ['192.168.5.4', 'it must not look like an IP address'],
      ['xn--bucket', 'it must not begin with "xn--", which is AWS\'s own'],
      ['sthree-bucket', 'it must not begin with "sthree-", which is AWS\'s own'],
      ['amzn-s3-demo-bucket', 'it must not begin with "amzn-s3-demo-", which is AWS\'s own'],
      ['bucket-s3alias', 'it must not end with "-s3alias", which is AWS\'s own'],
      ['bucket--ol-s3', 'it must not end with "--ol-s3", which is AWS\'s own'],
      ['bucket.mrap', 'it must not end with ".mrap", which is AWS\'s own'],
      ['bucket--x-s3', 'it must not end with "--x-s3", which is AWS\'s own'],
      ['bucket--table-s3', 'it must not end with "--table-s3", which is AWS\'s own'],
      ['bucket/prefix', 'a prefix goes into "prefix"'],
    ] as const
  ).map(([name, why]): [string, string, string] => [
    `bucket name ${name}`,
    bucket(`name: "${name}"`),
    `halcyon.yaml:3:65  teams.payments.bucket.name: is not a bucket name: ${why}, got "${name}"`,
  ]),
  ...[' ', '+', '%', '?', '#', '&', ':', '*', '[', ']', '^', '$', '|', '(', ')', '{', '}', '~', '=', '@', 'é', "'"].map(
    (character): [string, string, string] => [
      `prefix with ${character}`,
      bucket(`prefix: "a${character}b"`),
      `halcyon.yaml:3:67  teams.payments.bucket.prefix: must be letters, digits, ".", "_", "-" and "/" only, since Halcyon does not encode URLs; not "${character}", got "a${character}b"`,
    ],
  ),
  ...(
    [
      ['/a', 'must not begin or end with a slash, got "/a"'],
      ['a/', 'must not begin or end with a slash, got "a/"'],
      ['a//b', 'must not have two slashes in a row, got "a//b"'],
      ['a/../b', 'must not have "." or ".." between slashes, got "a/../b"'],
      ['', 'must not be empty; leave "prefix" out to use the whole bucket'],
      ['a'.repeat(129), 'must have at most 128 characters, not 129'],
      ['.halcyon-kit/x', 'must not be under ".halcyon-kit", where the kit keeps its own objects'],
    ] as const
  ).map(([prefix, message]): [string, string, string] => [
    `prefix "${prefix}"`,
    bucket(`prefix: "${prefix}"`),
    `halcyon.yaml:3:67  teams.payments.bucket.prefix: ${message}`,
  ]),

  [
    'a shared bucket that is not there',
    shared(sharing('search', 'shared: comon')),
    'halcyon.yaml:5:23  teams.search.bucket.shared: is not under "buckets": "comon"; did you mean "common"?',
  ],
  [
    'a shared bucket and none at all',
    `teams:\n${sharing('search', 'shared: common')}`,
    'halcyon.yaml:3:23  teams.search.bucket.shared: is not under "buckets": "common"; add "buckets" with it',
  ],
  [
    'a shared bucket with settings of its own',
    shared(sharing('search', 'shared: common, region: us-east-1')),
    'halcyon.yaml:5:31  teams.search.bucket.region: is not known here; it does not go with this kind of bucket: a shared bucket is described under "buckets", an existing one is left as it is',
  ],
  [
    'a shared bucket with a prefix',
    'buckets:\n  common: { account: "111122223333", region: us-east-1, prefix: a }\n',
    'halcyon.yaml:2:57  buckets.common.prefix: is not known here; a shared bucket has no such setting: it is each team’s',
  ],
  [
    'versioning of an existing bucket',
    placed('existing: acme, region: eu-west-1, account: "111122223333", versioning: true'),
    'halcyon.yaml:3:75  teams.payments.bucket.versioning: is not known here; it does not go with this kind of bucket: a shared bucket is described under "buckets", an existing one is left as it is',
  ],
  [
    'one prefix twice',
    shared(sharing('search', 'shared: common, prefix: a') + sharing('maps', 'shared: common, prefix: a')),
    'halcyon.yaml:8:39  teams.maps.bucket.prefix: overlaps with team search: prefix a and prefix a of one bucket; give each team a prefix of its own, none inside another',
  ],
  [
    'a prefix in a prefix',
    shared(sharing('search', 'shared: common, prefix: a/b') + sharing('maps', 'shared: common, prefix: a')),
    'halcyon.yaml:8:39  teams.maps.bucket.prefix: overlaps with team search: prefix a and prefix a/b of one bucket; give each team a prefix of its own, none inside another',
  ],
  [
    'a team without a prefix beside one with',
    shared(sharing('search', 'shared: common, prefix: a') + sharing('maps', 'shared: common')),
    'halcyon.yaml:8:5  teams.maps.bucket: overlaps with team search: the whole bucket and prefix a of one bucket; add "prefix: maps"',
  ],
  [
    'two teams in one existing bucket',
    `teams:\n${sharing('search', 'existing: acme, account: "111122223333", region: us-east-1')}${sharing('maps', 'existing: acme, account: "111122223333", region: us-east-1')}`,
    'halcyon.yaml:6:5  teams.maps.bucket: overlaps with team search: the whole bucket and the whole bucket of one bucket; add "prefix: maps"',
  ],
  [
    'one name for two buckets',
    shared(sharing('common', 'account: "111122223333", region: us-east-1')),
    'halcyon.yaml:5:5  teams.common.bucket: is the same bucket, halcyon-common-111122223333-us-east-1, as buckets.common; give one of them another "name"',
  ],
  [
    'a bucket of ours as existing',
    shared(sharing('search', 'existing: halcyon-common-111122223333-us-east-1, account: "111122223333", region: us-east-1')),
    'halcyon.yaml:5:25  teams.search.bucket.existing: is made here, by buckets.common; use "shared: common"',
  ],
  [
    'another team’s bucket as existing',
    `teams:\n${sharing('search', 'account: "111122223333", region: us-east-1')}${sharing('maps', 'existing: halcyon-search-111122223333-us-east-1, account: "111122223333", region: us-east-1')}`,
    'halcyon.yaml:6:25  teams.maps.bucket.existing: is made here, by teams.search.bucket; move it to "buckets" to share it',
  ],
  [
    'a bucket that is no mapping',
    app('{ mode: upload }', 'bucket: my-bucket'),
    'halcyon.yaml:3:13  teams.payments.bucket: must be a mapping of names to values, got "my-bucket"',
  ],

  ['an unknown signature version', signing('version: 3'), 'halcyon.yaml:6:21  signing.version: must be 2 or 4, got 3'],
  ['a quoted signature version', signing('version: "4"'), 'halcyon.yaml:6:21  signing.version: must be 2 or 4, got "4"; did you mean "4"?'],
  [
    'version 2 without acknowledgement',
    signing('version: 2'),
    'halcyon.yaml:6:21  signing.version: must be 4 unless the buckets are known to accept version 2: buckets made since June 2020 may not; add "acknowledgeV2: true" if they do, else use version 4',
  ],
  [
    'a former name that another team has',
    `${app('{ mode: upload }')}  billing:\n    was: payments\n    ${OWN.replace('eu-west-1', 'eu-west-2')}\n    apps: { billing-web: { mode: upload } }\n`,
    'halcyon.yaml:7:10  teams.billing.was: is a team of this file: "payments"; remove it here or there',
  ],
  [
    'a former name that two teams have',
    shared(
      `${sharing('one', 'shared: common, prefix: one').replace('    bucket', '    was: old\n    bucket')}${sharing('two', 'shared: common, prefix: two').replace('    bucket', '    was: old\n    bucket')}`,
    ),
    'halcyon.yaml:9:10  teams.two.was: is what team one was: "old"; remove it here or there',
  ],
  [
    'a former name that no team can have',
    app('{ mode: upload }', `was: buildpack\n    ${OWN}`),
    'halcyon.yaml:3:10  teams.payments.was: must not be "buildpack", which is for the stack that serves the buildpack',
  ],
  [
    'a deployment that is no name',
    `deployment: Acme\n${app('{ mode: upload }')}`,
    'halcyon.yaml:1:13  deployment: must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen, got "Acme"',
  ],
  [
    'version 2 where it is not known',
    signing('version: 2, acknowledgeV2: true', 'eu-central-1'),
    'halcyon.yaml:3:23  teams.payments.bucket.region: eu-central-1 does not accept signature version 2; use signing version 4, or one of us-east-1, us-west-1, us-west-2, eu-west-1, ap-northeast-1, ap-southeast-1, ap-southeast-2, sa-east-1, us-gov-west-1, us-gov-east-1',
  ],
  [
    'version 2 with a KMS key',
    signing('version: 2, acknowledgeV2: true', 'eu-west-1', ', kmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/0b1c"'),
    'halcyon.yaml:3:59  teams.payments.bucket.kmsKeyArn: needs signature version 4: S3 refuses version 2 for objects under a KMS key; use signing version 4, or leave the key out',
  ],
  [
    'version 2 with a buildpack',
    signing('version: 2, acknowledgeV2: true, buildpack: hosted'),
    'halcyon.yaml:6:45  signing.buildpack: goes with version 4 only: version 2 is what Halcyon does by itself; remove it, or say "version: 4"',
  ],
  [
    'a region for a buildpack that is not hosted',
    signing('buildpack: "https://example.com/a.tgz", region: eu-west-1'),
    'halcyon.yaml:6:52  signing.region: goes with a hosted buildpack only; remove it',
  ],
  [
    'a region for a buildpack that is none of AWS’s',
    signing('region: eu-west'),
    'halcyon.yaml:6:20  signing.region: must be an AWS region such as eu-west-1, got "eu-west"; did you mean "eu-west-1"?',
  ],
  [
    'an acknowledgement without need',
    signing('acknowledgeV2: true'),
    'halcyon.yaml:6:12  signing.acknowledgeV2: goes with version 2 only; remove it, or say "version: 2"',
  ],
  [
    'a buildpack that is no URL',
    signing('buildpack: acme/sigv4'),
    'halcyon.yaml:6:23  signing.buildpack: must be "hosted" or a URL, https://…, got "acme/sigv4"',
  ],
  [
    'a buildpack in the clear',
    signing('buildpack: "http://example.com/a.tgz"'),
    'halcyon.yaml:6:23  signing.buildpack: must be "hosted" or an https URL, got "http://example.com/a.tgz"',
  ],
  [
    'a URL with a password',
    `${app('{ mode: upload }')}buildpack: { url: "https://me:hunter22@example.com/a" }\n`,
    'halcyon.yaml:6:19  buildpack.url: must be a URL without user name and password, since it is shown in every build log',
  ],
  [
    'more users than a stack holds',
    `teams:\n  payments:\n    ${OWN}\n    credentials: per-app\n    apps:\n${apps(246, 'payments')}`,
    'halcyon.yaml:4:18  teams.payments.credentials: makes 246 users, and a CloudFormation stack has room for 245; use per-mode, or split the team',
  ],
  [
    'more tags on more users than a template holds',
    `teams:\n  payments:\n    ${OWN}\n    credentials: per-app\n    tags: { ${tags(30).replaceAll(': a', `: ${'é'.repeat(20)}`)} }\n    apps:\n${apps(245, 'payments')}`,
    'halcyon.yaml:4:18  teams.payments.credentials: makes a template of 1943892 bytes with 245 users and 30 tags on each, and CloudFormation takes 1000000; use per-mode, fewer or shorter tags, or split the team',
  ],
  [
    'more users than an account holds',
    shared(
      Array.from(
        { length: 31 },
        (_, i) => `  team-${i}:\n    bucket: { shared: common, prefix: p${i} }\n    credentials: per-app\n    apps:\n${apps(162, `t${i}`)}`,
      ).join(''),
    ),
    'halcyon.yaml:3:1  teams: make 5022 users in account 111122223333, and IAM has room for 5000; use credentials: per-mode',
  ],
];

describe('a mistake is refused with where it is, what is wrong and what would be right', () => {
  test.each(MISTAKES)('%s', (_, text, ...lines) => {
    expect(problems(text)).toEqual(lines);
  });

  test.each(MISTAKES)('%s: the position is that of its key or value, or of the mapping that lacks it', (_, text) => {
    for (const { path, line, column } of refusal(text).details?.problems as Problem[]) {
      const row = text.split('\n')[line - 1] ?? '';
      const keys = path.match(/(aws:x|[^.]+)/g)?.slice(-2) ?? [];
      const here = row.slice(column - 1).replace(/^"/, '');
      const before = row.slice(0, column - 1).trimEnd();
      // An item of a list has no key.
      const item = /^\d+$/.test(keys.at(-1) ?? '') && before.endsWith('-');
      expect(item || path === '' || keys.some((key) => here.startsWith(`${key}`) || before.endsWith(`${key}:`))).toBe(true);
    }
  });
});

describe('all mistakes at once', () => {
  test('of shape and of rules together, in the order of the file', () => {
    const text = `buckets:
  common: { account: 111122223333, region: us-east-1, acl: public-read }
teams:
  search:
    bucket: { shared: comon, prefix: "a b" }
    apps:
      search-web: { mode: readonly, cleen: true }
      search-api: { mode: read-only, clean: false }
  maps:
    apps:
      search-api: { mode: upload }
`;
    const { details, message } = refusal(text);
    const found = details?.problems as Problem[];
    expect(found.map(({ path, line, column }) => `${line}:${column} ${path}`)).toEqual([
      '2:22 buckets.common.account',
      '2:60 buckets.common.acl',
      '5:23 teams.search.bucket.shared',
      '5:38 teams.search.bucket.prefix',
      '7:27 teams.search.apps.search-web.mode',
      '7:37 teams.search.apps.search-web.cleen',
      '8:38 teams.search.apps.search-api.clean',
      '9:3 teams.maps',
      '11:7 teams.maps.apps.search-api',
    ]);
    expect(message.split('\n')[0]).toBe('9 problems in halcyon.yaml');
  });

  test('what is wrong with a value is said once', () => {
    expect(problems(placed('region: Nowhere, account: 12')).map((line) => line.split('  ')[1]?.split(':')[0])).toEqual([
      'teams.payments.bucket.region',
      'teams.payments.bucket.account',
    ]);
  });

  test('positions hold behind an alias', () => {
    const text = `teams:\n  search:\n    apps:\n      search-web: &a { mode: upl }\n      search-api: *a\n`;
    expect(problems(text)).toEqual([
      'halcyon.yaml:4:30  teams.search.apps.search-web.mode: must be public, read-only or upload, got "upl"; did you mean "upload"?',
      'halcyon.yaml:4:30  teams.search.apps.search-api.mode: must be public, read-only or upload, got "upl"; did you mean "upload"?',
    ]);
  });

  test('an alias bomb is refused', () => {
    const text = `a0: &a0 [x]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`).join('\n')}\nteams: *a9\n`;
    expect(problems(text)).toEqual(['halcyon.yaml:7:9  its aliases make it too large; write less of it by aliases']);
  });

  test('one long value in ten thousand places is an alias bomb as well', () => {
    const text = `tags: &a { a: &long ${'x'.repeat(10_000)} }\nlist: [${Array(10_000).fill('*long').join(', ')}]\nteams: {}\n`;
    expect(problems(text)).toEqual([expect.stringContaining('its aliases make it too large')]);
  });

  test('an alias inside of what it names is named', () => {
    expect(problems('teams: &all\n  payments: *all\n')).toEqual([
      'halcyon.yaml:2:13  *all stands inside of what it names, so it would never end; write it out',
    ]);
  });

  test('an alias of nothing is named', () => {
    expect(problems('teams: *none\n')).toEqual(['halcyon.yaml:1:8  *none names nothing: there is no &none before it']);
  });

  test.each([101, 100_000])('brackets %i deep are one mistake, not a stack overflow', (deep) => {
    expect(problems(`teams: ${'['.repeat(deep)}${']'.repeat(deep)}\n`).join('\n')).toContain('is nested too deeply');
  });

  test('an alias may be used as often as there are apps', () => {
    const text = app(`&up { mode: upload }\n${Array.from({ length: 500 }, (_, i) => `      app-${i}: *up`).join('\n')}`);
    expect(parseConfig(text).teams[0]?.apps).toHaveLength(501);
  });

  test.each([
    ['a region', (long: string) => placed(`region: ${long}, account: "111122223333"`)],
    ['an endpoint', (long: string) => bucket(`endpoint: "${long}"`)],
    ['a mode', (long: string) => app(`{ mode: ${long} }`)],
    ['a shared bucket', (long: string) => app('{ mode: upload }', `bucket: { shared: ${long} }`)],
    ['an unknown key', (long: string) => app(`{ mode: public, ? ${long} : 1 }`)],
    ['an app', (long: string) => `teams:\n  payments:\n    apps: { ? ${long} : { mode: public } }\n`],
  ])('%s of a million characters is refused without repeating it', (_, text) => {
    const { message, details } = refusal(text('x1'.repeat(500_000)));
    expect(message.length).toBeLessThan(2_000);
    expect(JSON.stringify(details).length).toBeLessThan(4_000);
  });

  test('of very many problems the first are printed, all are told', () => {
    const { message, details } = refusal(
      app(`{ mode: upload }\n${Array.from({ length: 1_000 }, (_, i) => `      app-${i}: 1`).join('\n')}`),
    );
    expect(message).toMatch(/^1000 problems in halcyon.yaml\n/);
    expect(message.split('\n').at(-1)).toBe('… and 800 more');
    expect(details?.problems).toHaveLength(1_000);
  });

  test('a value that is refused never repeats a secret given under an unknown key', () => {
    expect(refusal(bucket('secretAccessKey: wJalrXUtnFEMIcanary')).message).not.toContain('wJalrXUtnFEMIcanary');
  });
});
