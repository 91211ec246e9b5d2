import type { z } from 'zod';
import type { ErrorCode } from '../error-codes.js';
import { isKitError, KitError } from '../errors.js';
import type { IoHost } from '../io/io-host.js';
import type { Agents, Network } from '../network/network.js';
import { inShape, type Asked } from '../network/answers.js';
import { foreign } from '../io/redaction.js';
import { Gate } from './gate.js';
import { pause } from './pause.js';
import { judge, type Outcome, type Patience, type Verdict } from './retry.plan.js';
import { exchange, Late, WireError, type WireAnswer, type WireRequest } from './wire.js';

export interface Call {
  readonly method: WireRequest['method'];
  readonly path: string;
  readonly body?: unknown;
  readonly range?: string;
  /** Sending it twice does no harm. Default: GET, PUT and DELETE. */
  readonly repeatable?: boolean;
  /** Comes right before every attempt; stops it by throwing. */
  readonly guard?: () => Promise<void>;
}

export interface Reply<T> {
  readonly value: T;
  readonly nextRange?: string;
}

/** Attempts that fail within `reachMs`, as long as no connection ever stood: the host may be a wrong one, and somebody waits to be told. */
const UNREACHED = 4;

/** The Platform API as calls that end in a value or a KitError. */
export class Transport {
  readonly #gate: Gate;
  #agents?: Promise<Agents>;
  constructor(
    private readonly options: {
      readonly host: string;
      readonly token: string;
      readonly tokenFrom?: string;
      readonly io: IoHost;
      readonly patience: Patience;
      readonly network: Network;
      readonly concurrency: number;
      readonly signal?: AbortSignal;
    },
  ) {
    this.#gate = new Gate(options.concurrency);
  }

  /** @param shape - of the answer. @throws KitError `unexpected-answer` where it has another, and what the interface says. */
  async call<T>(call: Call, shape: z.ZodType<T>): Promise<Reply<T>> {
    const { io, patience } = this.options;
    // What is begun after the end was asked for tidies up, and waits like anything else.
    const signal = this.options.signal?.aborted ? undefined : this.options.signal;
    const repeatable = call.repeatable ?? ['GET', 'PUT', 'DELETE'].includes(call.method);
    let waitedMs = 0;
    let failures = 0;
    let limits = 0;
    let until = 0;
    for (;;) {
      const { outcome, limited, verdict } = await this.#gate.run(async () => {
        until ||= Date.now() + patience.reachMs;
        const outcome = await this.#attempt(call, until, call.method === 'GET' ? signal : undefined);
        const limited = 'status' in outcome && outcome.status === 429;
        const attempts = this.#reached ? patience.attempts : Math.min(patience.attempts, UNREACHED);
        const judged = judge(outcome, repeatable, limited ? ++limits : ++failures, waitedMs, { ...patience, attempts });
        // Begun later, an attempt would have too little time left, and hide what a proxy says.
        const inTime = this.#reached || !('afterMs' in judged) || Date.now() + judged.afterMs < until - patience.reachMs / 2;
        const verdict: Verdict = inTime ? judged : { do: 'give-up' };
        // Said before the place is given up, so that nobody overtakes the pause.
        if (limited && verdict.do === 'again') this.#gate.holdFor(verdict.afterMs);
        return { outcome, limited, verdict };
      }, signal);
      if (verdict.do === 'answer' && 'status' in outcome) return read(call, shape, outcome, repeatable, this.options.tokenFrom);
      if (verdict.do === 'look') throw ambiguous(call);
      if (verdict.do !== 'again') throw limited ? rateLimited(call) : unavailable(call, outcome, this.options.host);
      if (limited) {
        waitedMs += verdict.afterMs;
        io.warn(`Heroku's rate limit is reached; going on in ${Math.ceil(verdict.afterMs / 1000)} s`);
      } else {
        // Who waits for so long is told why.
        const say = 'cause' in outcome && outcome.cause instanceof Late ? io.warn : io.debug;
        say(`${what(call)}: ${describe(outcome)}; trying again`);
        await pause(verdict.afterMs, signal);
      }
    }
  }

  /** Of the account's requests, as the last answer said. */
  get remaining(): number {
    return this.#gate.remaining;
  }

  get #reached(): boolean {
    return this.options.network.reached.has(this.options.host);
  }

  /** @param until - when a first connection must stand. @param signal - ends it at once. */
  async #attempt(call: Call, until: number, signal?: AbortSignal): Promise<Outcome> {
    const { host, token, patience, io, network } = this.options;
    try {
      const agents = await (this.#agents ??= network.agents('others'));
      await call.guard?.();
      const answered = network.time.asked();
      const reachMs = this.#reached ? undefined : until - Date.now();
      const answer = await exchange({ ...call, host, token, agents, timeoutMs: patience.timeoutMs, reachMs, signal });
      answered(answer.headers.date);
      network.reached.add(host);
      this.#gate.note(Number(answer.headers['ratelimit-remaining']));
      io.debug(`${call.method} ${call.path} ${answer.status}`);
      return answer;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      signal?.throwIfAborted();
      if (error.sent) network.reached.add(host);
      io.debug(`${call.method} ${call.path} ${error.message}`);
      return { lost: true, sent: error.sent, cause: error.cause };
    }
  }
}

