import type { Hono } from 'hono';
import { type Env, type Services, body, list, optionalString } from '../context.js';
import { ApiError, invalid, notFound } from '../api-error.js';
import { type App, type Dyno, currentRelease } from '../model.js';
import { dynoJson, formationJson } from '../represent.js';

/** Sizes of Heroku's common runtime and private spaces, as the API writes them. */
const SIZES = [
  'Eco',
  'Basic',
  'Standard-1X',
  'Standard-2X',
  'Performance-M',
  'Performance-L',
  'Performance-L-RAM',
  'Performance-XL',
  'Performance-2XL',
];
const MAX_TIME_TO_LIVE = 86_400;

function size(value: unknown): string | undefined {
  const text = optionalString(value, 'size');
  if (text === undefined) return undefined;
  const known = SIZES.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
  if (known === undefined) throw invalid(`No such size as ${text}.`);
  return known;
}

function findDyno(app: App, identity: string): Dyno {
  const dyno = app.dynos.find((candidate) => candidate.id === identity || candidate.name === identity);
  if (dyno === undefined) throw notFound('dyno');
  return dyno;
}

export function dynoRoutes(api: Hono<Env>, { platform, rendezvous, settings }: Services): void {
  api.get('/apps/:app/dynos', (c) => {
    const app = platform.app(c.req.param('app'));
    return list(
      c,
      settings,
      app.dynos,
      ['name', 'id'],
      (dyno, field) => (field === 'id' ? dyno.id : dyno.name),
      (dyno) => dynoJson(app, dyno),
    );
  });
  api.get('/apps/:app/dynos/:dyno', (c) => {
    const app = platform.app(c.req.param('app'));
    return c.json(dynoJson(app, findDyno(app, c.req.param('dyno'))));
  });
  api.post('/apps/:app/dynos', async (c) => {
    const app = platform.app(c.req.param('app'));
    const request = await body(c);
    const command = optionalString(request.command, 'command');
    if (!command) throw invalid('command is required.');
    const timeToLive = request.time_to_live ?? undefined;
    if (
      timeToLive !== undefined &&
      (!Number.isInteger(timeToLive) || (timeToLive as number) < 1 || (timeToLive as number) > MAX_TIME_TO_LIVE)
    ) {
      throw invalid(`time_to_live must be between 1 and ${MAX_TIME_TO_LIVE} seconds.`);
    }
    const release = currentRelease(app);
    if (release.slug === undefined) throw new ApiError(422, 'invalid_params', 'This app has no slug to run: deploy it first.');
    const env: Record<string, string> = {};
    for (const [name, value] of Object.entries((request.env ?? {}) as Record<string, unknown>)) {
      if (!/^\w+$/.test(name) || typeof value !== 'string') throw invalid(`env ${name} must be a string.`);
      env[name] = value;
    }
    const type = optionalString(request.type, 'type') ?? 'run';
    const options = {
      type,
      name: `${type}.${(app.nextRun += 1)}`,
      command,
      size: size(request.size) ?? 'Standard-1X',
      release,
      env,
      timeToLive: (timeToLive as number | undefined) ?? MAX_TIME_TO_LIVE,
    };
    app.log.add('app', 'api', `Starting process with command \`${command}\` by user operator@example.com`);
    if (request.attach !== true) return c.json(dynoJson(app, await platform.dynos.start(app, options)), 201);
    const meeting = await rendezvous.meet();
    const dyno = await platform.dynos.start(app, { ...options, attach: meeting.arrived });
    dyno.attachUrl = meeting.url;
    return c.json(dynoJson(app, dyno), 201);
  });
  const restartOrStop = async (app: App, dynos: readonly Dyno[]): Promise<void> => {
    const stopped = dynos.map((dyno) => platform.dynos.stop(app, dyno));
    platform.applyFormation(app, false);
    await Promise.all(stopped);
  };
  api.delete('/apps/:app/dynos', async (c) => {
    const app = platform.app(c.req.param('app'));
    await restartOrStop(app, [...app.dynos]);
    return c.json({}, 202);
  });
  api.delete('/apps/:app/dynos/:dyno', async (c) => {
    const app = platform.app(c.req.param('app'));
    await restartOrStop(app, [findDyno(app, c.req.param('dyno'))]);
    return c.json({}, 202);
  });
  api.post('/apps/:app/dynos/:dyno/actions/stop', async (c) => {
    const app = platform.app(c.req.param('app'));
    await restartOrStop(app, [findDyno(app, c.req.param('dyno'))]);
    return c.json({}, 202);
  });

  const formationOf = (app: App, type: string) => {
    const formation = [...app.formation.values()].find((candidate) => candidate.type === type || candidate.id === type);
    if (formation === undefined)
      throw new ApiError(404, 'not_found', `Couldn't find that process type (${type}).`, { resource: 'formation' });
    return formation;
  };
  const scale = (app: App, type: string, change: Record<string, unknown>) => {
    const formation = formationOf(app, type);
    const { quantity } = change;
    if (quantity !== undefined && (!Number.isInteger(quantity) || (quantity as number) < 0))
      throw invalid('quantity must be a whole number.');
    const dynoSize = change.dyno_size ?? change.size;
    formation.size =
      size(dynoSize !== null && typeof dynoSize === 'object' ? (dynoSize as { name?: unknown }).name : dynoSize) ?? formation.size;
    formation.quantity = (quantity as number | undefined) ?? formation.quantity;
    app.log.add('app', 'api', `Scaled to ${formation.type}@${formation.quantity}:${formation.size} by user operator@example.com`);
    return formation;
  };
  api.get('/apps/:app/formation', (c) => {
    const app = platform.app(c.req.param('app'));
    return list(
      c,
      settings,
      [...app.formation.values()],
      ['type', 'id'],
      (formation, field) => (field === 'id' ? formation.id : formation.type),
      (formation) => formationJson(app, formation),
    );
  });
  api.get('/apps/:app/formation/:type', (c) => {
    const app = platform.app(c.req.param('app'));
    return c.json(formationJson(app, formationOf(app, c.req.param('type'))));
  });
  api.patch('/apps/:app/formation', async (c) => {
    const app = platform.app(c.req.param('app'));
    const { updates } = await body(c);
    if (!Array.isArray(updates)) throw invalid('updates must be an array.');
    const changed = (updates as Array<Record<string, unknown>>).map((update) => scale(app, String(update.type), update));
    platform.applyFormation(app, false);
    return c.json(changed.map((formation) => formationJson(app, formation)));
  });
  api.patch('/apps/:app/formation/:type', async (c) => {
    const app = platform.app(c.req.param('app'));
    const formation = scale(app, c.req.param('type'), await body(c));
    platform.applyFormation(app, false);
    return c.json(formationJson(app, formation));
  });
}
