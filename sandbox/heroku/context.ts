import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { ApiError } from './api-error.js';
import type { Builder } from './builds.js';
import type { Faults } from './faults.js';
import type { Pipelines } from './pipelines.js';
import type { Platform } from './platform.js';
import { page, parseRange } from './range.js';
import type { RequestLog } from './request-log.js';
import type { Rendezvous } from './rendezvous.js';
import type { Settings } from './settings.js';
import type { SourceStore } from './sources.js';

export interface Env {
  Bindings: HttpBindings;
}

/** What the routes work with. */
export interface Services {
  readonly platform: Platform;
  readonly pipelines: Pipelines;
  readonly builder: Builder;
  readonly sources: SourceStore;
  readonly settings: Settings;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly rendezvous: Rendezvous;
  readonly rateLimit: { remaining(): number };
  /** Own address, without a slash at the end. */
  readonly base: () => string;
}

/** Answer with a page of `items`, as the `Range` header asks. */
export function list<T>(
  c: Context<Env>,
  settings: Settings,
  items: readonly T[],
  fields: readonly string[],
  value: (item: T, field: string) => string | number,
  json: (item: T) => object,
): Response {
  const result = page(items, parseRange(c.req.header('range'), fields, settings.maxPage), fields, value);
  return c.json(result.items.map(json), result.status, result.headers);
}

/** The JSON body: an object, empty where none was sent. */
export async function body(c: Context<Env>): Promise<Record<string, unknown>> {
  const text = await c.req.text();
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new ApiError(400, 'bad_request', 'Request body is not a JSON object.');
}

/** A string of a body, or undefined where it is absent or null. */
export function optionalString(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new ApiError(422, 'invalid_params', `${name} must be a string.`);
  return value;
}
