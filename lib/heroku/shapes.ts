import { z } from 'zod';
import { CONFIG_VAR_NAMES } from '../contract/index.js';
import { registerConfigVars, registerSecret, registerUrlSecrets } from '../io/redaction.js';
import { shown as name } from '../network/answers.js';

/** Heroku's answers (its Platform API schema), as far as they are read, and what the kit makes of them. */

const named = z.object({ name: name.nullish() }).nullish();
const time = z.iso.datetime({ offset: true });
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const url = z.url({ protocol: /^https?$/ }).max(10_000);
/** A credential, and registered as it arrives. */
const signedUrl = url.transform((value) => {
  registerSecret(value);
  return value;
});

export interface HerokuApp {
  readonly id: string;
  readonly name: string;
  /** `cedar` or `fir`; fir takes no classic buildpacks. */
  readonly generation: string;
  readonly stack: string;
  /** Of its next build, where that is another: it was set, and nothing was built since. */
  readonly buildStack?: string;
  readonly webUrl?: string;
  readonly team?: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Of its newest release. */
  readonly releasedAt?: string;
  /** When Heroku last changed the app itself. */
  readonly updatedAt?: string;
}

export const APP = z
  .object({
    ...{ id: name, name, generation: named, stack: named, build_stack: named, web_url: url.nullish(), team: named },
    ...{ created_at: time, released_at: time.nullish(), updated_at: time.nullish() },
  })
  .transform(({ generation, stack, web_url: webUrl, team, ...json }): HerokuApp => ({
    ...{ id: json.id, name: json.name },
    // Answers for team apps leave the generation out, and only Fir apps are said to be of another one.
    generation: generation?.name ?? 'cedar',
    stack: stack?.name ?? '',
    ...(json.build_stack?.name && json.build_stack.name !== stack?.name ? { buildStack: json.build_stack.name } : {}),
    ...(webUrl ? { webUrl } : {}),
    ...(team?.name ? { team: team.name } : {}),
    createdAt: json.created_at,
    ...(json.released_at ? { releasedAt: json.released_at } : {}),
    ...(json.updated_at ? { updatedAt: json.updated_at } : {}),
  }));

export interface Build {
  readonly id: string;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly outputStreamUrl?: string;
  readonly releaseId?: string;
  /** It runs, or ran, with these, in order; undefined where Heroku does not say. */
  readonly buildpacks?: readonly string[];
}

export const PIPELINE = z
  .object({ id: name, name, created_at: time })
  .transform(({ created_at: createdAt, ...pipeline }) => ({ ...pipeline, createdAt }));
export const COUPLING = z.object({ app: z.object({ id: name }), stage: name });
/** A review app, or a test run: pending until it has all that it asks its pipeline for. */
export const STAGE_RUN = z
  .object({ id: name, status: name, created_at: time, updated_at: time })
  .transform(({ id, status, ...at }): Build => ({
    ...{ id, createdAt: at.created_at, updatedAt: at.updated_at },
    status: ENDED.has(status) ? 'succeeded' : 'pending',
  }));
const ENDED = new Set(['created', 'deleting', 'deleted', 'cancelled', 'succeeded', 'failed', 'errored']);

export const STACK = z.object({ name, state: name });

/** Null, in the documentation though not in answers, means that there is none. */
export const CONFIG_VARS = z.record(z.string(), z.string().nullable()).transform((json) => {
  const vars = Object.fromEntries(Object.entries(json).filter((entry): entry is [string, string] => entry[1] !== null));
  registerConfigVars(vars, CONFIG_VAR_NAMES);
  return vars;
});

export const RELEASE = z
  .object({
    ...{ id: name, version: z.int(), status: z.enum(['pending', 'succeeded', 'failed', 'expired']), description: text },
    ...{ created_at: time, updated_at: time },
  })
  .transform(({ created_at: createdAt, updated_at: updatedAt, ...release }) => ({ ...release, createdAt, updatedAt }));
export type Release = z.infer<typeof RELEASE>;

/** By its URL, or its name in Heroku's registry. Private ones often have a token in their URL. */
const buildpack = z
  .object({ url: z.string().nullish(), name: z.string().nullish() })
  .transform(({ url, name }) => url ?? name)
  .pipe(name)
  .transform((value) => {
    registerUrlSecrets([value]);
    return value;
  });

export const INSTALLATIONS = z
  .array(z.object({ ordinal: z.int(), buildpack }))
  .transform((list) => list.sort((a, b) => a.ordinal - b.ordinal).map((one) => one.buildpack));

export const BUILD = z
  .object({
    ...{ id: name, status: z.enum(['pending', 'succeeded', 'failed']), created_at: time, updated_at: time },
    ...{ output_stream_url: signedUrl.nullish(), release: z.object({ id: name.nullish() }).nullish() },
    ...{ source_blob: z.object({ url: signedUrl.nullish() }).nullish(), buildpacks: z.array(buildpack).nullish() },
  })
  .transform((json): Build & { readonly source?: string } => ({
    ...{ id: json.id, status: json.status, createdAt: json.created_at, updatedAt: json.updated_at },
    ...(json.output_stream_url ? { outputStreamUrl: json.output_stream_url } : {}),
    ...(json.release?.id ? { releaseId: json.release.id } : {}),
    ...(json.buildpacks?.length ? { buildpacks: json.buildpacks } : {}),
    ...(json.source_blob?.url ? { source: json.source_blob.url } : {}),
  }));

export const SOURCE = z.object({ source_blob: z.object({ put_url: signedUrl, get_url: signedUrl }) });

export const DYNO = z
  .object({
    // The type is `run` for one-off dynos, else the process type.
    ...{ name, type: name, state: name, created_at: time, command: text },
    release: z.object({ version: z.int().optional() }).nullish(),
  })
  .transform(({ release, created_at: createdAt, ...dyno }) => ({ ...dyno, releaseVersion: release?.version ?? 0, createdAt }));
export type Dyno = z.infer<typeof DYNO>;

export const FORMATION = z.object({ type: name });

export const LOG_SESSION = z.object({ logplex_url: signedUrl });
