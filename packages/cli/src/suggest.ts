/** Finds what a person probably meant. @module */

/** The candidate nearest to `text`, if one is near enough to be meant. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const farthest = Math.max(1, Math.floor(text.length / 3));
  const [best] = candidates
    .map((candidate) => ({ candidate, edits: edits(text, candidate) }))
    .filter(({ edits }) => edits <= farthest)
    .sort((a, b) => a.edits - b.edits);
  return best?.candidate;
}

/** Insertions, deletions, replacements and swaps of neighbors between two texts. */
function edits(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      let least = (previous[j - 1] ?? 0) + (isSame ? 0 : 1);
      least = Math.min(least, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? Infinity) + 1);
      }
      current.push(least);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
