import { z } from 'zod';
import { access, acl, event, intent, mode, observation, outcome, plan, teamPlan, time } from './engine.js';
import { adopted, causes, credentials, explained, prebuilt, proof, stock } from './people.js';

/**
 * What `--json` of each command prints: one shape each, which schema/output/ is made from by `npm run schema`. Strict: what is not named here is
 * not printed. A change that a reader could trip over gets a new number.
 */

const text = z.string();
const many = z.array(text);

const environment = z.strictObject({ account: text, region: text });
const bucketSpec = {
  ...{ name: text, account: text, region: text, acl, allowPublicRead: z.boolean(), versioning: z.boolean(), kmsKeyArn: text.optional() },
  retention: z.strictObject({ retain: z.boolean(), expireAfterDays: z.int().optional(), noncurrentDays: z.int() }),
  ...{ tags: z.record(text, text), endpoint: text.optional() },
};
const publicStorage = z.enum(['never', 'fallback']);

const holders = z.array(z.strictObject({ name: text, mode, clean: z.boolean(), publicStorage, canary: z.boolean() }));

const config = z.strictObject({
  ...{ file: text.optional(), deployment: text, buckets: z.array(z.strictObject({ ...bucketSpec, id: text })) },
  teams: z.array(
    z.strictObject({
      ...{ name: text, was: text.optional(), deployment: text.optional() },
      bucket: z
        .strictObject({
          ...{
            kind: z.enum(['own', 'shared', 'existing']),
            shared: text.optional(),
            spec: z.strictObject(bucketSpec),
            prefix: text.optional(),
          },
        })
        .optional(),
      ...{ heroku: z.strictObject({ team: text.optional() }), credentials: z.enum(['per-mode', 'per-app']), publicStorage },
      ...{ packages: z.enum(['follow', 'leave']).optional(), tags: z.record(text, text) },
      ...{ apps: holders, stages: holders.optional() },
    }),
  ),
  signing: z.strictObject({
    ...{ version: z.union([z.literal(2), z.literal(4)]), buildpack: text.optional(), region: text.optional(), acknowledgeV2: z.boolean() },
  }),
  buildpack: z.strictObject({ install: z.boolean(), url: text, halcyonUrl: text.optional(), bashmenotUrl: text.optional() }),
  permissionsBoundary: text.optional(),
  notify: z
    .array(
      z.strictObject({
        ...{ sns: text.optional(), webhook: text.optional(), webhookFrom: text.optional(), secretFrom: text.optional() },
        format: z.enum(['json', 'slack']).optional(),
      }),
    )
    .optional(),
});

const finding = z.strictObject({
  ...{ name: text, severity: z.enum(['broken', 'warning', 'info']), subject: text, message: text, looksLike: text, fix: text },
});

const reach = z.strictObject({ region: text, bucketName: text, prefix: text.optional(), acl });
const left = z.strictObject({
  ...{ account: text, unread: text.optional() },
  teams: z.array(z.strictObject({ team: text, users: many, reach: reach.optional(), renamed: text.optional() })),
  stacks: z.array(z.strictObject({ name: text, region: text, team: text.optional(), bucketName: text.optional() })),
  buckets: z.array(z.strictObject({ name: text, region: text, team: text.optional() })),
});

