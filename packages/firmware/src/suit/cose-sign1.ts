/** A COSE signature of one signer over bytes that stand elsewhere. @see RFC 9052 §4.2 @module */
import { type KeyObject, verify } from 'node:crypto';
import { describeKey } from '../detached/describe-key.ts';
import { rawSignature } from '../detached/ecdsa-forms.ts';
import { keyAlgorithm } from '../metadata/index.ts';
import type { Signer } from '../request/index.ts';
import { CborMap, CborTag, encodeCbor } from './cbor.ts';
import { TAG } from './codes.ts';
import { decodeCbor } from './decode-cbor.ts';

/** A signature block: `COSE_Sign1_Tagged` with a detached payload, encoded. */
export async function sign1(payload: Uint8Array, signer: Signer): Promise<Uint8Array> {
  const algorithm = keyAlgorithm(signer.key);
  const protectedHeader = encodeCbor(new CborMap([[HEADER_ALGORITHM, WRITTEN[algorithm]]]));
  const made = await signer.sign(toBeSigned(protectedHeader, payload));
  const signature = algorithm === 'ed25519' ? made : rawSignature(made);
  if (signature === undefined) throw new TypeError('the key made no ECDSA signature in DER');
  const block = [protectedHeader, new CborMap([]), null, signature];
  return encodeCbor(new CborTag(TAG.sign1, block));
}

/** The one of the keys that made a signature block over this payload; undefined when none did. */
export function signerOf(
  block: Uint8Array,
  payload: Uint8Array,
  keys: readonly KeyObject[],
): KeyObject | undefined {
  const item = decodeCbor(block);
  if (!(item instanceof CborTag) || item.tag !== TAG.sign1) return undefined;
  const [protectedHeader, unprotected, content, signature, ...more] = list(item.item);
  const isWhole = unprotected instanceof CborMap && content === null && more.length === 0;
  if (!isWhole || !(protectedHeader instanceof Uint8Array)) return undefined;
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) return undefined;
  const header = decodeCbor(protectedHeader);
  // Another protected header could be critical, and change what the signature means.
  if (!(header instanceof CborMap) || header.entries.length !== 1) return undefined;
  const algorithm = header.get(HEADER_ALGORITHM);
  const signed = toBeSigned(protectedHeader, payload);
  return keys.find((key) => {
    const own = describeKey(key).algorithm;
    if (typeof algorithm !== 'number' || !READ[own].includes(algorithm)) return false;
    if (own === 'ed25519') return verify(null, signed, key, signature);
    return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
  });
}

function list(item: unknown): readonly unknown[] {
  return Array.isArray(item) ? item : [];
}

/** RFC 9052 §4.4 */
function toBeSigned(protectedHeader: Uint8Array, payload: Uint8Array): Uint8Array {
  return encodeCbor(['Signature1', protectedHeader, new Uint8Array(), payload]);
}

const HEADER_ALGORITHM = 1;
/** ES256 and EdDSA: what devices know. RFC 9053 §2 */
const WRITTEN = { 'ecdsa-p256': -7, ed25519: -8 } as const;
/** The same by their newer, narrower numbers as well. RFC 9864 §2 */
const READ: Readonly<Record<'ecdsa-p256' | 'ed25519', readonly number[]>> = {
  'ecdsa-p256': [-7, -9],
  ed25519: [-8, -19],
};
const SIGNATURE_BYTES = 64;
