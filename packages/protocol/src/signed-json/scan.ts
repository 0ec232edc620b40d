/** The state of one pass over a JSON text, shared by the scanners of strings, numbers, structure. @module */
import { refuse, type Refusal } from '../refusal.ts';
import { CARRIAGE_RETURN, END, LINE_FEED, SPACE, TAB } from './ascii.ts';

/** Order in which an object's members are printed: see `SignedJson.numericOrderBytes`. */
export type KeyOrder = 'text' | 'numeric';

/**
 * One pass: reads `input` at `position`, appends the canonical text to `text` at `length`.
 *
 * `text` and the member table are scratch memory that the next pass overwrites: whoever wants to
 * keep the result copies it before anything else is scanned.
 */
export class Scan {
  readonly input: Uint8Array;
  readonly depthMax: number;
  readonly keyOrder: KeyOrder;
  position = 0;

  readonly text: Uint8Array;
  length = 0;

  /** Members of all open objects as a stack; those of an outermost object stay when it closes. */
  readonly members: Int32Array;
  memberCount = 0;
  /** Some object has numbers as keys, and sorts by number otherwise than by text. */
  isNumericOrderDifferent = false;

  constructor(input: Uint8Array, depthMax: number, keyOrder: KeyOrder) {
    this.input = input;
    this.depthMax = depthMax;
    this.keyOrder = keyOrder;
    if (textScratch.length < input.length * TEXT_BYTES_PER_BYTE) {
      textScratch = new Uint8Array(input.length * TEXT_BYTES_PER_BYTE);
      memberScratch = new Int32Array(input.length * MEMBER_SLOTS_PER_BYTE);
    }
    this.text = textScratch;
    this.members = memberScratch;
  }

  /** The byte at the position, or {@link END}. */
  peek(): number {
    return this.input[this.position] ?? END;
  }

  /** Moves on to the next byte that is no white space, and returns it. */
  skipSpace(): number {
    let byte = this.peek();
    while (
      byte === SPACE ||
      byte === LINE_FEED ||
      byte === CARRIAGE_RETURN ||
      byte === TAB // RFC 8259 §2
    ) {
      this.position += 1;
      byte = this.peek();
    }
    return byte;
  }

  /** Appends one byte to the text. */
  put(byte: number): void {
    this.text[this.length] = byte;
    this.length += 1;
  }

  /** Appends a comma or a colon, and the blank that Python puts behind both. */
  putSeparator(byte: number): void {
    this.put(byte);
    this.put(SPACE);
  }

  /** Notes a member of the object that is open: see `memberStart`, `keyEnd`, `memberEnd`. */
  pushMember(start: number, keyEnd: number): void {
    this.setMember(this.memberCount, start, keyEnd, this.length);
    this.memberCount += 1;
  }

  setMember(index: number, start: number, keyEnd: number, end: number): void {
    const slot = index * MEMBER_SLOTS;
    this.members[slot] = start;
    this.members[slot + 1] = keyEnd;
    this.members[slot + 2] = end;
  }

  /** Where a member starts in the text: at the opening quote of its key. */
  memberStart(index: number): number {
    return this.members[index * MEMBER_SLOTS] ?? 0;
  }

  /** Where a member's key ends in the text: at its closing quote. */
  keyEnd(index: number): number {
    return this.members[index * MEMBER_SLOTS + 1] ?? 0;
  }

  /** Where a member's value starts in the text: behind the quote, the colon and the blank. */
  valueStart(index: number): number {
    return this.keyEnd(index) + 3;
  }

  /** Where a member ends in the text: behind its value. */
  memberEnd(index: number): number {
    return this.members[index * MEMBER_SLOTS + 2] ?? 0;
  }

  /** A refusal that says where the text is wrong and what would have been right. */
  expected(what: string, at: number = this.position): Refusal {
    const byte = this.input[at];
    const found = byte === undefined ? 'the end' : `0x${byte.toString(16).padStart(2, '0')}`;
    return refuse('E_VERIFY_JSON', `Byte ${at} should be ${what}, but is ${found}.`);
  }
}

/** Numbers in the table for one member: start, end of the key, end. */
const MEMBER_SLOTS = 3;

/**
 * A raw DEL takes one byte and its escape six, no other byte grows more; and sorting needs the same
 * room again. A member takes five bytes (`"":1,`), and twice three slots while it is sorted.
 */
const TEXT_BYTES_PER_BYTE = 12;
const MEMBER_SLOTS_PER_BYTE = 2;

// Reused, because allocating them would cost as much as scanning a usual payload. A pass never
// waits for anything, so that no two passes can be under way.
let textScratch: Uint8Array = new Uint8Array(0);
let memberScratch: Int32Array = new Int32Array(0);
