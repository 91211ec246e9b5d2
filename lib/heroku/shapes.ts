import { registerSecret } from '../io/redaction.js';
import type { Build, Dyno, HerokuApp, Release } from './heroku.js';

/** Heroku's JSON (its Platform API schema) as the kit's shapes. Signed URLs in it are credentials, and registered as they arrive. */

export interface AppJson {
  id: string;
  name: string;
  generation?: { name?: string } | null;
  stack?: { name?: string } | null;
  web_url?: string | null;
  maintenance?: boolean;
  team?: { name?: string } | null;
  created_at: string;
  released_at?: string | null;
}

export interface ReleaseJson {
  id: string;
  version: number;
  status: Release['status'];
  current?: boolean;
  description?: string | null;
  created_at: string;
  updated_at: string;
  output_stream_url?: string | null;
}

export interface BuildJson {
  id: string;
  status: Build['status'];
  created_at: string;
  updated_at: string;
  output_stream_url?: string | null;
  release?: { id?: string } | null;
  source_blob?: { url?: string | null; version?: string | null } | null;
  buildpacks?: Array<{ url?: string | null; name?: string | null }> | null;
}

export interface DynoJson {
  id: string;
  name: string;
  type: string;
  state: string;
  release?: { version?: number } | null;
  created_at: string;
  command?: string | null;
}

/** `url`, registered for redaction. */
export function signedUrl(url: string | null | undefined): string | undefined {
  registerSecret(url ?? undefined);
  return url ?? undefined;
}

export const toApp = (json: AppJson): HerokuApp => ({
  id: json.id,
  name: json.name,
  // Answers for team apps leave the generation out, and only Fir apps are said to be of another one.
  generation: json.generation?.name ?? 'cedar',
  stack: json.stack?.name ?? '',
  ...(json.web_url ? { webUrl: json.web_url } : {}),
  maintenance: json.maintenance === true,
  ...(json.team?.name ? { team: json.team.name } : {}),
  createdAt: json.created_at,
  ...(json.released_at ? { releasedAt: json.released_at } : {}),
});

export const toRelease = (json: ReleaseJson): Release => ({
  id: json.id,
  version: json.version,
  status: json.status,
  current: json.current === true,
  description: json.description ?? '',
  createdAt: json.created_at,
  updatedAt: json.updated_at,
  ...(json.output_stream_url ? { outputStreamUrl: signedUrl(json.output_stream_url) } : {}),
});

export function toBuild(json: BuildJson): Build {
  signedUrl(json.source_blob?.url);
  return {
    id: json.id,
    status: json.status,
    createdAt: json.created_at,
    updatedAt: json.updated_at,
    ...(json.output_stream_url ? { outputStreamUrl: signedUrl(json.output_stream_url) } : {}),
    ...(json.release?.id ? { releaseId: json.release.id } : {}),
    ...(json.buildpacks?.length ? { buildpacks: json.buildpacks.map(({ url, name }) => url ?? name ?? '') } : {}),
  };
}

export const toDyno = (json: DynoJson): Dyno => ({
  id: json.id,
  name: json.name,
  type: json.type,
  state: json.state,
  releaseVersion: json.release?.version ?? 0,
  createdAt: json.created_at,
  command: json.command ?? '',
});
