import type { Hono } from 'hono';
import { type Env, type Services, body, list, optionalString } from '../context.js';
import { invalid, notFound } from '../api-error.js';
import type { App } from '../model.js';
import { ACCOUNT, type CreateAppOptions, STACKS } from '../platform.js';
import { appJson, buildpacksJson, slugJson, stableId } from '../represent.js';

const BUILDPACK_LIMIT = 10;
const LIST_FIELDS = ['name', 'id', 'updated_at'];

const named = (value: unknown, name: string): string | undefined =>
  value !== null && typeof value === 'object'
    ? optionalString((value as Record<string, unknown>).name ?? (value as Record<string, unknown>).id, name)
    : optionalString(value, name);

export function appRoutes(api: Hono<Env>, services: Services): void {
  const { platform, settings } = services;
  const create = (request: Record<string, unknown>): Promise<App> => {
    const options: CreateAppOptions = {
      name: optionalString(request.name, 'name'),
      stack: named(request.stack, 'stack'),
      region: named(request.region, 'region'),
      team: named(request.team, 'team'),
      generation: named(request.generation, 'generation') === 'fir' ? 'fir' : 'cedar',
    };
    return platform.createApp(options);
  };
  const listed = (apps: readonly App[]) => apps.filter((app) => !app.forbidden);
  const value = (app: App, field: string): string => (field === 'id' ? app.id : field === 'name' ? app.name : app.updatedAt);

  api.post('/apps', async (c) => c.json(appJson(await create(await body(c))), 201));
  api.post('/teams/apps', async (c) => c.json(appJson(await create(await body(c))), 201));
  api.get('/apps', (c) => list(c, settings, listed(platform.apps), LIST_FIELDS, value, appJson));
  api.get('/teams/:team/apps', (c) => {
    const { team } = c.req.param();
    const apps = listed(platform.apps).filter((app) => app.team?.name === team || app.team?.id === team);
    return list(c, settings, apps, LIST_FIELDS, value, appJson);
  });
  api.post('/filters/apps', async (c) => {
    const ids = ((await body(c)).in as { id?: unknown } | undefined)?.id;
    if (!Array.isArray(ids)) throw invalid('in.id must be an array.');
    const apps = listed(platform.apps).filter(({ id }) => ids.includes(id));
    return list(c, settings, apps, LIST_FIELDS, value, appJson);
  });
  // What a user owns or works on: with one account, every app that it may see.
  api.get('/users/:user/apps', (c) => {
    const { user } = c.req.param();
    if (!['~', ACCOUNT.id, ACCOUNT.email].includes(user)) throw notFound('user');
    return list(c, settings, listed(platform.apps), LIST_FIELDS, value, appJson);
  });
  api.get('/apps/:app', (c) => c.json(appJson(platform.app(c.req.param('app')))));
  api.get('/teams/apps/:app', (c) => c.json(appJson(platform.app(c.req.param('app')))));
  api.patch('/apps/:app', async (c) => {
    const app = platform.app(c.req.param('app'));
    const request = await body(c);
    if (typeof request.maintenance === 'boolean') app.maintenance = request.maintenance;
    const stack = named(request.build_stack, 'build_stack');
    if (stack !== undefined) {
      if (!STACKS.some((known) => known.name === stack)) throw invalid(`Stack ${stack} is not available`);
      app.buildStack = stack;
    }
    const name = optionalString(request.name, 'name');
    if (name !== undefined) platform.rename(app, name);
    return c.json(appJson(app));
  });
  api.delete('/apps/:app', async (c) => {
    const app = platform.app(c.req.param('app'));
    const answer = appJson(app);
    await platform.deleteApp(app);
    return c.json(answer);
  });

  api.get('/apps/:app/buildpack-installations', (c) => {
    const app = platform.app(c.req.param('app'));
    return list(
      c,
      settings,
      [...app.buildpacks.entries()],
      [],
      ([ordinal]) => ordinal,
      ([ordinal, url]) => buildpacksJson([url]).map((one) => ({ ...one, ordinal }))[0] as object,
    );
  });
  api.put('/apps/:app/buildpack-installations', async (c) => {
    const app = platform.app(c.req.param('app'));
    if (c.req.header('range'))
      list(
        c,
        settings,
        [],
        [],
        () => 0,
        () => ({}),
      );
    if (app.generation !== 'cedar') throw invalid('Classic buildpacks are not available for apps of the fir generation.');
    const { updates } = await body(c);
    if (!Array.isArray(updates)) throw invalid('updates must be an array.');
    if (updates.length > BUILDPACK_LIMIT) throw invalid(`At most ${BUILDPACK_LIMIT} buildpacks can be set.`);
    const urls = updates.map((update: { buildpack?: unknown }) => {
      const url = optionalString(update?.buildpack, 'buildpack');
      if (url === undefined || !/^(https?|file|git|ssh):\/\/\S+$|^urn:buildpack:\S+$|^[\w-]+\/[\w-]+$/.test(url)) {
        throw invalid(`Invalid buildpack: ${url ?? '(none)'}`);
      }
      return url;
    });
    if (new Set(urls).size !== urls.length) throw invalid('Buildpacks must not be repeated.');
    app.buildpacks = urls;
    return c.json(buildpacksJson(urls));
  });

  api.get('/apps/:app/slugs/:slug', (c) => {
    const slug = platform.app(c.req.param('app')).slugs.get(c.req.param('slug'));
    if (slug === undefined) throw notFound('slug');
    return c.json(slugJson(slug));
  });
  // What the CLI asks of an app beside the app: there is none of it here.
  for (const nothing of ['addons', 'pipeline-couplings', 'features', 'domains', 'log-drains']) {
    if (nothing === 'pipeline-couplings') {
      api.get(`/apps/:app/${nothing}`, (c) => {
        platform.app(c.req.param('app'));
        throw notFound('pipeline coupling');
      });
    } else {
      api.get(`/apps/:app/${nothing}`, (c) => {
        platform.app(c.req.param('app'));
        return list(
          c,
          settings,
          [],
          ['id', 'name'],
          () => 0,
          () => ({}),
        );
      });
    }
  }
  api.get('/apps/:app/collaborators', (c) => {
    const app = platform.app(c.req.param('app'));
    return c.json([
      {
        app: { id: app.id, name: app.name },
        created_at: app.createdAt,
        id: stableId(`collaborator ${app.id}`),
        permissions: [],
        role: 'owner',
        updated_at: app.createdAt,
        user: { id: '00000000-0000-4000-8000-000000000001', email: 'operator@example.com', federated: false },
      },
    ]);
  });
}
