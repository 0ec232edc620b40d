/** Keys derived from keys: HKDF-SHA256 (RFC 5869). @module */
import { hkdfSync } from 'node:crypto';
import { Secret, type SecretBytes } from '../kernel/index.ts';

const KEY_BYTES = 32;

/** Derives 32 bytes for one use, which `info` names; other names give unrelated keys. */
export function deriveKey(root: SecretBytes, info: string): SecretBytes {
  const salt = new Uint8Array(0);
  return new Secret(new Uint8Array(hkdfSync('sha256', root.expose(), salt, info, KEY_BYTES)));
}
