import { PassThrough, pipeline, type Readable } from 'node:stream';
import { isKitError, type KitError } from '../errors.js';
import { inShape, LONGEST_ANSWER, MOST_PAGES, tooLong, unexpectedAnswer, type Asked } from '../network/answers.js';
import { isAmbiguous } from './errors.js';
import { SHAPES } from './shapes.js';

interface Next {
  (args: never): Promise<{ output: unknown }>;
}
interface Stack {
  add(
    middleware: (next: Next, context: { clientName?: string; commandName?: string }) => Next,
    options: { step: 'initialize'; name: string },
  ): void;
}

/** Where a list of AWS goes on from. */
const FROM = ['Marker', 'NextToken', 'ContinuationToken', 'KeyMarker', 'VersionIdMarker'];

/** Buckets of other uses may have millions of objects, at a thousand a page. */
const MOST_OBJECT_PAGES = 20 * MOST_PAGES;

/** Have a client of the SDK look at its answers: a shape that is not documented ends in `unexpected-answer`, as do pages without an end. */
export function checkAnswers<C extends { readonly middlewareStack: unknown }>(client: C): C {
  const pages = new Map<string, number>();
  (client.middlewareStack as Stack).add(
    (next, { clientName = '', commandName = '' }) =>
      async (args) => {
        const command = commandName.replace(/Command$/, '');
        const asked: Asked = { service: 'AWS', request: `${clientName.replace(/Client$/, '')} ${command}` };
        const { input } = args as { input: Record<string, unknown> };
        if (/^(List|Describe)/.test(command)) {
          // Lists that are read side by side are counted apart.
          const list = JSON.stringify([command, input], (name, value: unknown) => (FROM.includes(name) ? undefined : value));
          const page = FROM.some((field) => input[field] !== undefined) ? (pages.get(list) ?? 0) + 1 : 0;
          if (page === 0) pages.delete(list);
          else pages.set(list, page);
          if (page > (/^ListObject/.test(command) ? MOST_OBJECT_PAGES : MOST_PAGES)) throw unexpectedAnswer(asked, 'its pages have no end');
        }
        const result = await next(args).catch((error: unknown) => {
          throw odd(error, asked) ?? error;
        });
        const shape = SHAPES.get(command);
        if (shape !== undefined) inShape(shape, result.output, asked);
        return result;
      },
    { step: 'initialize', name: 'checkAnswers' },
  );
  return client;
}

/** What the SDK could not read: neither an error of the service's, nor one of the way there. */
function odd(error: unknown, asked: Asked): KitError | undefined {
  const { cause, $response: answer } = error as { cause?: unknown; $response?: { statusCode: number } };
  if (isKitError(cause)) return cause;
  return answer === undefined || '$fault' in (error as object) || isAmbiguous(error)
    ? undefined
    : unexpectedAnswer(asked, 'it cannot be read');
}

/** `body`, which ends in an error where it is too long. */
export function shortened(body: Readable, what: string): Readable {
  let length = 0;
  const out = new PassThrough({
    transform(chunk: Buffer, _, done) {
      length += chunk.length;
      // The SDK adds its own words to whatever passes through it.
      done(length > LONGEST_ANSWER ? new Error('too long', { cause: tooLong({ service: 'AWS', request: what }) }) : null, chunk);
    },
  });
  pipeline(body, out, () => {});
  return out;
}
