import type { Hono } from 'hono';
import { type Env, type Services, body, optionalString } from '../context.js';
import { invalid } from '../api-error.js';
import type { Fault, FaultKind } from '../faults.js';
import type { CreateAppOptions } from '../platform.js';
import { appJson } from '../represent.js';

const KINDS: readonly FaultKind[] = ['429', '503', 'reset-before', 'reset-after', 'slow', 'cut'];

/** The sandbox's own switches over HTTP, for clients in other processes. Loopback only, and no token: nothing secret is answered. */
export function adminRoutes(app: Hono<Env>, { platform, settings, faults, requests }: Services): void {
  app.get('/_sandbox/requests', (c) => c.json(requests.all()));
  app.delete('/_sandbox/requests', (c) => {
    requests.clear();
    return c.body(null, 204);
  });
  app.post('/_sandbox/faults', async (c) => {
    const request = (await body(c)) as unknown as Fault;
    if (!KINDS.includes(request.kind)) throw invalid(`kind must be one of ${KINDS.join(', ')}.`);
    faults.add({ ...request, ...(typeof request.path === 'string' ? { path: request.path } : {}) });
    return c.json(request, 201);
  });
  app.delete('/_sandbox/faults', (c) => {
    faults.clear();
    return c.body(null, 204);
  });
  app.get('/_sandbox/settings', (c) => c.json(settings));
  app.patch('/_sandbox/settings', async (c) => {
    for (const [name, value] of Object.entries(await body(c))) {
      const known = settings as unknown as Record<string, unknown>;
      if (!(name in known) || typeof known[name] !== typeof value) throw invalid(`No such setting as ${name}, or not of its type.`);
      known[name] = value;
    }
    return c.json(settings);
  });
  // Apps that the API cannot make: of the fir generation, or that the token may not touch.
  app.post('/_sandbox/apps', async (c) => {
    const request = await body(c);
    const options = { ...request, name: optionalString(request.name, 'name') } as CreateAppOptions;
    return c.json(appJson(await platform.createApp(options)), 201);
  });
}
