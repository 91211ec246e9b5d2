import { ApiError } from './api-error.js';

/** A `Range` header of the Platform API: `id a..b; max=200, order=desc`; `]a` starts after a. */
export interface ListRange {
  readonly field: string;
  readonly from: string | undefined;
  readonly after: boolean;
  readonly to: string | undefined;
  readonly max: number;
  readonly descending: boolean;
}

export interface Page<T> {
  readonly items: T[];
  readonly status: 200 | 206;
  readonly headers: Record<string, string>;
}

const DEFAULT_MAX = 200;

/** @throws ApiError 416 when the field cannot be ranged over, or the header makes no sense. */
export function parseRange(header: string | undefined, fields: readonly string[], maxPage: number): ListRange {
  const standard = {
    field: fields[0] ?? 'id',
    from: undefined,
    after: false,
    to: undefined,
    max: Math.min(DEFAULT_MAX, maxPage),
    descending: false,
  };
  if (header === undefined || header.trim() === '') return standard;
  const match = /^\s*(\w+)\s+(\]?)([^.;\s]*)\.\.([^;\s]*)\s*(?:;(.*))?$/.exec(header);
  const field = match?.[1];
  if (match === null || field === undefined || !fields.includes(field)) {
    throw new ApiError(416, 'requested_range_not_satisfiable', `Range cannot be satisfied; accepted: ${fields.join(', ') || 'none'}.`);
  }
  const options = new Map((match[5] ?? '').split(/[,;]/).map((part) => part.trim().split('=') as [string, string | undefined]));
  const max = Number(options.get('max') ?? DEFAULT_MAX);
  if (!Number.isInteger(max) || max < 1 || max > 1000) {
    throw new ApiError(416, 'requested_range_not_satisfiable', 'max must be between 1 and 1000.');
  }
  return {
    field,
    from: match[3] || undefined,
    after: match[2] === ']',
    to: match[4] || undefined,
    max: Math.min(max, maxPage),
    descending: options.get('order') === 'desc',
  };
}

/** One page of `all`, with the headers that lead to the next. */
export function page<T>(
  all: readonly T[],
  range: ListRange,
  fields: readonly string[],
  value: (item: T, field: string) => string | number,
): Page<T> {
  const key = (item: T): string | number => value(item, range.field);
  const direction = range.descending ? -1 : 1;
  const sorted = [...all].sort((a, b) => compare(key(a), key(b)) * direction);
  const bounded = sorted.filter((item) => {
    const from = range.from === undefined ? 1 : compare(key(item), like(range.from, key(item))) * direction;
    const to = range.to === undefined ? -1 : compare(key(item), like(range.to, key(item))) * direction;
    return (range.after ? from > 0 : from >= 0) && to <= 0;
  });
  const items = bounded.slice(0, range.max);
  const order = range.descending ? ', order=desc' : '';
  const options = `max=${range.max}${order}`;
  const headers: Record<string, string> = { 'Accept-Ranges': fields.join(', ') };
  const [first, last] = [items[0], items.at(-1)];
  if (first !== undefined && last !== undefined) headers['Content-Range'] = `${range.field} ${key(first)}..${key(last)}; ${options}`;
  const more = bounded.length > items.length && last !== undefined;
  if (more) headers['Next-Range'] = `${range.field} ]${key(last)}..${range.to ?? ''}; ${options}`;
  return { items, status: more ? 206 : 200, headers };
}

const like = (text: string, other: string | number): string | number => (typeof other === 'number' ? Number(text) : text);
const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