const stacks = z.array(
  z.strictObject({
    stack: text,
    changes: z.array(
      z.strictObject({
        ...{ action: z.enum(['create', 'update', 'replace', 'delete']), type: text, logicalId: text, name: text.optional() },
        ...{ properties: many.optional(), stays: z.boolean().optional(), digest: text.optional() },
      }),
    ),
    statements: z
      .array(
        z.strictObject({
          ...{ action: z.enum(['add', 'remove']), effect: text, actions: text, resource: text, principal: text, condition: text },
        }),
      )
      .optional(),
    ...{ isNew: z.literal(true).optional(), failed: text.optional() },
  }),
);
const buildpacks = z.array(
  z.strictObject({
    app: text,
    plan: z.strictObject({
      urls: many,
      changes: z.array(
        z.strictObject({ action: z.enum(['add', 'replace', 'move', 'remove']), url: text, from: text.optional(), reason: text }),
      ),
      problem: text.optional(),
    }),
    ...{ forks: z.record(text, text), refused: text.optional() },
  }),
);
const downPlan = {
  teams: z.array(z.strictObject({ team: text, plan })),
  stacks: z.array(z.strictObject({ name: text, region: text, keep: z.boolean() })),
};
const preview = {
  ...{ stacks, teams: z.array(teamPlan), buildpacks, left, changes: z.boolean(), blocked: z.boolean() },
  onV2: z.array(
    z.strictObject({
      bucket: text,
      apps: z.array(z.strictObject({ app: text, team: text, why: z.enum(['no-buildpack', 'building', 'unreadable']) })),
    }),
  ),
  formerAcls: z.array(z.strictObject({ bucket: text, acl, users: z.array(z.strictObject({ name: text, team: text })) })),
};

const smokeReport = z.strictObject({
  ...{ team: text, mode, access: access.optional(), app: text, ok: z.boolean(), proofs: z.array(proof) },
  causes,
  evidence: z.strictObject({
    ...{ smokeApp: text, stack: text, platform: text, buildpacks: many, bucket: text.optional(), endpoint: text.optional() },
    ...{ signing: z.union([z.literal(2), z.literal(4)]), keyId: text.optional(), startedAt: time, finishedAt: time },
    builds: z.array(z.strictObject({ id: text, status: text, release: z.int().optional(), log: many })),
    ...{ dyno: many, leftovers: many },
  }),
});

const outcomes = z.array(outcome);
const takenDown = z.strictObject({
  ...{ outcomes, destroyed: many.optional(), deletedBuckets: many.optional(), keptBuckets: many.optional() },
});
const upPreview = z.strictObject({
  ...preview,
  prove: z.array(z.strictObject({ team: text, modes: z.array(mode) })).optional(),
  prune: z.strictObject({ ...downPlan, buildpacks, buckets: z.array(z.unknown()), kept: z.array(z.unknown()) }).optional(),
});

const statements = z.array(
  z.strictObject({
    ...{ Sid: text.optional(), Effect: z.enum(['Allow', 'Deny']), Principal: z.literal('*').optional() },
    ...{ Action: many.optional(), NotAction: many.optional(), Resource: many },
    Condition: z.record(text, z.record(text, z.union([text, many]))).optional(),
  }),
);
const policy = z.strictObject({ Version: z.literal('2012-10-17'), Statement: statements });

const place = z.strictObject({ name: text, region: text });
const amount = { files: z.int(), bytes: z.int() };
const kept = z.strictObject({
  ...{ bucket: text, place: text, unknown: many.optional() },
  kinds: z.array(
    z.strictObject({
      ...{ kind: z.enum(['ghc', 'cabal', 'sandbox', 'build', 'install', 'original']), ...amount, oldest: time, newest: time },
      unasked: z.strictObject(amount).optional(),
    }),
  ),
});
const proven = z.strictObject({ at: time, ok: z.boolean(), due: z.array(mode).optional() });

