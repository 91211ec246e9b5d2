import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Notify } from '../config/model.js';
import { outgoing, registerSecret } from '../io/redaction.js';
import { open } from '../network/network.js';
import type { Entry } from './journal.js';
import type { Session } from './session.js';
import { commandOf, stepInWords } from './words.js';

/** All that is waited for one message, its attempts and the pauses between them. */
const BOUND_MS = 10_000;
const ATTEMPTS = 4;
/** SNS takes 256 KiB: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const LARGEST = 240_000;
/** Events that a chat shows. */
const SHOWN = 10;

type Told = Entry & { readonly team: string; readonly deployment: string };

/**
 * Tells topics and webhooks what runs did, beside the run: nothing waits for it before the end, then as long as the bound at most, and what
 * does not arrive is one warning.
 */
export class Notifier {
  readonly #sending: Array<Promise<string | undefined>> = [];

  constructor(
    private readonly session: Pick<Session, 'config' | 'host' | 'network' | 'aws'>,
    private readonly boundMs = BOUND_MS,
  ) {}

  /** Of a run that left no entry there is nothing to tell. */
  tell(team: string, entry: Entry | undefined): void {
    if (entry === undefined) return;
    const told = { ...entry, team, deployment: this.session.config.deployment };
    for (const target of this.session.config.notify ?? []) this.#sending.push(this.#send(target, told));
  }

  /** Once all that was told has arrived, or will not. */
  async settled(): Promise<void> {
    const failed = (await Promise.all(this.#sending)).filter((why) => why !== undefined);
    const more = failed.length > 1 ? `, and ${failed.length - 1} more` : '';
    if (failed.length > 0) this.session.host.io.warn(`not notified of what was done, which "halcyon-kit log" shows: ${failed[0]}${more}`);
  }

  /** @returns why it did not arrive. */
  async #send(target: Notify, told: Told): Promise<string | undefined> {
    const signal = AbortSignal.timeout(this.boundMs);
    const name = target.sns ?? target.webhook ?? `the webhook in ${target.webhookFrom}`;
    try {
      let why = '';
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        if (attempt > 1) await sleep(Math.min(500 * 2 ** (attempt - 2), this.boundMs / 10), undefined, { signal });
        why = await this.#attempt(target, told, signal).catch((error: NodeJS.ErrnoException) => {
          if (signal.aborted) throw error;
          return error.code ?? error.message;
        });
        if (why === '') return undefined;
        // The SDK has tried again itself.
        if (target.sns !== undefined || /^4(?!08|29)\d\d$|unset/.test(why)) break;
      }
      return `${name}: ${why}`;
    } catch (error) {
      return `${name}: ${signal.aborted ? `no answer within ${this.boundMs / 1000} s` : (error as Error).message}`;
    }
  }

  /** @returns nothing where it arrived. */
  async #attempt(target: Notify, told: Told, signal: AbortSignal): Promise<string> {
    const { env } = this.session.host;
    const missing = [target.webhookFrom, target.secretFrom].find((name) => name !== undefined && !env[name]);
    if (missing !== undefined) return `${missing} is unset`;
    if (target.sns !== undefined) {
      const { PublishCommand } = await import('@aws-sdk/client-sns');
      const Subject = cutTo(99, `halcyon-kit ${commandOf(told)} of ${told.team}: ${told.status}`);
      const client = await this.session.aws(target.sns.split(':')[3] ?? '').sns();
      await client.send(new PublishCommand({ TopicArn: target.sns, Subject, Message: bodyOf(told) }), { abortSignal: signal });
      return '';
    }
    const { url, body, headers } = this.#webhook(target, told);
    const agents = await this.session.network.agents('others', { keepAlive: false });
    const length = { 'content-length': String(body.length) };
    const answer = await open(url, { method: 'POST', headers: { ...headers, ...length }, body, agents, signal, timeoutMs: this.boundMs });
    answer.resume();
    const { statusCode = 0 } = answer;
    return statusCode >= 200 && statusCode < 300 ? '' : String(statusCode);
  }

  #webhook({ webhook, webhookFrom = '', secretFrom, format }: Notify, told: Told) {
    const { env } = this.session.host;
    const url = webhook ?? env[webhookFrom] ?? '';
    // A chat's address is all that keeps others from writing there.
    if (webhook === undefined) registerSecret(url);
    const secret = secretFrom === undefined ? undefined : env[secretFrom];
    registerSecret(secret);
    const body = Buffer.from(format === 'slack' ? outgoing(JSON.stringify({ text: inChat(told) })) : bodyOf(told));
    const signature = secret && createHmac('sha256', secret).update(body).digest('hex');
    const headers = { 'content-type': 'application/json', ...(signature ? { 'x-halcyon-signature': `sha256=${signature}` } : {}) };
    return { url: new URL(url), body, headers };
  }
}

const cutTo = (most: number, text: string): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** What others read, without secrets; where it is too long, without the single events. */
function bodyOf(told: Told): string {
  const whole = outgoing(JSON.stringify(told));
  if (Buffer.byteLength(whole) <= LARGEST) return whole;
  return outgoing(JSON.stringify({ ...told, events: [], eventsLeftOut: told.events.length }));
}

/** https://docs.slack.dev/messaging/formatting-message-text (three characters are escaped). */
function inChat({ team, status, summary, who, events, ...what }: Told): string {
  const shown = events
    .slice(-SHOWN)
    .map(({ step, principal, keyId, text }) => `• ${[stepInWords(step), principal, keyId, text].filter(Boolean).join(' ')}`);
  const lines = [`${team}: ${commandOf(what)} ${status}${summary === '' ? '' : `: ${summary}`} (${who})`, ...shown];
  if (events.length > SHOWN) lines.splice(1, 0, `• … ${events.length - SHOWN} steps before`);
  return lines.join('\n').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
