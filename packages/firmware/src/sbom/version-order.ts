/** Which of two versions is the older one. @module */
import { VERSION_CHARACTERS_MAX } from './limits.ts';

/** Orders two versions: negative, zero or positive; undefined when one of them is none. */
export type VersionOrder = (one: string, other: string) => number | undefined;

/** The order of Semantic Versioning; missing numbers count as zero. @see https://semver.org §11 */
export const semverOrder: VersionOrder = (one, other) => {
  const [left, right] = [readSemver(one), readSemver(other)];
  if (left === undefined || right === undefined) return undefined;
  const byNumber = firstDifference(left.numbers, right.numbers, compareNumbers);
  if (byNumber !== 0) return byNumber;
  if (left.pre.length === 0 || right.pre.length === 0) {
    return Number(left.pre.length === 0) - Number(right.pre.length === 0);
  }
  return firstDifference(left.pre, right.pre, compareIdentifiers);
};

/**
 * The order of Debian's packages, which serves for most others: runs of digits by their value,
 * the rest by letters, and `~` before everything.
 * @see Debian Policy §5.6.12
 */
export const packageOrder: VersionOrder = (one, other) => {
  const [left, right] = [one, other].map(splitParts);
  if (left === undefined || right === undefined) return undefined;
  return (
    compareNumbers(left.epoch, right.epoch) ||
    compareRuns(left.upstream, right.upstream) ||
    compareRuns(left.revision, right.revision)
  );
};

function readSemver(text: string): { numbers: string[]; pre: string[] } | undefined {
  if (text.length > VERSION_CHARACTERS_MAX) return undefined;
  const match = /^v?(\d+(?:\.\d+){0,2})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?$/u.exec(text);
  if (match === null) return undefined;
  const numbers = (match[1] ?? '').split('.');
  while (numbers.length < 3) numbers.push('0');
  return { numbers, pre: match[2]?.split('.') ?? [] };
}

function compareIdentifiers(one: string | undefined, other: string | undefined): number {
  if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
  const [isNumber, isOtherNumber] = [/^\d+$/u.test(one), /^\d+$/u.test(other)];
  if (isNumber && isOtherNumber) return compareNumbers(one, other);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  return compareText(one, other);
}

/** `epoch:upstream-revision`, of which the last hyphen counts. */
function splitParts(
  text: string,
): { epoch: string; upstream: string; revision: string } | undefined {
  if (text.length === 0 || text.length > VERSION_CHARACTERS_MAX) return undefined;
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/su.exec(text) ?? [];
  const hyphen = rest.lastIndexOf('-');
  if (hyphen < 0) return { epoch, upstream: rest, revision: '' };
  return { epoch, upstream: rest.slice(0, hyphen), revision: rest.slice(hyphen + 1) };
}

/** Runs of other characters and of digits in turn, as `dpkg --compare-versions`. */
function compareRuns(one: string, other: string): number {
  let [left, right] = [one, other];
  while (left !== '' || right !== '') {
    const [leftText = '', rightText = ''] = [/^\D*/u.exec(left)?.[0], /^\D*/u.exec(right)?.[0]];
    const byText = firstDifference(leftText.split(''), rightText.split(''), compareCharacters);
    if (byText !== 0) return byText;
    [left, right] = [left.slice(leftText.length), right.slice(rightText.length)];
    const [digits = '', others = ''] = [/^\d*/u.exec(left)?.[0], /^\d*/u.exec(right)?.[0]];
    const byNumber = compareNumbers(digits, others);
    if (byNumber !== 0) return byNumber;
    [left, right] = [left.slice(digits.length), right.slice(others.length)];
  }
  return 0;
}

/** A tilde before the end, the end before letters, letters before everything else. */
function compareCharacters(one = '', other = ''): number {
  return weightOf(one) - weightOf(other);
}

function weightOf(character: string): number {
  if (character === '~') return -1;
  if (character === '') return 0;
  const code = character.codePointAt(0) ?? 0;
  return /^[A-Za-z]$/u.test(character) ? code : code + 0x11_0000;
}

/** Whole numbers as text: they may have any length. */
function compareNumbers(one = '', other = ''): number {
  const [left, right] = [one.replace(/^0+/u, ''), other.replace(/^0+/u, '')];
  return left.length - right.length || compareText(left, right);
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function firstDifference<T>(
  one: readonly T[],
  other: readonly T[],
  compare: (left: T | undefined, right: T | undefined) => number,
): number {
  const length = Math.max(one.length, other.length);
  for (let index = 0; index < length; index += 1) {
    const order = compare(one[index], other[index]);
    if (order !== 0) return order;
  }
  return 0;
}
