import type { Hono } from 'hono';
import { type Env, type Services, body, list, optionalString } from '../context.js';
import { invalid, notFound } from '../api-error.js';
import { configVars } from '../model.js';
import { releaseJson } from '../represent.js';

export function releaseRoutes(api: Hono<Env>, { platform, settings, base }: Services): void {
  api.get('/apps/:app/config-vars', (c) => c.json(configVars(platform.app(c.req.param('app')))));
  api.patch('/apps/:app/config-vars', async (c) => {
    const app = platform.app(c.req.param('app'));
    return c.json(platform.patchConfigVars(app, await body(c)));
  });
  api.get('/apps/:app/releases', (c) => {
    const app = platform.app(c.req.param('app'));
    const json = (release: (typeof app.releases)[number]) => releaseJson(platform, app, release, base());
    return list(c, settings, app.releases, ['version', 'id'], (release, field) => (field === 'id' ? release.id : release.version), json);
  });
  api.get('/apps/:app/releases/:release', (c) => {
    const app = platform.app(c.req.param('app'));
    return c.json(releaseJson(platform, app, platform.findRelease(app, c.req.param('release')), base()));
  });
  api.get('/apps/:app/releases/:release/config-vars', (c) => {
    const app = platform.app(c.req.param('app'));
    return c.json(platform.findRelease(app, c.req.param('release')).configVars);
  });
  api.post('/apps/:app/releases', async (c) => {
    const app = platform.app(c.req.param('app'));
    const request = await body(c);
    const release = optionalString(request.release, 'release');
    if (release !== undefined) return c.json(releaseJson(platform, app, platform.rollback(app, release), base()), 201);
    const slug = optionalString(request.slug, 'slug');
    if (slug === undefined) throw invalid('slug or release is required.');
    if (!app.slugs.has(slug)) throw notFound('slug');
    const description = optionalString(request.description, 'description') ?? `Deploy ${slug.slice(0, 8)}`;
    return c.json(releaseJson(platform, app, platform.release(app, { description, slug, configVars: configVars(app) }), base()), 201);
  });
}
