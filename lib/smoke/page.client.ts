import { pause } from '../heroku/pause.js';
import type { Run } from './context.js';
import { proof } from './proofs.plan.js';
import type { Proof } from './report.js';

/** Serve the deployed app's page, and find the run's nonce on it. */
export async function provePage({ heroku, nonce, signal, say }: Run, app: { name: string; webUrl?: string }): Promise<Proof> {
  say('opening its page');
  await heroku.scale(app.name, 'web', 1);
  return proof('page shows the nonce', 'found', await openPage(app.webUrl, nonce, { timeoutMs: 90_000, signal }), 'page');
}

/** Open the app's page until it says `nonce`. @returns what was seen: `found`, or the last status. */
export async function openPage(
  webUrl: string | undefined,
  nonce: string,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<string> {
  if (webUrl === undefined) return 'the app has no URL';
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const seen = await look(webUrl, nonce, options.signal);
    if (seen === 'found' || Date.now() > deadline) return seen;
    // 503 until the dyno listens; a new host name may take a moment to be known.
    await pause(500, options.signal);
  }
}

async function look(url: string, nonce: string, signal?: AbortSignal): Promise<string> {
  const limit = AbortSignal.timeout(10_000);
  try {
    const answer = await fetch(url, { signal: signal ? AbortSignal.any([signal, limit]) : limit });
    const text = await answer.text();
    if (answer.ok && text.includes(nonce)) return 'found';
    return answer.ok ? 'another page' : `status ${answer.status}`;
  } catch (error) {
    signal?.throwIfAborted();
    const cause = (error as { cause?: { code?: string } }).cause?.code;
    return `no answer${cause ? ` (${cause})` : ''}`;
  }
}
