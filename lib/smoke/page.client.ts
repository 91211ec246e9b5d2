import { text as textOf } from 'node:stream/consumers';
import { pause } from '../heroku/pause.js';
import { open, type Network } from '../network/network.js';

/** Open the app's page until it says `nonce`. @returns what was seen: `found`, or the last status. */
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
    const text = await textOf(answer);
    if (answer.statusCode !== 200) return `status ${answer.statusCode}`;
    return text.includes(nonce) ? 'found' : 'another page';
  } catch (error) {
    signal?.throwIfAborted();
    const { code } = error as { code?: string };
    return `no answer${code ? ` (${code})` : ''}`;
  }
}
