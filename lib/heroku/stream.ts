import { isKitError, KitError } from '../errors.js';
import { LONGEST_ANSWER, tooLong } from '../network/answers.js';
import { open, type Network } from '../network/network.js';
import type { Patience } from './retry.plan.js';
import { pause } from './pause.js';

/** Uploads and streams: without the token, to URLs that are themselves credentials and so never shown. */

/** Streams say something every minute, if only NUL. */
const SILENCE_MS = 300_000;

/** PUT a source tarball. Heroku signs it for an empty Content-Type, which a body of bytes has. Repeated when the other side fails. */
export async function upload(network: Network, url: string, body: Buffer, patience: Patience, signal?: AbortSignal): Promise<void> {
  const agents = await network.agents('others');
  for (let attempt = 1; ; attempt++) {
    const limit = AbortSignal.timeout(SILENCE_MS);
    const headers = { 'Content-Length': body.length };
    const status = await open(new URL(url), {
      ...{ agents, method: 'PUT', headers, body, timeoutMs: SILENCE_MS },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    }).then(
      (answer) => {
        answer.resume();
        return answer.statusCode ?? 0;
      },
      (error: unknown) => {
        signal?.throwIfAborted();
        if (isKitError(error)) throw error;
        return 0;
      },
    );
    if (status >= 200 && status < 300) return;
    if ((status > 0 && status < 500) || attempt >= patience.attempts) {
      throw new KitError('heroku-unavailable', `the source could not be uploaded (${status || 'no answer'}); run again`);
    }
    await pause(patience.baseMs * 2 ** (attempt - 1), signal);
  }
}

/**
 * Follow an output stream to its end. A cut is resumed with Range from the last byte seen; NULs, which keep idle connections open,
 * are not part of the output and are not counted.
 */
export async function follow(
  network: Network,
  url: string,
  onText: (text: string) => void,
  patience: Patience,
  signal?: AbortSignal,
): Promise<void> {
  const agents = await network.agents('others');
  const decoder = new TextDecoder();
  const say = inLines(onText);
  let seen = 0;
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    const before = seen;
    let status = 0;
    try {
      const headers = seen > 0 ? { Range: `bytes=${seen}-` } : {};
      const answer = await open(new URL(url), { agents, headers, signal, timeoutMs: SILENCE_MS });
      status = answer.statusCode ?? 0;
      if (status === 416) break;
      if (status >= 200 && status < 300) {
        let skip = status === 206 ? 0 : seen;
        for await (const chunk of answer) {
          const bytes = Buffer.from(chunk as Uint8Array).filter((byte) => byte !== 0);
          const fresh = bytes.subarray(Math.min(skip, bytes.length));
          skip -= bytes.length - fresh.length;
          seen += fresh.length;
          const text = decoder.decode(fresh, { stream: true });
          if (text !== '') say(text);
          if (seen > LONGEST_ANSWER) throw tooLong({ service: 'Heroku', request: 'GET an output stream' });
        }
        break;
      }
      answer.resume();
    } catch (error) {
      signal?.throwIfAborted();
      // A cut: the connection failed before its end. Anything else is a proxy's, or a bug of ours, and shown.
      if ((error as NodeJS.ErrnoException).code === undefined || isKitError(error)) throw error;
    }
    failures = seen > before ? 0 : failures + 1;
    if (failures >= patience.attempts) {
      throw new KitError('heroku-unavailable', `an output stream could not be followed (${status || 'the connection failed'}); run again`);
    }
    await pause(Math.min(patience.baseMs * 2 ** Math.max(failures - 1, 0), 10_000), signal);
  }
  const rest = decoder.decode();
  if (rest !== '') say(rest);
}

/** Characters of a line, at most. */
const LONGEST_LINE = 16 * 1024;

/** What is longer than a line may be is cut. */
function inLines(onText: (text: string) => void): (text: string) => void {
  let length = 0;
  const cut = (part: string, index: number): string => {
    const before = index > 0 ? 0 : length;
    length = before + part.length;
    if (length <= LONGEST_LINE) return part;
    return before > LONGEST_LINE ? '' : `${part.slice(0, LONGEST_LINE - before)}…`;
  };
  return (text) => onText(text.split('\n').map(cut).join('\n'));
}
