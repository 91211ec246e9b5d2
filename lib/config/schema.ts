import { z } from 'zod';
import { ACLS, MODES } from '../contract/index.js';
import * as names from './names.js';

/** Of any name: what is longer takes long to look at. */
const LONGEST = 2048;

/**
 * What a name in halcyon.yaml may be: `explain` refuses it, in words of its own, and `pattern` tells editors, by the JSON Schema.
 * Names that are keys (`keyed`) are refused in `rules/` instead, so that what stands under a bad name is still looked at.
 */
const named = (explain: names.Explain, pattern: RegExp, description: string) =>
  z
    .string()
    .check((context) => {
      const message = context.value.length > LONGEST ? `must have at most ${LONGEST} characters` : explain(context.value);
      if (message !== undefined) context.issues.push({ code: 'custom', message, input: context.value, continue: true });
    })
    .meta({ pattern: pattern.source, description });

const keyed = (pattern: RegExp, what: string) => z.string().meta({ pattern: pattern.source, description: what });

const prefix = named(
  names.explainPrefix,
  names.PREFIX_PATTERN,
  'Part of the bucket that the team is confined to, without slashes at its ends. Default: the whole bucket',
);
const acl = z
  .enum(ACLS)
  .describe(
    'HALCYON_S3_ACL: ACL of every upload. Default bucket-owner-full-control; private and public-read make a bucket with ACLs enabled',
  );
const allowPublicRead = z.boolean().describe('Required with acl public-read: every prebuilt package becomes readable by anyone');
const tags = z.record(z.string(), z.string()).describe('Tags on everything that is made in AWS');
const days = (description: string) => z.int().min(1).max(36_500).describe(description);
const publicStorage = z
  .enum(['never', 'fallback'])
  .describe('Whether builds in mode upload may fall back to the public packages. Default never');

const place = {
  account: named(names.explainAccount, names.ACCOUNT_PATTERN, 'AWS account id, quoted: nothing is ever done in another account'),
  region: named(names.explainRegion, names.REGION_PATTERN, 'AWS region of the bucket'),
};
const reach = {
  acl: acl.optional(),
  allowPublicRead: allowPublicRead.optional(),
  kmsKeyArn: named(names.explainKmsKey, names.KMS_KEY_PATTERN, 'ARN of a KMS key in the same region (SSE-KMS). Default: SSE-S3').optional(),
  endpoint: named(
    names.explainEndpoint,
    names.ENDPOINT_PATTERN,
    'HALCYON_S3_ENDPOINT: host or host:port, without scheme. Default: the region’s own',
  ).optional(),
};
const retention = z.strictObject({
  retain: z.boolean().describe('Keep the bucket when its stack is deleted. Default true').optional(),
  expireAfterDays: days('Delete packages this many days after they were uploaded. Default: never').optional(),
  noncurrentDays: days(
    'Keep overwritten and deleted packages for this many days, also once versioning is off again. Default 30',
  ).optional(),
});
const made = {
  ...place,
  name: named(names.explainBucket, names.BUCKET_PATTERN, 'Bucket name. Default halcyon-NAME-ACCOUNT-REGION').optional(),
  ...reach,
  versioning: z.boolean().describe('Keep overwritten and deleted packages. Default false').optional(),
  retention: retention.describe('How long things are kept').optional(),
  tags: tags.optional(),
};

const sharedBucket = z.strictObject(made);
const ownBucket = z.strictObject({ ...made, prefix: prefix.optional() }).describe('A bucket of the team’s own, made in its stack');
const sharedUse = z
  .strictObject({ shared: z.string().describe('Name of a bucket under "buckets"'), prefix: prefix.optional() })
  .describe('A shared bucket');
const existingBucket = z
  .strictObject({
    existing: named(names.explainBucket, names.BUCKET_PATTERN, 'Name of a bucket that is there already and is left as it is'),
    ...place,
    prefix: prefix.optional(),
    ...reach,
  })
  .describe('A bucket that is there already');

const app = z.strictObject({
  mode: z
    .enum(MODES)
    .describe('public: no private bucket; read-only: a private bucket, never written; upload: prebuilt packages are archived in it'),
  clean: z.boolean().describe('Only with mode upload. false: append-only, the key may not delete. Default true').optional(),
  publicStorage: publicStorage.optional(),
  canary: z.boolean().describe('First in a rotation, and smoke-tested on the new key. At most one a team').optional(),
});

const { canary: _, ...held } = app.shape;
const stage = z.strictObject(held);
const pipeline = z.strictObject({
  review: stage.describe('Config vars of review apps: those that are there, and, by the pipeline, those that will be').optional(),
  test: stage.describe('Config vars of Heroku CI’s test runs').optional(),
});

const heroku = z.strictObject({
  team: named(
    names.explainHerokuTeam,
    names.HEROKU_TEAM_PATTERN,
    'Heroku team that the apps must belong to. Default: it is not checked',
  ).optional(),
  tokenFrom: named(
    names.explainVariable,
    names.VARIABLE_PATTERN,
    'Environment variable with the API token of the account that the apps are on. Default: HEROKU_API_KEY, or ~/.netrc',
  ).optional(),
});

