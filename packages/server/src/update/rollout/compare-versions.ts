/** The order of versions of releases. @module */

/**
 * Below 0 when `a` is older than `b`, above when it is newer. Numbers count as numbers; what
 * follows a hyphen comes before the version without it, and what follows a plus does not count.
 * Semantic Versioning 2.0 §11, for any number of parts.
 */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [partsOf(a), partsOf(b)];
  const byNumbers = compareParts(first.main, second.main, '0');
  if (byNumbers !== 0) return byNumbers;
  if (first.pre === undefined || second.pre === undefined) {
    return Number(first.pre === undefined) - Number(second.pre === undefined);
  }
  return compareParts(first.pre, second.pre, undefined);
}

function partsOf(version: string): { main: string[]; pre: string[] | undefined } {
  const [text = ''] = version.split('+');
  const at = text.indexOf('-');
  if (at === -1) return { main: text.split('.'), pre: undefined };
  return { main: text.slice(0, at).split('.'), pre: text.slice(at + 1).split('.') };
}

/** @param missing - what stands for a part that one of them lacks; without it, it is older. */
function compareParts(
  a: readonly string[],
  b: readonly string[],
  missing: string | undefined,
): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [one, other] = [a[at] ?? missing, b[at] ?? missing];
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
    const order = comparePart(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(a: string, b: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/u.test(a), /^\d+$/u.test(b)];
  if (isNumber && isOtherNumber) return Number(a) - Number(b);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
