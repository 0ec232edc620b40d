/** Signs an image for MCUboot, as its `imgtool sign` does. @module */
import { createHash } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import { keyAlgorithm, publicKeyOf } from '../metadata/index.ts';
import type { Signer } from '../request/index.ts';
import { ENTRY, HEADER_BYTES, IMAGE_MAGIC, LIST_HEAD_BYTES, LIST_MAGIC } from './format.ts';
import { ENTRY_HEAD_BYTES, type McubootVersion, TRAILER_MAGIC } from './format.ts';
import { MCUBOOT_BYTES_MAX } from './limits.ts';

/** How an image is signed. */
export interface McubootOptions {
  readonly version: McubootVersion;
  /** Security counter: MCUboot refuses a lower one where it is built to keep it. */
  readonly counter: number;
  /** Room for the header in bytes: 32 to 65,535, and what the image was linked for. */
  readonly headerBytes: number;
  /** The room is put before the image; otherwise the image begins with so many zeros. */
  readonly padHeader?: boolean;
  /** Fills the image up to a slot of so many bytes, ready to be tried: for a programmer. */
  readonly slot?: McubootSlot | undefined;
}

/** A slot, as MCUboot was built for it. */
export interface McubootSlot {
  readonly bytes: number;
  /** Smallest write of the flash in bytes: 1, 2, 4, 8, 16 or 32. By default 1. */
  readonly align?: number;
  /** What erased flash reads: by default 255. */
  readonly erased?: number;
  /** Most sectors of a slot: by default 128. */
  readonly sectors?: number;
}

/** The signed image; the same as the one that `imgtool sign` makes with the same options. */
export async function signMcuboot(
  image: Uint8Array,
  signer: Signer,
  options: McubootOptions,
): Promise<Uint8Array | Refusal> {
  const { headerBytes, padHeader = false, counter, slot } = options;
  if (!isWithin(headerBytes, HEADER_BYTES, 65_535)) return wrong('its header has no 32 bytes');
  if (image.length > MCUBOOT_BYTES_MAX) return wrong('it is too large');
  const hasRoom = image.length > headerBytes && !image.subarray(0, headerBytes).some(Boolean);
  if (!padHeader && !hasRoom) {
    return wrong(`it does not begin with ${headerBytes} zeros for the header`);
  }
  const body = padHeader ? image : image.subarray(headerBytes);
  const counterBytes = Buffer.alloc(4);
  counterBytes.writeUInt32LE(counter);
  const signedPart = Buffer.concat([
    header(options, body.length, LIST_HEAD_BYTES + ENTRY_HEAD_BYTES + counterBytes.length),
    body,
    list(LIST_MAGIC.protected, [[ENTRY.securityCounter, counterBytes]]),
  ]);
  const signed = Buffer.concat([signedPart, await signatureList(signedPart, signer)]);
  return slot === undefined ? signed : fillSlot(signed, slot);
}

function header({ version, headerBytes, padHeader }: McubootOptions, body: number, list: number) {
  const fill = padHeader === true ? ERASED : 0;
  const bytes = Buffer.alloc(headerBytes, fill);
  bytes.fill(0, 0, HEADER_BYTES);
  bytes.writeUInt32LE(IMAGE_MAGIC, 0);
  bytes.writeUInt16LE(headerBytes, 8);
  bytes.writeUInt16LE(list, 10);
  bytes.writeUInt32LE(body, 12);
  bytes.writeUInt8(version.major, 20);
  bytes.writeUInt8(version.minor, 21);
  bytes.writeUInt16LE(version.revision, 22);
  bytes.writeUInt32LE(version.build, 24);
  return bytes;
}

async function signatureList(signedPart: Buffer, signer: Signer): Promise<Buffer> {
  const digest = createHash('sha256').update(signedPart).digest();
  const spki = publicKeyOf(signer.key)?.export({ format: 'der', type: 'spki' });
  if (spki === undefined) throw new TypeError('the signer has no public key');
  const keyHash = createHash('sha256').update(spki).digest();
  // ECDSA hashes the image itself; Ed25519 signs the hash as its message.
  const isEd25519 = keyAlgorithm(signer.key) === 'ed25519';
  const signature = await signer.sign(isEd25519 ? digest : signedPart);
  return list(LIST_MAGIC.plain, [
    [ENTRY.sha256, digest],
    [ENTRY.keyHash, keyHash],
    [isEd25519 ? ENTRY.ed25519 : ENTRY.ecdsa, signature],
  ]);
}

function list(magic: number, entries: readonly (readonly [number, Uint8Array])[]): Buffer {
  const parts = entries.map(([type, value]) => {
    const head = Buffer.alloc(ENTRY_HEAD_BYTES);
    head.writeUInt16LE(type, 0);
    head.writeUInt16LE(value.length, 2);
    return Buffer.concat([head, value]);
  });
  const content = Buffer.concat(parts);
  const head = Buffer.alloc(LIST_HEAD_BYTES);
  head.writeUInt16LE(magic, 0);
  head.writeUInt16LE(LIST_HEAD_BYTES + content.length, 2);
  return Buffer.concat([head, content]);
}

/** Status area, four flags, and the magic at the end that asks for a trial. */
function fillSlot(signed: Buffer, slot: McubootSlot): Buffer | Refusal {
  const { bytes, align = 1, erased = ERASED, sectors = 128 } = slot;
  if (!ALIGNMENTS.has(align)) return wrong(`${align} is no alignment of a flash`);
  if (!isWithin(bytes, 1, MCUBOOT_BYTES_MAX) || !isWithin(sectors, 1, 65_535)) {
    return wrong('its slot has no such size');
  }
  const aligned = Math.max(align, FLAG_ALIGN_MIN);
  const magicBytes = Math.ceil(TRAILER_MAGIC.length / aligned) * aligned;
  const trailer = sectors * 3 * align + aligned * 4 + magicBytes;
  if (signed.length + trailer > bytes) {
    const least = signed.length + trailer;
    return wrong(`with the trailer it takes ${least} bytes, its slot has ${bytes}`);
  }
  const filled = Buffer.alloc(bytes, erased);
  filled.set(signed);
  filled.set(trailerMagic(aligned), bytes - TRAILER_MAGIC.length);
  return filled;
}

/** Beyond an alignment of 8 the magic begins with the alignment. */
function trailerMagic(aligned: number): Buffer {
  if (aligned === FLAG_ALIGN_MIN) return TRAILER_MAGIC;
  const magic = Buffer.from('00002de15d29410b8d77679c110f1f8a', 'hex');
  magic.writeUInt16LE(aligned);
  return magic;
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function wrong(problem: string): Refusal {
  return refuse('E_UPDATE_MCUBOOT', `The image cannot be signed for MCUboot: ${problem}.`);
}

const ERASED = 0xff;
const ALIGNMENTS: ReadonlySet<number> = new Set([1, 2, 4, 8, 16, 32]);
const FLAG_ALIGN_MIN = 8;
