/** Reads a SUIT envelope: who signed it first, and only then what it says. @module */
import { type KeyObject, createHash } from 'node:crypto';
import { Refusal, refuse } from '@holdfast/protocol';
import { describeKey } from '../detached/describe-key.ts';
import { CborMap, CborTag, encodeCbor } from './cbor.ts';
import { ENVELOPE, SEVERABLE, TAG } from './codes.ts';
import { signerOf } from './cose-sign1.ts';
import { decodeCbor } from './decode-cbor.ts';
import { SUIT_BYTES_MAX, SUIT_SIGNATURES_MAX } from './limits.ts';
import { suitDigest } from './manifest.ts';
import { type SuitManifest, readManifest } from './read-manifest.ts';

/** A verified envelope. */
export interface SuitEnvelope {
  readonly manifest: SuitManifest;
  /** Ids, as in TUF, of those of the given keys that signed it. */
  readonly signers: readonly string[];
}

/**
 * Verifies and reads an envelope.
 * @param bytes - at most {@link SUIT_BYTES_MAX}
 * @param keys - whose signature counts; one is enough
 */
export function readSuit(bytes: Uint8Array, keys: readonly KeyObject[]): SuitEnvelope | Refusal {
  if (bytes.length > SUIT_BYTES_MAX) return wrong(`it has more than ${SUIT_BYTES_MAX} bytes`);
  const envelope = decodeCbor(bytes);
  const members = envelope instanceof CborTag && envelope.tag === TAG.envelope && envelope.item;
  if (!(members instanceof CborMap)) return wrong('it is not deterministic CBOR with tag 107');
  const wrapper = members.get(ENVELOPE.authentication);
  const manifest = members.get(ENVELOPE.manifest);
  if (!(wrapper instanceof Uint8Array) || !(manifest instanceof Uint8Array)) {
    return wrong('it has no authentication or no manifest');
  }
  const signers = authenticate(wrapper, manifest, keys);
  if (signers instanceof Refusal) return signers;
  const severed = readSevered(members);
  if (severed === undefined) return wrong('it has members that are unknown');
  const read = readManifest(manifest, severed);
  return read instanceof Refusal ? read : { manifest: read, signers };
}

function authenticate(
  wrapper: Uint8Array,
  manifest: Uint8Array,
  keys: readonly KeyObject[],
): string[] | Refusal {
  const parts = decodeCbor(wrapper);
  const [digest, ...blocks] = Array.isArray(parts) ? parts : [];
  if (!(digest instanceof Uint8Array) || blocks.length > SUIT_SIGNATURES_MAX) {
    return wrong('its authentication is malformed');
  }
  if (Buffer.compare(digest, digestOf(manifest)) !== 0) {
    return wrong('the manifest is not the one of its digest');
  }
  const signers = blocks.flatMap((block) => {
    const signer = block instanceof Uint8Array ? signerOf(block, digest, keys) : undefined;
    return signer === undefined ? [] : [describeKey(signer).keyId];
  });
  if (signers.length === 0) return wrong('none of the given keys signed it');
  return [...new Set(signers)];
}

/** Digests are over the member with the head of its byte string. §8.3 */
function digestOf(member: Uint8Array): Uint8Array {
  return suitDigest(createHash('sha256').update(encodeCbor(member)).digest());
}

/** The members that a manifest names by their digest alone, by their number. */
function readSevered(members: CborMap): Map<number, Severed> | undefined {
  const severed = new Map<number, Severed>();
  for (const [key, member] of members.entries) {
    if (key === ENVELOPE.authentication || key === ENVELOPE.manifest) continue;
    if (!(member instanceof Uint8Array)) return undefined;
    // Payloads by name are not looked at: the manifest says what their digest is.
    if (typeof key === 'string') continue;
    if (typeof key !== 'number' || !SEVERABLE.includes(key)) return undefined;
    severed.set(key, { bytes: member, digest: digestOf(member) });
  }
  return severed;
}

/** A member of the envelope, and the digest that the manifest must have of it. */
export interface Severed {
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
}

function wrong(problem: string): Refusal {
  return refuse('E_UPDATE_SUIT', `This is no valid SUIT envelope: ${problem}.`);
}
