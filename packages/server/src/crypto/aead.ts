/** Authenticated encryption of everything that is kept: AES-256-GCM (NIST SP 800-38D). @module */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Fault, type RandomBytes } from '../kernel/index.ts';

/** Bytes that {@link seal} adds: 12 of nonce and 16 of tag. */
export const SEAL_OVERHEAD_BYTES = 28;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Bytes that one sealing may have: 2^39 - 256 bits. NIST SP 800-38D §5.2.1.1 */
const SEAL_BYTES_MAX = 2 ** 36 - 32;

/** Key, context and randomness of one sealing. */
export interface SealContext {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Additional authenticated data: what the ciphertext belongs to, so that it opens nowhere else. */
  readonly aad: Uint8Array;
}

/**
 * Seals `plaintext`: random 96-bit nonce, ciphertext, 128-bit tag.
 * Random nonces allow 2^32 sealings for each key (SP 800-38D, section 8.3): whoever has the key
 * counts them, see `DataKey.spend`.
 */
export function seal(
  plaintext: Uint8Array,
  context: SealContext & { readonly random: RandomBytes },
): Buffer {
  return Buffer.concat(sealInParts(plaintext, context));
}

/** As {@link seal}, for who puts the parts beside others: they belong one behind the other. */
export function sealInParts(
  plaintext: Uint8Array,
  { key, aad, random }: SealContext & { readonly random: RandomBytes },
): Uint8Array[] {
  if (plaintext.length > SEAL_BYTES_MAX) throw new RangeError('more than AES-GCM may seal at once');
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const body = cipher.update(plaintext);
  cipher.final();
  return [nonce, body, cipher.getAuthTag()];
}

/**
 * Opens what {@link seal} made.
 * @throws Fault `E_CRYPTO_OPEN` when a byte, the key or the context differs.
 */
export function open(sealed: Uint8Array, { key, aad }: SealContext): Buffer {
  if (sealed.length < SEAL_OVERHEAD_BYTES) throw openFault();
  const bodyEnd = sealed.length - TAG_BYTES;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(bodyEnd));
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, bodyEnd));
  try {
    decipher.final();
  } catch (cause) {
    throw openFault(cause);
  }
  return plaintext;
}

/** What is thrown when something sealed does not open. */
export function openFault(cause?: unknown): Fault {
  return new Fault({
    code: 'E_CRYPTO_OPEN',
    what: 'Sealed data does not open: it was changed, moved, or sealed with another key.',
    fix: 'Restore the data folder from a backup, with the unseal key that belongs to it.',
    cause,
  });
}
