import type { Hono } from 'hono';
import { type Env, type Services, body, list, optionalString } from '../context.js';
import { invalid } from '../api-error.js';
import { findBuild } from '../builds.js';
import { buildJson } from '../represent.js';

export function buildRoutes(api: Hono<Env>, { platform, builder, sources, settings, base }: Services): void {
  for (const path of ['/sources', '/apps/:app/sources']) {
    api.post(path, (c) => {
      const app = c.req.param('app' as never) as string | undefined;
      if (app !== undefined) platform.app(app);
      const { putUrl, getUrl } = sources.create();
      return c.json({ source_blob: { get_url: getUrl, put_url: putUrl } }, 201);
    });
  }
  api.get('/apps/:app/builds', (c) => {
    const app = platform.app(c.req.param('app'));
    return list(
      c,
      settings,
      app.builds,
      ['started_at', 'id'],
      (build, field) => (field === 'id' ? build.id : app.builds.indexOf(build)),
      (build) => buildJson(app, build, base()),
    );
  });
  api.get('/apps/:app/builds/:build', (c) => {
    const app = platform.app(c.req.param('app'));
    return c.json(buildJson(app, findBuild(app, c.req.param('build')), base()));
  });
  api.post('/apps/:app/builds', async (c) => {
    const app = platform.app(c.req.param('app'));
    const request = await body(c);
    const blob = request.source_blob as Record<string, unknown> | undefined;
    const url = optionalString(blob?.url, 'source_blob.url');
    if (url === undefined) throw invalid('source_blob.url is required.');
    const checksum = optionalString(blob?.checksum, 'source_blob.checksum');
    if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/i.test(checksum)) throw invalid('source_blob.checksum must be SHA256:HEX.');
    if (request.buildpacks !== undefined && request.buildpacks !== null && !Array.isArray(request.buildpacks))
      throw invalid('buildpacks must be an array.');
    const buildpacks = ((request.buildpacks ?? []) as Array<{ url?: unknown; name?: unknown }>).map(
      (buildpack) => optionalString(buildpack.url ?? buildpack.name, 'buildpacks.url') ?? '',
    );
    const source = {
      url,
      checksum,
      version: optionalString(blob?.version, 'source_blob.version'),
      versionDescription: optionalString(blob?.version_description, 'source_blob.version_description'),
    };
    return c.json(buildJson(app, builder.start(app, source, buildpacks), base()), 201);
  });
  api.delete('/apps/:app/build-cache', async (c) => {
    await builder.purgeCache(platform.app(c.req.param('app')));
    return c.body(null, 204);
  });
}
