/** Who holds the issuing keys: the sealed store, or a token that never gives them out. @module */
import { Fault, Secret } from '../kernel/index.ts';
import { type KeyHandle, generatePrivateKey, softwareKeyHandle } from './key-handle.ts';

/** What is kept of a private key, to find it again: the key itself, or where it lives. */
export type SavedKey =
  /** PKCS#8 in DER, in base64. Secret: kept in the sealed store only. */
  | { readonly kind: 'sealed'; readonly pkcs8: string }
  /** The CKA_ID of the key in the PKCS#11 token, lower-case hex. Not secret. */
  | { readonly kind: 'pkcs11'; readonly id: string };

/** A private key that was just made. */
export interface MadeKey {
  readonly saved: SavedKey;
  readonly key: KeyHandle;
}

/** Makes, opens and destroys keys for ES256. */
export interface KeyCustody {
  /**
   * Makes a key.
   * @param label - what it is for, where keys have labels; not secret.
   * @param onPlan - is told where a key is going to live outside of our records, before it does:
   *   whoever is interrupted then can still destroy it.
   */
  make(label: string, onPlan?: (saved: SavedKey) => void): MadeKey;
  /** @throws Fault `E_CRYPTO_CUSTODY` or `E_CRYPTO_TOKEN…` when the key is not to be had. */
  open(saved: SavedKey): KeyHandle;
  /** Ends a key where it lives. What is sealed ends when its record is overwritten. */
  destroy(saved: SavedKey): void;
}

/** Keys in the memory of this process, kept in the sealed store. */
export const softwareCustody: KeyCustody = {
  make() {
    const pkcs8 = generatePrivateKey('ES256');
    const text = Buffer.from(pkcs8.expose()).toString('base64');
    return { saved: { kind: 'sealed', pkcs8: text }, key: softwareKeyHandle('ES256', pkcs8) };
  },
  open(saved) {
    if (saved.kind === 'pkcs11') throw noTokenFault();
    return softwareKeyHandle('ES256', new Secret(Buffer.from(saved.pkcs8, 'base64')));
  },
  destroy() {},
};

function noTokenFault(): Fault {
  return new Fault({
    code: 'E_CRYPTO_CUSTODY',
    what: 'An issuing key is in a PKCS#11 token, but this data folder names no token.',
    fix: 'Restore custody.json of the data folder from your backup.',
  });
}
