/** Reads and verifies an image signed for MCUboot. @module */
import { type KeyObject, createHash, verify } from 'node:crypto';
import { Refusal, refuse } from '@holdfast/protocol';
import { describeKey } from '../detached/describe-key.ts';
import { ENTRY, ENTRY_HEAD_BYTES, HEADER_BYTES, IMAGE_MAGIC } from './format.ts';
import { LIST_HEAD_BYTES, LIST_MAGIC, type McubootVersion } from './format.ts';
import { MCUBOOT_BYTES_MAX, MCUBOOT_ENTRIES_MAX } from './limits.ts';

/** What a verified image says of itself. */
export interface McubootImage {
  readonly version: McubootVersion;
  /** Undefined when it has none. */
  readonly counter: number | undefined;
  /** Bytes of the header, and of the code behind it. */
  readonly headerBytes: number;
  readonly bodyBytes: number;
  /** Id, as in TUF, of the key that signed it. */
  readonly signer: string;
}

interface Entry {
  readonly type: number;
  readonly value: Uint8Array;
}

/** Verifies the hash, and the signature by one of the keys; what follows the image is not read. */
export function readMcuboot(bytes: Uint8Array, keys: readonly KeyObject[]): McubootImage | Refusal {
  if (bytes.length > MCUBOOT_BYTES_MAX) return wrong('it is too large');
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.length < HEADER_BYTES || view.readUInt32LE(0) !== IMAGE_MAGIC) {
    return wrong('it does not begin with the header of an image');
  }
  const headerBytes = view.readUInt16LE(8);
  const protectedBytes = view.readUInt16LE(10);
  const bodyBytes = view.readUInt32LE(12);
  const bodyEnd = headerBytes + bodyBytes;
  const signedEnd = bodyEnd + protectedBytes;
  if (headerBytes < HEADER_BYTES) return wrong('its header is too short');
  const guarded =
    protectedBytes === 0 ? [] : readList(view.subarray(bodyEnd, signedEnd), LIST_MAGIC.protected);
  const plain = readList(view.subarray(signedEnd), LIST_MAGIC.plain);
  if (guarded === undefined || plain === undefined) return wrong('its trailer is malformed');
  const signer = verifySigned(view.subarray(0, signedEnd), plain, keys);
  if (signer instanceof Refusal) return signer;
  const counter = counterOf(guarded);
  if (counter instanceof Refusal) return counter;
  const version = {
    major: view.readUInt8(20),
    minor: view.readUInt8(21),
    revision: view.readUInt16LE(22),
    build: view.readUInt32LE(24),
  };
  return { version, counter, headerBytes, bodyBytes, signer };
}

/** The entries of a list that begins here; a protected one has to take all of its place. */
function readList(bytes: Buffer, magic: number): Entry[] | undefined {
  if (bytes.length < LIST_HEAD_BYTES || bytes.readUInt16LE(0) !== magic) return undefined;
  const total = bytes.readUInt16LE(2);
  const isWhole = magic === LIST_MAGIC.protected ? total === bytes.length : total <= bytes.length;
  if (total < LIST_HEAD_BYTES || !isWhole) return undefined;
  const entries: Entry[] = [];
  for (let at = LIST_HEAD_BYTES; at < total;) {
    if (entries.length === MCUBOOT_ENTRIES_MAX || at + ENTRY_HEAD_BYTES > total) return undefined;
    const start = at + ENTRY_HEAD_BYTES;
    const end = start + bytes.readUInt16LE(at + 2);
    if (end > total) return undefined;
    entries.push({ type: bytes.readUInt16LE(at), value: bytes.subarray(start, end) });
    at = end;
  }
  return entries;
}

function verifySigned(
  signedPart: Uint8Array,
  entries: readonly Entry[],
  keys: readonly KeyObject[],
): string | Refusal {
  const valueOf = (type: number) => entries.find((entry) => entry.type === type)?.value;
  const digest = createHash('sha256').update(signedPart).digest();
  const claimed = valueOf(ENTRY.sha256);
  if (claimed === undefined || Buffer.compare(claimed, digest) !== 0) {
    return wrong('its hash is not the one in its trailer');
  }
  if (valueOf(ENTRY.pure) !== undefined) return wrong('it is signed in a form that is not read');
  const keyHash = valueOf(ENTRY.keyHash);
  const signer = keys.find((publicKey) => {
    // A boot loader picks the key by its hash: a signature that holds is not enough.
    if (keyHash === undefined || Buffer.compare(keyHash, hashOfKey(publicKey)) !== 0) return false;
    const isEd25519 = describeKey(publicKey).algorithm === 'ed25519';
    const signature = valueOf(isEd25519 ? ENTRY.ed25519 : ENTRY.ecdsa);
    if (signature === undefined) return false;
    if (isEd25519) return verify(null, digest, publicKey, signature);
    // Older versions of imgtool fill a signature up with zeros.
    const der = signature.subarray(0, 2 + (signature[1] ?? 0));
    return verify('sha256', signedPart, { key: publicKey, dsaEncoding: 'der' }, der);
  });
  return signer === undefined
    ? wrong('none of the given keys signed it')
    : describeKey(signer).keyId;
}

function hashOfKey(publicKey: KeyObject): Uint8Array {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(spki).digest();
}

function counterOf(entries: readonly Entry[]): number | undefined | Refusal {
  const counters = entries.filter(({ type }) => type === ENTRY.securityCounter);
  const [entry, second] = counters;
  if (entry === undefined) return undefined;
  if (second !== undefined || entry.value.length !== 4) return wrong('its counter is malformed');
  return Buffer.from(entry.value).readUInt32LE(0);
}

function wrong(problem: string): Refusal {
  return refuse('E_UPDATE_MCUBOOT', `This is no valid MCUboot image: ${problem}.`);
}
