/** How a chunk of an artifact is sealed: AES-256-GCM, a key for each upload. @module */
import { deriveKey, open, seal } from '../../crypto/index.ts';
import type { SecretBytes } from '../../kernel/index.ts';

const NONCE_BYTES = 12;
const ID_BYTES = 16;

/** Bytes that tell one upload from all others. */
export const ARTIFACT_ID_BYTES: number = ID_BYTES;

/** Which chunk of which upload. */
export interface ChunkPlace {
  /** Id of the upload, in hexadecimal. */
  readonly id: string;
  readonly index: number;
  /** How many chunks it has. */
  readonly count: number;
}

/** The key of one upload, out of a data key. No two uploads have the same. */
export function artifactKey(root: SecretBytes, id: string): SecretBytes {
  return deriveKey(root, `holdfast/artifact/v1/${id}`);
}

/** Seals a chunk. Its number is the nonce: the key seals each number once. SP 800-38D §8.2.1 */
export function sealChunk(plaintext: Uint8Array, key: SecretBytes, place: ChunkPlace): Buffer {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setUint32(NONCE_BYTES - 4, place.index);
  return seal(plaintext, { key: key.expose(), aad: contextOf(place), random: () => nonce });
}

/** Opens a chunk. @throws Fault `E_CRYPTO_OPEN` when it is not that chunk, byte for byte. */
export function openChunk(sealed: Uint8Array, key: SecretBytes, place: ChunkPlace): Buffer {
  return open(sealed, { key: key.expose(), aad: contextOf(place) });
}

function contextOf({ id, index, count }: ChunkPlace): Buffer {
  return Buffer.from(`holdfast/artifact-chunk/v1/${id}/${index}/${count}`, 'utf8');
}
