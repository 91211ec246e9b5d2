import { createHash } from 'node:crypto';
import { type App, type Build, type Dyno, type Formation, type Release, type Slug, currentRelease } from './model.js';
import { ACCOUNT, type Platform, STACKS } from './platform.js';

/** How each resource is written in an answer. */
const stackOf = (name: string): { id: string; name: string } => {
  const stack = STACKS.find((candidate) => candidate.name === name);
  return { id: stack?.id ?? stableId(name), name };
};

export const appJson = (app: App): object => ({
  acm: false,
  archived_at: null,
  buildpack_provided_description: latestSlug(app)?.description ?? null,
  build_stack: stackOf(app.buildStack),
  created_at: app.createdAt,
  generation: { id: stableId(app.generation), name: app.generation },
  git_url: `https://git.heroku.com/${app.name}.git`,
  id: app.id,
  internal_routing: null,
  maintenance: app.maintenance,
  name: app.name,
  owner: ACCOUNT,
  organization: app.team ?? null,
  team: app.team ?? null,
  region: { id: stableId(app.region), name: app.region },
  released_at: currentRelease(app).updatedAt,
  repo_size: null,
  slug_size: latestSlug(app)?.size ?? null,
  space: null,
  stack: stackOf(app.stack),
  updated_at: app.updatedAt,
  web_url: app.router?.url ?? null,
});

export const releaseJson = (platform: Platform, app: App, release: Release, base: string): object => ({
  addon_plan_names: [],
  artifacts: release.slug === undefined ? [] : [{ type: 'slug', id: release.slug }],
  app: { id: app.id, name: app.name },
  created_at: release.createdAt,
  description: release.description,
  id: release.id,
  updated_at: release.updatedAt,
  slug: release.slug === undefined ? null : { id: release.slug },
  status: platform.expired(app, release) ? 'expired' : release.status,
  user: ACCOUNT,
  version: release.version,
  current: currentRelease(app) === release,
  output_stream_url: release.output === undefined ? null : `${base}/_streams/${release.id}`,
  eligible_for_rollback: release.slug !== undefined && release.status === 'succeeded' && !platform.expired(app, release),
});

export const buildJson = (app: App, build: Build, base: string): object => ({
  app: { id: app.id },
  buildpacks: build.buildpacks.map((url) => ({ url, name: url })),
  created_at: build.createdAt,
  generation: app.generation,
  id: build.id,
  output_stream_url: `${base}/_streams/${build.id}`,
  source_blob: {
    checksum: build.source.checksum ?? null,
    url: build.source.url,
    version: build.source.version ?? null,
    version_description: build.source.versionDescription ?? null,
  },
  release: build.release === undefined ? null : { id: build.release },
  slug: build.slug === undefined ? null : { id: build.slug },
  stack: build.stack,
  status: build.status,
  updated_at: build.updatedAt,
  user: ACCOUNT,
});

export const dynoJson = (app: App, dyno: Dyno): object => ({
  attach_url: dyno.attachUrl ?? null,
  command: dyno.command,
  created_at: dyno.createdAt,
  id: dyno.id,
  name: dyno.name,
  release: { id: dyno.release.id, version: dyno.release.version },
  app: { id: app.id, name: app.name },
  size: dyno.size,
  state: dyno.state,
  type: dyno.type,
  updated_at: dyno.updatedAt,
});

export const formationJson = (app: App, formation: Formation): object => ({
  app: { id: app.id, name: app.name },
  command: formation.command,
  created_at: formation.createdAt,
  dyno_size: { id: stableId(formation.size), name: formation.size },
  id: formation.id,
  quantity: formation.quantity,
  size: formation.size,
  type: formation.type,
  updated_at: formation.updatedAt,
});

export const slugJson = (slug: Slug): object => ({
  blob: { method: 'GET', url: `file://${slug.file}` },
  buildpack_provided_description: slug.description,
  checksum: null,
  commit: slug.commit ?? null,
  commit_description: null,
  created_at: slug.createdAt,
  id: slug.id,
  process_types: slug.processTypes,
  size: slug.size,
  stack: stackOf(slug.stack),
  updated_at: slug.createdAt,
});

export const buildpacksJson = (urls: readonly string[]): object[] =>
  urls.map((url, ordinal) => ({ ordinal, buildpack: { url, name: url } }));

const latestSlug = (app: App): Slug | undefined => {
  const { slug } = currentRelease(app);
  return slug === undefined ? undefined : app.slugs.get(slug);
};

/** An id for things that have only a name here, always the same one. */
export function stableId(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
