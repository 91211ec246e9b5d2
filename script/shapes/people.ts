import { z } from 'zod';
import { acl, mode, time } from './engine.js';

/** What `adopt`, `creds`, `explain`, `packages` and `prebuild` print: the commands of those who set up and build apps. */

const text = z.string();
const many = z.array(text);
export const proof = z.strictObject({
  ...{ proof: text, expected: text, observed: text, ok: z.boolean(), about: z.enum(['source', 'page', 'config-vars']).optional() },
});
export const causes = z.array(z.strictObject({ code: text, message: text, remedy: text }));

export const adopted = z.strictObject({
  ...{ file: text, written: z.boolean(), text },
  teams: z.array(
    z.strictObject({
      ...{ name: text, herokuTeam: text.optional(), perApp: z.boolean(), remarks: many },
      bucket: z
        .strictObject({
          ...{ existing: text, prefix: text.optional(), account: text.optional(), region: text.optional(), acl },
          ...{ kmsKeyArn: text.optional(), endpoint: text.optional() },
        })
        .optional(),
      apps: z.array(z.strictObject({ name: text, mode, clean: z.boolean(), fallback: z.boolean(), remarks: many })),
    }),
  ),
  forks: z.strictObject({ halcyonUrl: text.optional(), bashmenotUrl: text.optional() }),
  leftOut: z.array(z.strictObject({ app: text, why: text })),
});

/** As AWS's own tools take them from another program: with the secret, which was asked for. */
export const credentials = z.strictObject({
  ...{ Version: z.literal(1), AccessKeyId: text, SecretAccessKey: text, SessionToken: text, Expiration: time },
});

export const explained = z.strictObject({
  ...{ app: text, team: text, mode: text, principal: text.optional(), secret: text.optional() },
  configVars: z.array(
    z.strictObject({
      ...{ name: text, value: text.nullable().optional(), means: text },
      from: z.array(z.strictObject({ setting: text, line: z.int().optional() })),
      ...{ live: z.enum(['same', 'differs', 'not compared']).optional(), has: text.nullable().optional() },
    }),
  ),
  ...{ may: many, build: many, notes: many },
});

const stored = z.strictObject({
  ...{ key: text, kind: z.enum(['ghc', 'cabal', 'sandbox', 'build', 'install', 'original']), place: text, name: text },
  ...{ platform: text.optional(), ghc: text.optional(), label: text.optional(), hash: text.optional(), date: text.optional() },
  ...{ bytes: z.int(), modified: time },
});
export const stock = z.strictObject({
  places: z.array(
    z.strictObject({
      ...{ bucket: text, place: text, teams: many, unknown: many },
      packages: z.array(stored.extend({ usedBy: many, unusable: text.optional() })),
      ...{ due: z.array(stored), soaking: z.array(stored) },
    }),
  ),
  removed: many.optional(),
});

const prebuildPlan = {
  planned: z.array(
    z.strictObject({
      ...{ wave: z.int(), app: text, team: text, stack: text, source: text, storage: text, buildpacks: many, configVars: many },
    }),
  ),
  ...{ size: text, hours: z.number(), anHour: text, atMost: text, deploy: z.boolean() },
};
export const prebuilt = z.union([
  z.strictObject({ dryRun: z.literal(true), ...prebuildPlan }),
  z.strictObject({
    ...prebuildPlan,
    apps: z.array(
      z.strictObject({
        ...{ team: text, app: text, ok: z.boolean(), state: z.enum(['prebuilt', 'there', 'failed']), archive: text.optional() },
        ...{ release: z.int().optional(), proofs: z.array(proof), causes, dyno: many },
      }),
    ),
  }),
]);
