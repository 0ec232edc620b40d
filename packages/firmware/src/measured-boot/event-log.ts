/**
 * The log of what was measured into the PCRs before the system ran.
 * @see TCG PC Client Platform Firmware Profile §10.2 (crypto-agile log)
 * @module
 */
import { createHash } from 'node:crypto';
import { type ByteReader, Malformed, readWhole } from './byte-reader.ts';
import { DIGESTS_MAX, EVENTS_MAX, EVENT_LOG_BYTES_MAX, PCRS_MAX } from './limits.ts';
import { TPM_ALG } from './tpm-codes.ts';

/** One measurement. */
export interface BootEvent {
  readonly pcr: number;
  /** SHA-256, in hexadecimal. */
  readonly digest: string;
}

/** Reads a crypto-agile event log. @returns undefined when it is none, or has no bank SHA-256. */
export function readEventLog(bytes: Uint8Array): readonly BootEvent[] | undefined {
  return readWhole(bytes, { order: 'little', bytesMax: EVENT_LOG_BYTES_MAX }, (reader) => {
    const sizes = readHeader(reader);
    const events: BootEvent[] = [];
    for (let count = 0; !reader.isAtEnd; count += 1) {
      if (count === EVENTS_MAX) throw new Malformed('too many events');
      const event = readEvent(reader, sizes);
      if (event !== undefined) events.push(event);
    }
    return events;
  });
}

/**
 * What the events make of the PCRs, which begin as zeros.
 * @returns by PCR, 32 bytes each; a PCR without an event is not in it.
 */
export function replay(events: readonly BootEvent[]): ReadonlyMap<number, Buffer> {
  const values = new Map<number, Buffer>();
  for (const { pcr, digest } of events) {
    const before = values.get(pcr) ?? Buffer.alloc(32);
    values.set(pcr, createHash('sha256').update(before).update(digest, 'hex').digest());
  }
  return values;
}

/** The first event is of the old form, and names the banks with their sizes. */
function readHeader(reader: ByteReader): ReadonlyMap<number, number> {
  if (reader.u32() !== 0 || reader.u32() !== EV_NO_ACTION) throw new Malformed('no header');
  reader.bytes(20);
  const length = reader.u32();
  const end = reader.at + length;
  if (!Buffer.from(reader.bytes(16)).equals(SIGNATURE)) throw new Malformed('no header');
  // Class of the platform, version of the specification, size of its integers.
  reader.bytes(8);
  const count = reader.u32();
  if (count === 0 || count > DIGESTS_MAX) throw new Malformed('number of banks');
  const sizes = new Map<number, number>();
  for (let bank = 0; bank < count; bank += 1) sizes.set(reader.u16(), reader.u16());
  reader.bytes(reader.u8());
  if (reader.at !== end) throw new Malformed('length of the header');
  if (sizes.get(TPM_ALG.sha256) !== 32) throw new Malformed('no SHA-256');
  return sizes;
}

function readEvent(reader: ByteReader, sizes: ReadonlyMap<number, number>): BootEvent | undefined {
  const pcr = reader.u32();
  const type = reader.u32();
  const count = reader.u32();
  if (count > DIGESTS_MAX) throw new Malformed('number of digests');
  let digest: string | undefined;
  for (let bank = 0; bank < count; bank += 1) {
    const algorithm = reader.u16();
    const size = sizes.get(algorithm);
    if (size === undefined) throw new Malformed('a bank that the header does not name');
    const bytes = reader.bytes(size);
    if (algorithm === TPM_ALG.sha256) digest = Buffer.from(bytes).toString('hex');
  }
  reader.bytes(reader.u32());
  // It tells something, and is measured into nothing.
  if (type === EV_NO_ACTION) return undefined;
  if (pcr >= PCRS_MAX || digest === undefined) throw new Malformed('an event of no PCR');
  return { pcr, digest };
}

const EV_NO_ACTION = 3;
const SIGNATURE = Buffer.from('Spec ID Event03\0', 'latin1');
