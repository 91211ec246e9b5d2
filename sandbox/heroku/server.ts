import { randomUUID, timingSafeEqual } from 'node:crypto';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import { ApiError } from './api-error.js';
import type { Env, Services } from './context.js';
import type { Fault } from './faults.js';
import { accountRoutes } from './routes/account.js';
import { adminRoutes } from './routes/admin.js';
import { appRoutes } from './routes/apps.js';
import { buildRoutes } from './routes/builds.js';
import { dynoRoutes } from './routes/dynos.js';
import { openRoutes } from './routes/open.js';
import { pipelineRoutes } from './routes/pipelines.js';
import { releaseRoutes } from './routes/releases.js';
import type { ApiSchema } from './schema.js';
import { cutAfter } from './streams.js';

const ACCEPT = /application\/vnd\.heroku\+json\s*;\s*version=3(\.|\b)/;
const HTML_503 =
  '<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body><h1>503 Service Unavailable</h1></body></html>\n';

/** The whole HTTP side: every request is logged, may be hit by a fault switch, and is authenticated unless its URL is itself a secret. */
export function createServer(services: Services & { token: string; spend: () => boolean; schema: ApiSchema | undefined }): Hono<Env> {
  const { requests, faults, schema, rateLimit } = services;
  const app = new Hono<Env>();

  app.use(async (c, next) => {
    const { method, path } = c.req;
    const own = path.startsWith('/_sandbox/');
    const fault = own ? undefined : faults.take(method, path);
    const broken = await withFault(c, fault, next);
    if (!own) {
      const status = broken ? 0 : c.res.status;
      requests.add({ method, path, status, at: new Date().toISOString(), ...(fault === undefined ? {} : { fault: fault.kind }) });
    }
  });

  app.onError((error, c) => {
    if (error instanceof ApiError) return c.json({ ...error.extra, id: error.id, message: error.message }, error.status);
    return c.json({ id: 'internal_server_error', message: `Sandbox: ${error.stack ?? error.message}` }, 500);
  });

  const { sessions } = openRoutes(app, services);
  adminRoutes(app, services);

  const api = new Hono<Env>();
  api.use(async (c, next) => {
    c.header('Request-Id', randomUUID());
    authenticate(c, services.token);
    if (c.req.path !== '/account/rate-limits' && !services.spend()) {
      c.header('RateLimit-Remaining', '0');
      throw new ApiError(
        429,
        'rate_limit',
        'Your account reached the API rate limit. Please wait a few minutes before making new requests.',
      );
    }
    c.header('RateLimit-Remaining', String(rateLimit.remaining()));
    if (!ACCEPT.test(c.req.header('accept') ?? '')) {
      throw new ApiError(406, 'not_acceptable', 'The "Accept" header must be "application/vnd.heroku+json; version=3".');
    }
    await next();
    await validate(c, schema);
  });
  accountRoutes(api, services);
  appRoutes(api, services);
  releaseRoutes(api, services);
  buildRoutes(api, services);
  dynoRoutes(api, services);
  pipelineRoutes(api, services);
  sessions(api);
  api.all('*', (c) => {
    throw new ApiError(501, 'not_implemented', `The sandbox does not know ${c.req.method} ${c.req.path}.`);
  });
  app.route('/', api);
  return app;
}

function authenticate(c: Context<Env>, token: string): void {
  const header = c.req.header('authorization') ?? '';
  const [scheme = '', value = ''] = header.split(' ');
  const given = /^basic$/i.test(scheme)
    ? Buffer.from(value, 'base64')
        .toString('utf8')
        .replace(/^[^:]*:/, '')
    : /^bearer$/i.test(scheme)
      ? value
      : '';
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw new ApiError(401, 'unauthorized', 'Invalid credentials provided.');
}

/** @returns whether the connection was broken in place of an answer. */
async function withFault(c: Context<Env>, fault: Fault | undefined, next: () => Promise<void>): Promise<boolean> {
  switch (fault?.kind) {
    case '429':
      c.res = c.json(
        { id: 'rate_limit', message: 'Your account reached the API rate limit. Please wait a few minutes before making new requests.' },
        429,
      );
      return false;
    case '503':
      c.res = c.html(HTML_503, 503);
      return false;
    case 'reset-before':
      return breakOff(c);
    case 'reset-after':
      await next();
      return breakOff(c);
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, fault.delayMs ?? 1000));
      await next();
      return false;
    case 'cut': {
      await next();
      const bytes = new Uint8Array(await c.res.arrayBuffer());
      const headers = { ...Object.fromEntries(c.res.headers), 'content-length': String(bytes.length) };
      const half = cutAfter(new Blob([bytes]).stream(), Math.floor(bytes.length / 2), () => c.env.outgoing.destroy());
      const { status } = c.res;
      c.res = undefined;
      c.res = new Response(half, { status, headers });
      return true;
    }
    default:
      await next();
      return false;
  }
}

function breakOff(c: Context<Env>): true {
  c.env.incoming.socket.resetAndDestroy();
  c.res = RESPONSE_ALREADY_SENT;
  return true;
}

/** A successful JSON answer that Heroku's schema does not allow is a fault of the sandbox, said loudly. */
async function validate(c: Context<Env>, schema: ApiSchema | undefined): Promise<void> {
  if (schema === undefined || c.res.status >= 300 || !(c.res.headers.get('content-type') ?? '').includes('application/json')) return;
  const errors = schema.errors(c.req.method, c.req.path, await c.res.clone().json());
  if (errors === undefined || errors.length === 0) return;
  c.res = undefined;
  c.res = c.json(
    { id: 'sandbox_schema', message: `Sandbox: the answer to ${c.req.method} ${c.req.path} breaks Heroku's schema: ${errors.join('; ')}` },
    500,
  );
}
