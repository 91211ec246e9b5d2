import { pause } from '../heroku/pause.js';
import { bodyOf } from '../network/answers.js';
import { open, type Network } from '../network/network.js';
import type { Run } from './context.js';
import { proof } from './report.js';

/** Serve the deployed app's page, and find the run's nonce on it. */
export async function provePage(run: Run, app: { name: string; webUrl?: string }): Promise<void> {
  const { network, nonce, signal } = run;
  run.say('opening its page');
  await run.heroku.scale(app.name, 'web', 1);
  const seen = await openPage(app.webUrl, nonce, { network, timeoutMs: 90_000, signal });
  run.seen.proofs.push(proof('page shows the nonce', 'found', seen, 'page'));
}

/** Open the app's page until it says `nonce`. @returns what was seen: `found`, or the last status. @internal */
export async function openPage(
  webUrl: string | undefined,
  nonce: string,
  options: { network: Network; timeoutMs: number; signal?: AbortSignal },
): Promise<string> {
  if (webUrl === undefined) return 'the app has no URL';
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const seen = await look(options.network, webUrl, nonce, options.signal);
    if (seen === 'found' || Date.now() > deadline) return seen;
    // 503 until the dyno listens; a new host name may take a moment to be known.
    await pause(500, options.signal);
  }
}

async function look(network: Network, url: string, nonce: string, signal?: AbortSignal): Promise<string> {
  const limit = AbortSignal.timeout(10_000);
  try {
    const options = {
      agents: await network.agents('others'),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      timeoutMs: 10_000,
    };
    const answer = await open(new URL(url), options);
    const text = (await bodyOf(answer, { service: 'the app', request: 'GET its page' })).toString();
    if (answer.statusCode !== 200) return `status ${answer.statusCode}`;
    return text.includes(nonce) ? 'found' : 'another page';
  } catch (error) {
    signal?.throwIfAborted();
    const { code } = error as { code?: string };
    return `no answer${code ? ` (${code})` : ''}`;
  }
}
