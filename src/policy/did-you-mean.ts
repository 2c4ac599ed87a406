/**
 * The name a typo was probably meant to be: the nearest by optimal string alignment distance
 * (insert, delete, substitute, swap neighbours), at most two edits and at most a third of the name.
 * Cost: length × length per candidate; words over 64 characters are never compared.
 */

const LONGEST_WORD = 64;

/** The nearest candidate, or null when none is near. */
export function nearestName(word: string, candidates: readonly string[]): string | null {
  if (word.length > LONGEST_WORD) return null;
  let nearest: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const allowed = Math.min(2, Math.ceil(candidate.length / 3));
    if (distance <= allowed && distance < least) {
      nearest = candidate;
      least = distance;
    }
  }
  return nearest;
}

/** `one of a, b, c`, with the likely one named when the word is near to it. */
export function expectOneOf(word: string, candidates: readonly string[]): string {
  const nearest = nearestName(word, candidates);
  const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
  return `one of ${candidates.join(', ')}${hint}`;
}

function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(substituted, previous[j]! + 1, row[j - 1]! + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, beforePrevious[j - 2]! + 1);
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length]!;
}
