/** Looks for refusals on the log, newest first, as far as one answer may look. @module */
import { REFUSALS_SEARCHED_MAX } from '@holdfast/protocol/api';
import type { History, RefusalRecord } from '../../telemetry/index.ts';
import { REFUSALS_PAGE } from '../limits.ts';

/** What refusals have to be like; everything, when it is empty. */
export interface RefusalWish {
  readonly limit: number;
  readonly before?: number | undefined;
  readonly device?: string | undefined;
  readonly address?: string | undefined;
  readonly code?: string | undefined;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** What was found. */
export interface FoundRefusals {
  readonly refusals: readonly RefusalRecord[];
  /** There may be more before this index. */
  readonly next?: number | undefined;
}

/** Looks back until there are enough, or it has looked at `REFUSALS_SEARCHED_MAX`. */
export async function searchRefusals(
  history: Pick<History<RefusalRecord>, 'read'>,
  wish: RefusalWish,
): Promise<FoundRefusals> {
  const refusals: RefusalRecord[] = [];
  // Without a filter all of a page is wanted, and no more than that.
  const pageLimit = isFiltered(wish) ? REFUSALS_PAGE : wish.limit;
  let { before } = wish;
  for (let looked = 0; looked < REFUSALS_SEARCHED_MAX; looked += pageLimit) {
    const page = await history.read({ limit: pageLimit, before });
    for (const refusal of page) {
      if (refusal.atMs < wish.sinceMs) return { refusals };
      if (!isMeant(refusal, wish)) continue;
      refusals.push(refusal);
      if (refusals.length === wish.limit) return { refusals, next: nextOf(refusal.index) };
    }
    if (page.length < pageLimit) return { refusals };
    before = page.at(-1)?.index;
  }
  return { refusals, next: before };
}

/** What is before the first entry need not be asked for. */
function nextOf(index: number): number | undefined {
  return index === 0 ? undefined : index;
}

/** Whether more has to be looked at than is given. */
export function isFiltered({ device, address, code, untilMs }: RefusalWish): boolean {
  return untilMs !== Infinity || [device, address, code].some((wanted) => wanted !== undefined);
}

function isMeant(refusal: RefusalRecord, wish: RefusalWish): boolean {
  const { device, address, code, untilMs } = wish;
  if (refusal.atMs >= untilMs) return false;
  if (code !== undefined && refusal.code !== code) return false;
  if (address !== undefined && refusal.address !== address) return false;
  // What was only claimed counts, too: whoever looks for a device wants to know who pretends to be it.
  return device === undefined || refusal.principal === device || refusal.claimed === device;
}
