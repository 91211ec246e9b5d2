/** The candidate that `text` was most likely meant to be, or undefined where none is near. */
function nearest(text: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(text.length / 3)) + 1;
  for (const candidate of candidates) {
    const from = fold(text);
    const to = fold(candidate);
    // A word left half typed is near as well: `eu-west` for `eu-west-1`.
    const distance = from.length >= 3 && to.startsWith(from) ? 1 : editDistance(from, to);
    if (distance < bestDistance && distance < Math.max(from.length, to.length)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean "x"?`, or undefined. */
export function didYouMean(text: string, candidates: Iterable<string>): string | undefined {
  const candidate = nearest(text, candidates);
  return candidate === undefined ? undefined : `did you mean "${candidate}"?`;
}

const fold = (text: string): string => text.toLowerCase().replaceAll(/[-_\s]/g, '');

/** Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
