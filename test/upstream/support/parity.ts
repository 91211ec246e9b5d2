import type { Outcome } from './run-cell.js';

/** What differs between any two runs: names, hashes, sizes, ports. */
const normalise = (text: string, outcome: Outcome): string =>
  text
    .replaceAll(outcome.label.replace(/-1\.0$/, ''), 'NAME')
    .replaceAll(outcome.hash.slice(0, 7), 'HASH')
    .replace(/(done, )[0-9a-f]{7}$/, '$1COMMIT')
    .replace(/(done, )\d+[KM]?B$/, '$1SIZE')
    .replace(/(localhost|127\.0\.0\.1):\d+/g, 'HOST')
    .replace(/\b[0-9a-f]{7}\b/g, 'HEX');

/** What haskell-on-heroku itself said in a build. */
export function said(outcome: Outcome, which: 'first' | 'second'): string[] {
  const lines = outcome[which]?.log.lines ?? [];
  const from = lines.findIndex((line) => line.includes('Welcome to Haskell on Heroku'));
  const to = lines.findIndex((line) => line.includes('Discovering process types'));
  return lines.slice(from, to).map((line) => normalise(line, outcome));
}

/** What it asked of S3, and was told. */
export const asked = (outcome: Outcome): string[] =>
  outcome.requests.map(({ operation, resource = '', acl, status, reason, signatureVersion }) =>
    normalise([operation, resource, acl ?? '-', `v${signatureVersion}`, status, reason ?? ''].join(' '), outcome),
  );
