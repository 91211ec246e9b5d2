import { distance } from 'fastest-levenshtein';

/** The candidate that `text` was most likely meant to be, or undefined where none is near. */
function nearest(text: string, candidates: Iterable<string>): string | undefined {
  const from = fold(text);
  const near = [...candidates]
    .map((candidate) => ({ candidate, to: fold(candidate) }))
    // A word left half typed is near as well: `eu-west` for `eu-west-1`.
    .map(({ candidate, to }) => ({ candidate, to, away: from.length >= 3 && to.startsWith(from) ? 1 : distance(from, to) }))
    .filter(({ to, away }) => away <= Math.max(2, Math.floor(text.length / 3)) && away < Math.max(from.length, to.length))
    .sort((a, b) => a.away - b.away);
  return near[0]?.candidate;
}

/** `did you mean "x"?`, or undefined. */
export function didYouMean(text: string, candidates: Iterable<string>): string | undefined {
  const candidate = nearest(text, candidates);
  return candidate === undefined ? undefined : `did you mean "${candidate}"?`;
}

const fold = (text: string): string => text.toLowerCase().replaceAll(/[-_\s]/g, '');
