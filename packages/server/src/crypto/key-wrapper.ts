/** What encrypts the data keys: a key in memory, or one that never leaves its token. @module */
import type { RandomBytes, SecretBytes } from '../kernel/index.ts';
import { open, seal } from './aead.ts';

/** A key-encryption key that can be used, but not read: AES-256-GCM, sealed as by {@link seal}. */
export interface KeyWrapper {
  /** `aad` is what the key belongs to: it opens nowhere else. */
  wrap(key: Uint8Array, aad: Uint8Array): Uint8Array;
  /** @throws Fault `E_CRYPTO_OPEN` when a byte, the key or the context differs. */
  unwrap(sealed: Uint8Array, aad: Uint8Array): Uint8Array;
}

/** A key-encryption key in the memory of this process, 32 bytes. */
export function softwareWrapper({ random }: { random: RandomBytes }, key: SecretBytes): KeyWrapper {
  return {
    wrap: (plaintext, aad) => seal(plaintext, { key: key.expose(), aad, random }),
    unwrap: (sealed, aad) => open(sealed, { key: key.expose(), aad }),
  };
}