/** By command, and the number of its shape. */
export const OUTPUTS = {
  init: [1, z.strictObject({ file: text, text, written: z.boolean() })],
  adopt: [1, adopted],
  explain: [1, explained],
  creds: [1, credentials],
  packages: [1, stock],
  prebuild: [1, prebuilt],
  validate: [1, config],
  policy: [1, z.union([policy, z.record(text, policy)])],
  plan: [1, upPreview],
  up: [
    1,
    z.union([
      upPreview,
      z.strictObject({
        ...{ deployed: z.array(z.strictObject({ stack: text, outputs: z.record(text, text) })), outcomes, smoke: z.array(smokeReport) },
        proven: z.array(z.strictObject({ team: text, at: time })).optional(),
        pruned: takenDown.optional(),
      }),
    ]),
  ],
  sync: [1, z.union([z.strictObject(preview), z.strictObject({ outcomes })])],
  smoke: [
    1,
    z.union([
      z.strictObject({ planned: z.array(z.strictObject({ team: text, mode, app: text })) }),
      z.strictObject({ smoke: z.array(smokeReport) }),
    ]),
  ],
  status: [
    1,
    z.strictObject({
      ...{ at: time, deployment: text, policy: z.strictObject({ soak: z.number(), maxAge: z.number() }), findings: z.array(finding) },
      buckets: z.array(
        z.strictObject({ name: text, account: text, region: text, kind: z.enum(['own', 'shared', 'existing']), teams: many }),
      ),
      teams: z.array(
        z.strictObject({
          ...{ team: text, stack: text, bucket: text.optional(), prefix: text.optional(), modes: z.record(text, mode) },
          ...{ observation, lastProof: proven.optional() },
        }),
      ),
      ...{ buildpack: z.array(environment), left, packages: z.array(kept).optional() },
    }),
  ],
  log: [
    1,
    z.strictObject({
      since: time,
      teams: z.array(
        z.strictObject({
          team: text,
          entries: z.array(
            z.strictObject({
              ...{
                version: z.literal(1),
                began: time,
                ended: time.optional(),
                who: text,
                intent: text,
                command: text.optional(),
                file: text,
                status: text,
                summary: text,
              },
              events: z.array(event),
            }),
          ),
        }),
      ),
    }),
  ],
  doctor: [1, z.strictObject({ ok: z.boolean(), findings: z.array(finding) })],
  rotate: [
    1,
    z.union([
      z.strictObject({ teams: z.array(teamPlan) }),
      z.strictObject({ intent, outcomes, killed: z.array(event).optional() }),
      z.strictObject({
        ...{ keyId: text, team: text, user: text.optional(), principal: text.optional() },
        ...{ status: z.enum(['Active', 'Inactive']).optional(), revoked: z.boolean().optional() },
      }),
    ]),
  ],
  down: [
    1,
    z.union([z.strictObject({ teams: downPlan.teams, stacks: z.array(place), buckets: z.array(place), kept: z.array(place) }), takenDown]),
  ],
  version: [1, z.strictObject({ version: text })],
  pack: [1, z.strictObject({ file: text.optional(), bytes: z.int(), sha256: text })],
  accept: [
    1,
    z.union([
      z.strictObject({
        ...{ run: text, account: text, region: text, cost: z.number(), file: z.unknown() },
        expenses: z.array(z.strictObject({ what: text, most: z.number(), usd: z.number() })),
      }),
      z.strictObject({
        ...{
          run: text,
          version: text,
          account: text,
          region: text,
          operator: text,
          herokuTeam: text.optional(),
          endpoint: text.optional(),
        },
        ...{ startedAt: time, finishedAt: time, ok: z.boolean(), fingerprint: text },
        stages: z.array(z.strictObject({ title: text, seconds: z.number(), proofs: z.array(proof) })),
      }),
    ]),
  ],
  /** Of any command that fails. */
  error: [1, z.strictObject({ error: z.strictObject({ code: text, message: text, details: z.record(text, z.unknown()).optional() }) })],
} as const satisfies Record<string, readonly [number, z.ZodType]>;

export type OutputName = keyof typeof OUTPUTS;

/** File of schema/output/, and what is in it. */
export const schemaFiles = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(OUTPUTS).map(([name, [version, shape]]) => {
      const title =
        name === 'error' ? 'Any command that fails, with --json' : `halcyon-kit ${name === 'pack' ? 'buildpack pack' : name} --json`;
      const schema = { $id: `halcyon-kit:${name}:v${version}`, title, ...z.toJSONSchema(shape, { target: 'draft-7', reused: 'ref' }) };
      return [`${name}.v${version}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`];
    }),
  );
