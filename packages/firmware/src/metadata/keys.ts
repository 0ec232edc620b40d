/** Public keys of roles, in the one form in which a key has one id. @module */
import { type KeyObject, createHash, createPublicKey } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import { Key } from '@tufjs/models';

/** Ed25519 (RFC 8032), or ECDSA on P-256 with SHA-256 (FIPS 186-5). */
export type KeyAlgorithm = 'ed25519' | 'ecdsa-p256';

/**
 * The key of TUF for a public key: Ed25519 as 32 bytes in hexadecimal, P-256 as PEM.
 * @throws TypeError for another kind of key, and for a private one
 */
export function keyOf(publicKey: KeyObject): Key {
  const algorithm = algorithmOf(publicKey);
  if (algorithm === undefined) throw new TypeError('no public key on Ed25519 or P-256');
  if (algorithm === 'ed25519') {
    const der = publicKey.export({ format: 'der', type: 'spki' });
    const point = der.subarray(-ED25519_BYTES).toString('hex');
    return keyFrom('ed25519', 'ed25519', point);
  }
  const pem = publicKey.export({ format: 'pem', type: 'spki' });
  return keyFrom('ecdsa', 'ecdsa-sha2-nistp256', pem);
}

/** Reads a public key that somebody gave: PEM, or SubjectPublicKeyInfo in DER. */
export function readPublicKey(given: string | Uint8Array): Key | Refusal {
  const publicKey = openPublic(given);
  if (publicKey !== undefined && algorithmOf(publicKey) !== undefined) return keyOf(publicKey);
  return refuse('E_UPDATE_KEY', 'It must be a public key, PEM or DER, on Ed25519 or P-256.');
}

/** The algorithm of a key of {@link keyOf}. */
export function keyAlgorithm(key: Key): KeyAlgorithm {
  return key.keyType === 'ed25519' ? 'ed25519' : 'ecdsa-p256';
}

/**
 * The public key of a key of TUF; undefined when it does not have the form of {@link keyOf}, id
 * included. One key in two forms would have two ids, and one person with it two votes.
 */
export function publicKeyOf(key: Key): KeyObject | undefined {
  const text = key.keyVal['public'] ?? '';
  const isHex = /^[0-9a-f]{64}$/u.test(text);
  const publicKey = openPublic(
    isHex ? Buffer.concat([ED25519_SPKI, Buffer.from(text, 'hex')]) : text,
  );
  if (publicKey === undefined || algorithmOf(publicKey) === undefined) return undefined;
  return keyOf(publicKey).equals(key) ? publicKey : undefined;
}

function keyFrom(keyType: string, scheme: string, text: string): Key {
  // Canonical JSON escapes nothing but quotes and backslashes, of which there are none in here.
  const canonical = `{"keytype":"${keyType}","keyval":{"public":"${text}"},"scheme":"${scheme}"}`;
  const keyID = createHash('sha256').update(canonical).digest('hex');
  return new Key({ keyID, keyType, scheme, keyVal: { public: text } });
}

function algorithmOf(key: KeyObject): KeyAlgorithm | undefined {
  if (key.type !== 'public') return undefined;
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  const isP256 = key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return key.asymmetricKeyType === 'ec' && isP256 ? 'ecdsa-p256' : undefined;
}

function openPublic(given: string | Uint8Array): KeyObject | undefined {
  try {
    if (typeof given !== 'string') {
      return createPublicKey({ key: Buffer.from(given), format: 'der', type: 'spki' });
    }
    // Node would make a public key of a private one, which has no business here.
    if (!given.startsWith('-----BEGIN PUBLIC KEY-----')) return undefined;
    return createPublicKey({ key: given, format: 'pem' });
  } catch {
    return undefined;
  }
}

const ED25519_BYTES = 32;
/** What stands before the 32 bytes. RFC 8410 §10.1 */
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex');
