import { hostedHash } from '../contract/index.js';
import { KitError } from '../errors.js';
import type { Network } from '../network/network.js';
import { anonymousGet } from '../storage/halcyon-requests.js';
import { sha256Of } from './pack.js';

/** What anyone who asks for the SigV4 buildpack is given. */
export interface ServedBuildpack {
  readonly url: string;
  /** Undefined where there was no answer. */
  readonly status?: number;
  readonly failure?: string;
  /** Hash of what was served, where it is not the one that the URL names. */
  readonly tampered?: string;
}

/** Fetch the buildpack as Heroku does, and compare it with the hash in its name; one that was never ours has none. */
export async function servedBuildpack(url: string, options: { network: Network; signal?: AbortSignal }): Promise<ServedBuildpack> {
  const { status, failure, body } = await anonymousGet(url, options);
  const found = status === 200 ? sha256Of(body) : undefined;
  const wanted = hostedHash(url);
  return {
    url,
    status,
    failure: failure && `${failure.code}: ${failure.message}`,
    tampered: wanted === undefined || found === wanted ? undefined : found,
  };
}

/**
 * Before apps are pointed at it, or a build is made with it. One that is not served at all is not for here to judge.
 * @throws KitError `buildpack-tampered`.
 */
export async function refuseTampered(url: string | undefined, options: { network: Network; signal?: AbortSignal }): Promise<void> {
  if (url === undefined || hostedHash(url) === undefined) return;
  const served = await servedBuildpack(url, options);
  if (served.tampered !== undefined) throw tampered(url, served.tampered);
}

export const tampered = (place: string, found: string): KitError =>
  new KitError(
    'buildpack-tampered',
    `${place} does not hold the SigV4 buildpack that its name promises but something else (sha256 ${found}), and every build with it has run that; see "The buildpack was swapped" in docs/security.md`,
  );
