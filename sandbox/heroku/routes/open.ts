import { randomUUID } from 'node:crypto';
import type { Context, Hono } from 'hono';
import { type Env, type Services, body, optionalString } from '../context.js';
import { type LogFilter, type LogLine, formatLogLine } from '../logs.js';
import { type App, now } from '../model.js';
import { type OutputStream, cutAfter } from '../streams.js';

/** Log sessions, and what is reached by a signed or secret URL in place of a token: sources, output streams, logs. */
export function openRoutes(app: Hono<Env>, { platform, sources, settings }: Services): { sessions: (api: Hono<Env>) => void } {
  const sessions = new Map<string, { app: App; filter: LogFilter; tail: boolean }>();

  app.put('/_sources/:id', async (c) => {
    const id = c.req.param('id');
    // The signature covers the type, and is made for none.
    if (!sources.allows('PUT', id, c.req.query()) || (c.req.header('content-type') ?? '') !== '')
      return c.text(signatureError, 403, { 'Content-Type': 'application/xml' });
    sources.put(id, Buffer.from(await c.req.arrayBuffer()));
    return c.body(null, 200);
  });
  app.get('/_sources/:id', (c) => {
    const id = c.req.param('id');
    if (!sources.allows('GET', id, c.req.query())) return c.text(signatureError, 403, { 'Content-Type': 'application/xml' });
    const bytes = sources.get(id);
    return bytes === undefined ? c.notFound() : c.body(new Uint8Array(bytes), 200, { 'Content-Type': 'application/gzip' });
  });

  app.get('/_public-storage/*', (c) => c.text('Not Found', 404));

  app.get('/_streams/:id', (c) => {
    const stream = findStream(platform.apps, c.req.param('id'));
    if (stream === undefined) return c.text('Channel is not registered.', 404);
    const range = /^bytes=(\d+)-$/.exec(c.req.header('range') ?? '');
    const offset = range ? Number(range[1]) : 0;
    if (range && offset > 0 && stream.exhausted(offset)) return c.body(null, 204);
    const whole = stream.read(offset, { keepAliveMs: settings.keepAliveMs });
    const cut = settings.cutStreamsAfterBytes;
    const content = cut > 0 ? cutAfter(whole, cut, () => c.env.outgoing.destroy()) : whole;
    const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache' };
    return range ? c.body(content, 206, { ...headers, 'Content-Range': `bytes ${offset}-/*` }) : c.body(content, 200, headers);
  });

  app.get('/_logs/:id', (c) => {
    const session = sessions.get(c.req.param('id'));
    return session === undefined ? c.text('Not found', 404) : logResponse(c, session);
  });

  return {
    sessions: (api) =>
      void api.post('/apps/:app/log-sessions', async (c) => {
        const target = platform.app(c.req.param('app'));
        const request = await body(c);
        const id = randomUUID();
        const tail = request.tail === true;
        const filter = {
          dyno: optionalString(request.dyno ?? request.dyno_name ?? request.type, 'dyno'),
          source: optionalString(request.source, 'source'),
          lines: typeof request.lines === 'number' ? request.lines : undefined,
        };
        sessions.set(id, { app: target, filter, tail });
        const url = `${new URL(c.req.url).origin}/_logs/${id}?srv=${Math.floor(Date.now() / 1000)}&tail=${tail}`;
        return c.json({ created_at: now(), id, logplex_url: url, updated_at: now() }, 201);
      }),
  };
}

const signatureError = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SignatureDoesNotMatch</Code></Error>';

function findStream(apps: readonly App[], id: string): OutputStream | undefined {
  for (const app of apps) {
    const found = app.builds.find((build) => build.id === id)?.output ?? app.releases.find((release) => release.id === id)?.output;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** As text, or as server-sent events where those are asked for. */
function logResponse(c: Context<Env>, session: { app: App; filter: LogFilter; tail: boolean }): Response {
  const { app, filter, tail } = session;
  const events = (c.req.header('accept') ?? '').includes('text/event-stream');
  const encoder = new TextEncoder();
  const encode = (line: LogLine): Uint8Array =>
    encoder.encode(events ? `id: ${line.at}\ndata: ${formatLogLine(line)}\n\n` : `${formatLogLine(line)}\n`);
  let unfollow = (): void => {};
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const line of app.log.last(filter)) controller.enqueue(encode(line));
      if (tail) unfollow = app.log.follow(filter, (line) => controller.enqueue(encode(line)));
      else controller.close();
    },
    cancel: () => unfollow(),
  });
  return c.body(stream, 200, { 'Content-Type': events ? 'text/event-stream' : 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache' });
}
