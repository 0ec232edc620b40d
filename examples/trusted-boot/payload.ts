/**
 * A stand-in for a kernel: prints a line on the serial port of QEMU's `virt` machine and switches
 * the machine off, or resets it as a kernel does that panics. Assembled by hand, so that the
 * example needs no cross compiler. @module
 */

/** What the payload does after it has printed its line: a reset stands for a crash. */
export type PayloadEnd = 'power-off' | 'reset';

/** Makes the payload, in the form of a Linux kernel for arm64. */
export function makePayload(line: string, end: PayloadEnd): Buffer {
  const code = Buffer.alloc(CODE.length * 4);
  CODE.forEach(([word], index) => code.writeUInt32LE(word, index * 4));
  if (end === 'reset') code.writeUInt32LE(SYSTEM_RESET, PSCI_FUNCTION_AT * 4);
  const body = Buffer.concat([code, Buffer.from(`${line}\r\n\0`, 'latin1')]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(BRANCH_OVER_HEADER, 0);
  header.writeBigUInt64LE(BigInt(HEADER_BYTES + body.length), IMAGE_SIZE_AT);
  header.write('ARMd', MAGIC_AT, 'latin1');
  return Buffer.concat([header, body]);
}

/** Instructions of AArch64; the line follows behind the last one. */
const CODE: readonly (readonly [word: number, assembly: string])[] = [
  [0xd2a12002, 'movz x2, #0x0900, lsl #16  ; data register of the PL011, 0x09000000'],
  [0x10000121, 'adr  x1, line              ; nine instructions ahead'],
  [0x38401423, 'loop: ldrb w3, [x1], #1'],
  [0x34000063, 'cbz  w3, done'],
  [0xb9000043, 'str  w3, [x2]'],
  [0x17fffffd, 'b    loop'],
  [0x52800100, 'done: movz w0, #8          ; PSCI SYSTEM_OFF, 0x84000008'],
  [0x72b08000, 'movk w0, #0x8400, lsl #16'],
  [0xd4000002, 'hvc  #0'],
  [0x14000000, 'b    .'],
];

/** `movz w0, #9`: PSCI SYSTEM_RESET, 0x84000009. */
const SYSTEM_RESET = 0x52800120;
const PSCI_FUNCTION_AT = 6;

/** @see https://docs.kernel.org/arch/arm64/booting.html */
const HEADER_BYTES = 64;
const IMAGE_SIZE_AT = 16;
const MAGIC_AT = 56;
/** `b #64` */
const BRANCH_OVER_HEADER = 0x14000010;
