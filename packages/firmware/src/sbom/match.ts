/** Whether a vulnerability is in a version. @see https://ossf.github.io/osv-schema/#evaluation @module */
import type { Advisory, RangeEvent } from './osv.ts';
import type { PackageVersion } from './purl.ts';
import { type VersionOrder, packageOrder, semverOrder } from './version-order.ts';

/**
 * Whether this version is affected. A version that cannot be compared with those of a range counts
 * as affected: better one to look at too much than one too few.
 */
export function isAffected(
  { ranges, versions, release }: Advisory,
  { version, release: own }: Pick<PackageVersion, 'version' | 'release'>,
): boolean {
  // Each release of a distribution has its own versions; who does not say which one has them all.
  if (release !== undefined && own !== undefined && release !== own) return false;
  return versions.includes(version) || ranges.some((range) => isInRange(range, version));
}

function isInRange({ type, events }: Advisory['ranges'][number], version: string): boolean {
  const order = type === 'SEMVER' ? semverOrder : packageOrder;
  let affected = false;
  for (const event of inOrder(events, order)) {
    const at = versionOf(event);
    const compared = at === '0' && 'introduced' in event ? 1 : order(version, at);
    if (compared === undefined) return true;
    if ('introduced' in event && compared >= 0) affected = true;
    if ('fixed' in event && compared >= 0) affected = false;
    if ('lastAffected' in event && compared > 0) affected = false;
  }
  return affected;
}

function versionOf(event: RangeEvent): string {
  if ('introduced' in event) return event.introduced;
  return 'fixed' in event ? event.fixed : event.lastAffected;
}

/** Records are not bound to list their events in order; `0` stands before every version. */
function inOrder(events: readonly RangeEvent[], order: VersionOrder): RangeEvent[] {
  return events.toSorted((one, other) => {
    const [left, right] = [versionOf(one), versionOf(other)];
    if (left === '0' || right === '0') return Number(right === '0') - Number(left === '0');
    return order(left, right) ?? 0;
  });
}
