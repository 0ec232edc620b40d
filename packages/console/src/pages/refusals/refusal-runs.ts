/** Refusals that follow each other and are alike, as one. Pure. @module */
import type { RefusalView } from '@holdfast/protocol/api';

/** A run of them. */
export interface RefusalRun {
  /** Of the oldest one: it stays the same while new ones come on top. */
  readonly key: number;
  readonly newest: RefusalView;
  /** When the oldest one came. */
  readonly firstAt: string;
  /** All together, with those that each one stands for. */
  readonly count: number;
}

/** Puts together what has the same reason, peer and address. Newest first, as it is given. */
export function runsOf(refusals: readonly RefusalView[]): RefusalRun[] {
  const runs: RefusalRun[] = [];
  for (const refusal of refusals) {
    const { index, at, count } = refusal;
    const before = runs.at(-1);
    if (before !== undefined && isAlike(before.newest, refusal)) {
      runs[runs.length - 1] = { ...before, key: index, firstAt: at, count: before.count + count };
    } else {
      runs.push({ key: index, newest: refusal, firstAt: at, count });
    }
  }
  return runs;
}

function isAlike(a: RefusalView, b: RefusalView): boolean {
  return (
    a.code === b.code &&
    a.principal === b.principal &&
    a.claimed === b.claimed &&
    a.address === b.address
  );
}
