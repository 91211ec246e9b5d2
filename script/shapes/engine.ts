import { z } from 'zod';
import { ACCESSES, ACLS, CONFIG_VAR_NAMES, MODES } from '../../lib/contract/index.js';

/** Shapes of what the key engine sees, plans and does, as `--json` prints them. */

export const time = z.iso.datetime({ offset: true });
const text = z.string();
export const access = z.enum(ACCESSES);
export const mode = z.enum(MODES);
export const acl = z.enum(ACLS);
const configVar = z.enum(CONFIG_VAR_NAMES as [string, ...string[]]);
const status = z.enum(['Active', 'Inactive']);
/** The secret as its fingerprint. */
const held = z.partialRecord(configVar, text);

const principalId = z.strictObject({
  ...{ team: text, access, app: text.optional(), reach: text.optional(), generation: z.int().optional() },
  apps: z.array(text).optional(),
});
const reach = z.strictObject({ account: text, region: text, bucketName: text, prefix: text.optional(), acl });
const making = z.strictObject({ at: time, before: z.array(text) });

const key = z.strictObject({
  ...{ id: text, status, createdAt: time, lastUsedAt: time.optional(), lastUsedService: text.optional() },
  ...{ fingerprint: text.optional(), stored: z.boolean(), inactiveSince: time.optional() },
  refused: z.enum(['undone', 'revoked']).optional(),
});

const principal = z.strictObject({
  ...{ id: principalId, label: text, user: text, reach: reach.omit({ account: true }).optional() },
  ...{ declared: z.boolean(), exists: z.boolean(), quarantined: z.literal(true).optional() },
  ...{ secret: z.enum(['missing', 'empty', 'present', 'unknown']), keys: z.array(key) },
  ...{ current: text.optional(), pending: text.optional(), previous: text.optional(), versions: z.record(text, text) },
  ...{ stale: z.array(text).optional(), creating: making.extend({ by: text }).optional(), making: making.optional() },
});

const activity = z.strictObject({
  releasePending: z.boolean(),
  keyRelease: z.strictObject({ version: z.int(), at: time }).optional(),
  running: z.array(z.strictObject({ kind: z.enum(['build', 'dyno']), id: text, startedAt: time, release: z.int().optional() })),
  lastEnded: time.optional(),
});

const app = z.strictObject({
  ...{ name: text, id: text.optional(), user: text.optional(), stage: text.optional(), canary: z.boolean(), access: access.optional() },
  ...{ state: z.enum(['present', 'missing', 'unreadable']), problem: text.optional(), trusted: z.literal(true).optional() },
  ...{ vars: held, wanted: z.record(configVar, text.nullable()), activity: activity.optional() },
});

const holder = z.strictObject({ id: text, app: text });
const packageMove = { from: reach, to: reach, objects: z.int(), bytes: z.int() };

export const observation = z.strictObject({
  ...{ team: text, at: time, since: time, principals: z.array(principal), apps: z.array(app) },
  recorded: z.record(text, z.array(holder)).optional(),
  outside: z.array(app.extend({ id: text, team: text.optional() })).optional(),
  gone: z.array(text).optional(),
  packages: z.array(z.strictObject(packageMove)).optional(),
});

const ofPrincipal = { reason: text, principal: text, user: text };
const keySteps = [
  'delete-orphan',
  'store-pending',
  'verify',
  'promote',
  'reactivate',
  'mark-undone',
  'mark-revoked',
  'start-soak',
] as const;
const step = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('create-key'), ...ofPrincipal }),
  z.strictObject({ kind: z.enum([...keySteps, 'delete-key', 'delete-unknown']), ...ofPrincipal, keyId: text }),
  z.strictObject({ kind: z.literal('deactivate'), ...ofPrincipal, keyId: text, cause: z.literal('leaked').optional() }),
  z.strictObject({ kind: z.enum(['tidy-tags', 'delete-principal']), ...ofPrincipal }),
  z.strictObject({ kind: z.literal('record-holders'), ...ofPrincipal, holders: z.array(holder) }),
  z.strictObject({ kind: z.literal('copy-packages'), reason: text, ...packageMove }),
  z.strictObject({
    ...{ kind: z.literal('write-apps'), reason: text, wave: text },
    apps: z.array(
      z.strictObject({
        ...{ app: text, keyId: text.nullable() },
        changes: z.array(z.strictObject({ name: configVar, from: text.nullable(), to: text.nullable() })),
      }),
    ),
  }),
  z.strictObject({ kind: z.literal('smoke'), ...ofPrincipal, keyId: text, app: text }),
  z.strictObject({ kind: z.literal('wait'), reason: text, later: z.literal(true).optional() }),
]);

const remarks = {
  waiting: z.array(
    z.strictObject({
      kind: z.enum(['holds', 'release-pending', 'in-flight', 'unreadable', 'unobserved', 'recent-use', 'soak']),
      ...{
        app: text.optional(),
        keyId: text,
        principal: text,
        text,
        since: time.optional(),
        until: time.optional(),
        stays: z.literal(true).optional(),
        team: text.optional(),
      },
    }),
  ),
  blocked: z.array(z.strictObject({ code: text, text })),
  notices: z.array(text),
  left: z.array(z.strictObject({ app: text, text })),
};

export const plan = z.strictObject({ steps: z.array(step), ...remarks });
export const teamPlan = z.strictObject({ team: text, observation, plan });

/** One event, as evidence has it as well. */
export const event = z.strictObject({
  ...{ at: time, step: text, principal: text.optional(), keyId: text.optional(), fingerprint: text.optional(), text },
  apps: z
    .array(z.strictObject({ app: text, release: z.int().optional(), confirmedAt: time.optional(), error: text.optional() }))
    .optional(),
});

export const outcome = z.strictObject({
  ...{ team: text, status: z.enum(['done', 'nothing-due', 'waiting', 'blocked', 'failed']), summary: text },
  ...{ ...remarks, error: z.strictObject({ code: text, message: text }).optional(), evidence: z.array(event) },
});

export const intent = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ensure'), prune: z.boolean().optional() }),
  z.strictObject({ kind: z.literal('rotate'), due: z.boolean() }),
  z.strictObject({ kind: z.enum(['finish', 'undo']) }),
  z.strictObject({ kind: z.enum(['emergency', 'delete-unknown']), keyId: text }),
  z.strictObject({ kind: z.literal('down'), force: z.boolean() }),
]);
