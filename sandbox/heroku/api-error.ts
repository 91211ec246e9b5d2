import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** An error answer of the Platform API: `{id, message}` and a status. */
export class ApiError extends Error {
  constructor(
    readonly status: ContentfulStatusCode,
    readonly id: string,
    message: string,
    readonly extra: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

export const notFound = (resource: string): ApiError =>
  new ApiError(404, 'not_found', `Couldn't find that ${resource}.`, { resource: resource.replaceAll(' ', '_') });
export const invalid = (message: string): ApiError => new ApiError(422, 'invalid_params', message);
