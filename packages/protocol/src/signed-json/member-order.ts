/** Puts the members of one object into the order in which Python signs them. @module */
import { refuse, type Refusal } from '../refusal.ts';
import { asciiText } from './ascii-text.ts';
import { COMMA, isDigit, MINUS, SPACE, UPPER_I } from './ascii.ts';
import { compareKeys, compareNumberKeys, isNumberKey } from './key-order.ts';
import type { Scan } from './scan.ts';

/**
 * Sorts the members from `first` on, which end the text, and refuses a key that stands there twice.
 *
 * @returns nothing, or a refusal `E_VERIFY_DUPLICATE_KEY`
 */
export function orderMembers(scan: Scan, first: number): Refusal | undefined {
  if (!isAscending(scan, first)) {
    rewriteMembers(scan, sortedMembers(scan, first));
    if (!isAscending(scan, first)) return refuseDuplicate(scan, first);
  }
  // Of the initials of number keys only "f" and "t" sort behind "I", and false and true sort alike
  // in both orders: so it is enough to look at the first key.
  const initial = scan.text[scan.memberStart(first) + 1] ?? 0;
  if (isDigit(initial) || initial === MINUS || initial === UPPER_I) orderNumberKeys(scan, first);
  return undefined;
}

/**
 * What the engine sorts, it copies first and compares by calls: for the few members that a reading
 * has, insertion takes half as long and no memory. It is only for few, as its time grows with their
 * square.
 */
function sortedMembers(scan: Scan, first: number): number[] {
  const order = memberIndexes(scan, first);
  if (order.length > INSERTED_MEMBERS_MAX) return order.sort((a, b) => compareKeys(scan, a, b));
  for (let i = 1; i < order.length; i++) {
    const member = order[i] ?? first;
    let at = i;
    for (; at > 0; at--) {
      const before = order[at - 1] ?? first;
      if (compareKeys(scan, before, member) <= 0) break;
      order[at] = before;
    }
    order[at] = member;
  }
  return order;
}

/** Tells whether the members are sorted, without a key that stands there twice. */
function isAscending(scan: Scan, first: number): boolean {
  for (let i = first + 1; i < scan.memberCount; i++) {
    if (compareKeys(scan, i - 1, i) >= 0) return false;
  }
  return true;
}

/** If all keys are numbers: notes that they sort otherwise by value, or sorts them so. */
function orderNumberKeys(scan: Scan, first: number): void {
  const indexes = memberIndexes(scan, first);
  const keys = new Map(indexes.map((index) => [index, keyOf(scan, index)]));
  if (![...keys.values()].every(isNumberKey)) return;
  const order = indexes.toSorted((a, b) => compareNumberKeys(keys.get(a) ?? '', keys.get(b) ?? ''));
  if (order.every((member, i) => member === indexes[i])) return;
  scan.isNumericOrderDifferent = true;
  if (scan.keyOrder === 'numeric') rewriteMembers(scan, order);
}

/** Prints the members anew in the given order: behind the text first, then in their place. */
function rewriteMembers(scan: Scan, order: readonly number[]): void {
  const first = scan.memberCount - order.length;
  const shift = scan.length - scan.memberStart(first);
  let written = scan.length;
  let target = scan.memberCount;
  for (const member of order) {
    if (target > scan.memberCount) {
      scan.text[written++] = COMMA;
      scan.text[written++] = SPACE;
    }
    const start = scan.memberStart(member);
    const end = scan.memberEnd(member);
    const moved = written - shift - start;
    scan.setMember(target, start + moved, scan.keyEnd(member) + moved, end + moved);
    target += 1;
    copyBytes(scan.text, start, end, written);
    written += end - start;
  }
  copyBytes(scan.text, scan.length, written, scan.length - shift);
  for (let i = 0; i < order.length; i++) {
    const from = scan.memberCount + i;
    scan.setMember(first + i, scan.memberStart(from), scan.keyEnd(from), scan.memberEnd(from));
  }
}

/** Copies a range inside one array. A call into the engine only pays off for long ranges. */
function copyBytes(bytes: Uint8Array, start: number, end: number, target: number): void {
  if (end - start > 32) {
    bytes.copyWithin(target, start, end);
    return;
  }
  for (let i = start, j = target; i < end; i++, j++) bytes[j] = bytes[i] ?? 0;
}

const INSERTED_MEMBERS_MAX = 16;

function memberIndexes(scan: Scan, first: number): number[] {
  const indexes: number[] = [];
  for (let i = first; i < scan.memberCount; i++) indexes.push(i);
  return indexes;
}

function keyOf(scan: Scan, index: number): string {
  return asciiText(scan.text, scan.memberStart(index) + 1, scan.keyEnd(index));
}

/** Names the first key that stands there twice among the sorted members. */
function refuseDuplicate(scan: Scan, first: number): Refusal {
  let index = first;
  while (compareKeys(scan, index, index + 1) !== 0) index += 1;
  // Canonical text is printable ASCII: a hostile key cannot forge a line of the log.
  const key = keyOf(scan, index).slice(0, 40);
  return refuse('E_VERIFY_DUPLICATE_KEY', `The key "${key}" stands twice in one object.`);
}