const team = z.strictObject({
  bucket: z
    .union([ownBucket, sharedUse, existingBucket])
    .describe('Where the team’s packages live: a bucket of its own, a shared one, or an existing one. Needed unless every app is public')
    .optional(),
  heroku: heroku.describe('Heroku settings').optional(),
  credentials: z.enum(['per-mode', 'per-app']).describe('One IAM user a mode and team, or one an app. Default per-mode').optional(),
  publicStorage: publicStorage.optional(),
  was: named(
    names.explainTeam,
    names.OWNER_PATTERN,
    'Name that the team had before: its default bucket name stays that one’s, and its apps move to new users',
  ).optional(),
  packages: z
    .enum(['follow', 'leave'])
    .describe('Whether packages are copied along when the storage moves (bucket, prefix, region). Default follow')
    .optional(),
  tags: tags.optional(),
  apps: z.record(keyed(names.APP_PATTERN, 'Heroku app'), app).describe('Heroku apps by name'),
  pipelines: z
    .record(keyed(names.PIPELINE_PATTERN, 'Heroku pipeline'), pipeline)
    .describe('Heroku pipelines by name: what their review apps and test runs get')
    .optional(),
});

const url = (description: string) => named(names.explainUrl, /^(https|file|http):\/\/.+$/, description);

const signing = z.strictObject({
  version: z
    .literal([2, 4])
    .describe(
      'Signature version of Halcyon’s requests to S3: 4 by the SigV4 buildpack (default), or 2, which old buckets in old regions accept',
    )
    .optional(),
  buildpack: named(
    names.explainBuildpack,
    /^(hosted|(https|file|http):\/\/.+)$/,
    'With version 4: URL of the SigV4 buildpack (git or .tgz), or hosted: a stack of the kit’s serves it. Default hosted',
  ).optional(),
  region: named(
    names.explainRegion,
    names.REGION_PATTERN,
    'With a hosted buildpack: AWS region that serves it. Default: the one that does already, else that of the first bucket',
  ).optional(),
  acknowledgeV2: z.boolean().describe('With version 2: the buckets are known to accept it').optional(),
});

const buildpack = z.strictObject({
  install: z.boolean().describe('Add haskell-on-heroku to apps that lack it. Default false: they are reported').optional(),
  url: url('URL of haskell-on-heroku. Default https://github.com/mietek/haskell-on-heroku').optional(),
  halcyonUrl: url('HALCYON_URL, for a fork').optional(),
  bashmenotUrl: url('BASHMENOT_URL, for a fork').optional(),
});

const variable = (description: string) => named(names.explainVariable, names.VARIABLE_PATTERN, description).optional();
const notify = z
  .strictObject({
    sns: named(names.explainTopic, names.TOPIC_PATTERN, 'ARN of an SNS topic').optional(),
    webhook: url('URL that messages are sent to, signed').optional(),
    webhookFrom: variable('Environment variable that holds the URL, where that is a secret, as a chat’s is'),
    format: z
      .enum(['json', 'slack'])
      .describe('json: the entry of the journal; slack: a text, as incoming webhooks of Slack take it')
      .optional(),
    secretFrom: variable('Environment variable that holds the secret which messages are signed with (HMAC-SHA256)'),
  })
  .refine(({ sns, webhook, webhookFrom }) => sns ?? webhook ?? webhookFrom, 'must name one of sns, webhook, webhookFrom');

export const fileSchema = z
  .strictObject({
    deployment: named(
      names.explainOwner,
      names.OWNER_PATTERN,
      'Name of what this file makes: files of different names share an account and leave each other’s teams alone. Default halcyon',
    ).optional(),
    buckets: z
      .record(keyed(names.OWNER_PATTERN, 'Name of a shared bucket'), sharedBucket)
      .describe('Shared buckets, each a stack: halcyon-bucket-NAME')
      .optional(),
    teams: z.record(keyed(names.OWNER_PATTERN, 'Name of a team'), team).describe('Teams, each a stack: halcyon-TEAM').optional(),
    signing: signing.describe('How requests to S3 are signed').optional(),
    permissionsBoundary: named(
      names.explainBoundary,
      names.BOUNDARY_PATTERN,
      'Name of the managed policy that bounds every IAM user of the kit, in each account. Default: none',
    ).optional(),
    buildpack: buildpack.describe('How apps get haskell-on-heroku').optional(),
    notify: z.array(notify).describe('Who is told what runs did: SNS topics and webhooks').optional(),
  })
  .meta({ title: 'halcyon.yaml', description: 'Private S3 buckets for Haskell on Heroku' });

/** Every key that is known, by the kind of mapping it stands in; `''` is the top of the file. */
export const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(fileSchema.shape),
  bucket: Object.keys({ ...ownBucket.shape, ...sharedUse.shape, ...existingBucket.shape }),
  retention: Object.keys(retention.shape),
  team: Object.keys(team.shape),
  heroku: Object.keys(heroku.shape),
  app: Object.keys(app.shape),
  pipeline: Object.keys(pipeline.shape),
  stage: Object.keys(stage.shape),
  signing: Object.keys(signing.shape),
  buildpack: Object.keys(buildpack.shape),
  notify: Object.keys(notify.shape),
};

/** halcyon.yaml as written, once its shape is right. */
export type FileShape = z.infer<typeof fileSchema>;
/** Every setting that any kind of bucket has. */
export type BucketShape = z.infer<typeof ownBucket> & z.infer<typeof sharedUse> & z.infer<typeof existingBucket>;

/** The options of a team's bucket in the order of the union, by the key that tells them apart. */
export const bucketVariant = (bucket: unknown): number => {
  if (typeof bucket !== 'object' || bucket === null) return 0;
  return 'shared' in bucket ? 1 : 'existing' in bucket ? 2 : 0;
};

/** JSON Schema (draft 7, which every YAML editor knows). @internal */
export const jsonSchema = (): Record<string, unknown> => z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-7' });

/** schema/halcyon.schema.json. */
export const schemaText = (): string => `${JSON.stringify(jsonSchema(), null, 2)}\n`;
