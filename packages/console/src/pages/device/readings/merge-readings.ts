/** The newest readings in their order, from pages and from the stream. Pure. @module */
import type { ReadingView } from '@holdfast/protocol/api';

/** Puts readings together: each once, the newest first, no more than `max` of them. */
export function mergeReadings(
  known: readonly ReadingView[],
  more: readonly ReadingView[],
  max: number,
): readonly ReadingView[] {
  if (more.length === 0) return known;
  const byIndex = new Map([...known, ...more].map((reading) => [reading.index, reading]));
  return [...byIndex.values()].sort((a, b) => b.index - a.index).slice(0, max);
}
