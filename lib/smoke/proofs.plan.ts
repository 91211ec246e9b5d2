import type { AppStorage } from '../contract/index.js';
import type { BuildLog } from './log.js';
import type { Proof } from './report.js';

export const proof = (title: string, expected: string, observed: string, about?: Proof['about']): Proof => ({
  proof: title,
  expected,
  observed,
  ok: expected === observed,
  ...(about ? { about } : {}),
});

/** What a build of the planted source proves in a mode with private storage. */
export function plantedProofs(log: BuildLog, expected: { storage: string; hash: string; archive: string; label: string }): Proof[] {
  const found = log.install;
  return [
    proof('build finds the storage', expected.storage, log.storage ?? 'nothing said of it'),
    proof('build computes the source hash foreseen', expected.hash.slice(0, 7), log.sourceHash ?? 'none', 'source'),
    proof('build takes the archive from the bucket', `${expected.archive} done`, found ? `${found.url} ${found.outcome}` : 'no download'),
    proof('app is deployed', expected.label, log.deployed ?? (log.buildpackOnly ? 'buildpack only' : 'no')),
  ];
}

/** What a build proves in mode `public`: that nothing private is found. */
export const publicProofs = (log: BuildLog): Proof[] => [
  proof('build finds no private storage', 'public', log.storage ?? 'nothing said of it'),
  proof('build makes no request to a private bucket', 'none', requestsOf(log, /^/)),
];

/** What a build proves where it may not write: Halcyon does not even try. */
export function unwrittenProofs(log: BuildLog, { mode, clean }: AppStorage): Proof[] {
  if (mode === 'read-only') return [proof('build writes nothing to the bucket', 'none', requestsOf(log, /^(Uploading|Deleting)$/))];
  return mode === 'upload' && clean === false ? [proof('build deletes nothing', 'none', requestsOf(log, /^Deleting$/))] : [];
}

function requestsOf({ requests }: BuildLog, actions: RegExp): string {
  const made = requests.filter(({ action, url }) => url.startsWith('s3://') && actions.test(action));
  return made.length === 0 ? 'none' : `${made.length}: ${made[0]?.url}`;
}