function read<T>(call: Call, shape: z.ZodType<T>, answer: WireAnswer, repeatable: boolean, tokenFrom?: string): Reply<T> {
  if (answer.status < 200 || answer.status > 299) throw refusal(call, answer, tokenFrom);
  let json: unknown;
  try {
    json = answer.text === '' ? undefined : JSON.parse(answer.text);
  } catch {
    // The parser's message quotes the body, which may hold config vars: it goes no further.
    throw repeatable
      ? new KitError('heroku-unavailable', `${what(call)} was not answered in JSON; is a proxy in between?`)
      : ambiguous(call);
  }
  const nextRange = answer.headers['next-range'];
  return { value: inShape(shape, json, asked(call)), ...(typeof nextRange === 'string' ? { nextRange } : {}) };
}

const asked = ({ method, path }: Call): Asked => ({ service: 'Heroku', request: `${method} ${path}` });
const what = (call: Call): string => `Heroku's ${call.method} ${call.path}`;

function describe(outcome: Outcome): string {
  return 'status' in outcome
    ? `answered ${outcome.status}`
    : outcome.cause instanceof Late
      ? outcome.cause.message
      : outcome.sent
        ? 'the answer was lost'
        : 'no connection';
}

function unavailable(call: Call, outcome: Outcome, host: string): KitError {
  if ('lost' in outcome && isKitError(outcome.cause)) return outcome.cause; // A proxy's.
  if ('lost' in outcome && !outcome.sent)
    return new KitError('heroku-unavailable', `Heroku cannot be reached at ${host}; check the network, and HEROKU_HOST if it is set`);
  return new KitError('heroku-unavailable', `${what(call)} failed (${describe(outcome)}); see https://status.heroku.com and run again`);
}

const rateLimited = (call: Call): KitError =>
  new KitError(
    'heroku-rate-limited',
    `${what(call)} is over the account's rate limit (4,500 requests an hour, all tools together); run again later`,
  );

const ambiguous = (call: Call): KitError =>
  new KitError('heroku-ambiguous', `${what(call)} may or may not have taken effect: its answer was lost; run again, which looks first`);

/** Heroku's error answers (id and message, https://devcenter.heroku.com/articles/platform-api-reference#errors) as ours. */
function refusal(call: Call, answer: WireAnswer, tokenFrom?: string): KitError {
  const body = parsed(answer.text);
  const says = foreign(body.message ?? `status ${answer.status}`).replace(/\.$/, '');
  const details = {
    status: answer.status,
    ...(body.id === undefined ? {} : { id: foreign(body.id) }),
    requestId: answer.headers['request-id'],
  };
  const app = /^\/(?:teams\/)?apps\/([^/]+)/.exec(call.path)?.[1];
  const error = (code: ErrorCode, message: string) => new KitError(code, message, { details });
  switch (answer.status) {
    case 401:
      return error(
        'heroku-unauthorized',
        `Heroku does not accept the token (${says}); set another ${tokenFrom ?? 'HEROKU_API_KEY or run `heroku login`'}`,
      );
    case 402:
    case 403:
      return error(
        'heroku-forbidden',
        `Heroku refused ${call.method} ${call.path}: ${says}; ask for access, or use an account that has it`,
      );
    case 404:
      return app !== undefined && (body.resource === 'app' || /couldn't find that app/i.test(says))
        ? error('app-not-found', `Heroku has no app "${app}" that this account may see; create it, or check its name and your access`)
        : error('heroku-not-found', `Heroku has no ${call.path}: ${says}`);
    case 422:
      return error('heroku-invalid', `Heroku refused ${call.method} ${call.path} as invalid: ${says}`);
    default:
      return error('heroku-refused', `Heroku refused ${call.method} ${call.path} with ${answer.status}: ${says}`);
  }
}

function parsed(text: string): { id?: string; message?: string; resource?: string } {
  try {
    const value = JSON.parse(text) as Record<string, unknown> | null;
    const field = (name: string) => (typeof value?.[name] === 'string' ? (value[name] as string) : undefined);
    return { id: field('id'), message: field('message'), resource: field('resource') };
  } catch {
    return {};
  }
}
