/** Writes event logs as firmware does. @module */
import type { BootEvent } from './event-log.ts';

/** A crypto-agile log with the bank SHA-256, or with others beside it. */
export function eventLogOf(
  events: readonly BootEvent[],
  { banks = [[0x000b, 32]] as readonly (readonly [number, number])[] } = {},
): Buffer {
  const header = Buffer.concat([
    Buffer.from('Spec ID Event03\0', 'latin1'),
    Buffer.from([0, 0, 0, 0, 0, 2, 0, 2]),
    u32(banks.length),
    ...banks.map(([algorithm, size]) => Buffer.concat([u16(algorithm), u16(size)])),
    Buffer.of(0),
  ]);
  const first = [u32(0), u32(3), Buffer.alloc(20), u32(header.length), header];
  const rest = events.map(({ pcr, digest }) => {
    const digests = banks.map(([algorithm, size]) => {
      const value = algorithm === 0x000b ? Buffer.from(digest, 'hex') : Buffer.alloc(size, 7);
      return Buffer.concat([u16(algorithm), value]);
    });
    const text = Buffer.from('event');
    return Buffer.concat([u32(pcr), u32(13), u32(banks.length), ...digests, u32(5), text]);
  });
  return Buffer.concat([...first, ...rest]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
