/** Custody of the unseal key: who has to be asked before anything of a data folder opens. @module */
import { Fault, Secret, type SecretBytes } from '../kernel/index.ts';

/** Bytes of the unseal key. */
export const UNSEAL_KEY_BYTES = 32;

/** Keeps the unseal key in a form that only its keeper can open. */
export interface UnsealCustody {
  /** For people: `passphrase`, `AWS KMS key alias/holdfast`. */
  readonly name: string;
  /** @returns text that is no secret, and that opens in this data folder alone. */
  wrap(key: SecretBytes): Promise<string>;
  /** @throws Fault `E_CRYPTO_OPEN`, or `E_CRYPTO_KEEPER…` when the keeper cannot be asked. */
  unwrap(wrapped: string): Promise<SecretBytes>;
}

/** What the wrapped key belongs to. `folderId` is made once for a data folder, and is no secret. */
export function unsealContext(kind: string, folderId: string): string {
  return `holdfast/unseal/v1/${kind}/${folderId}`;
}

/** The key that a keeper gave, which must have the length of one. */
export function asUnsealKey(bytes: Uint8Array, keeper: string): SecretBytes {
  if (bytes.length === UNSEAL_KEY_BYTES) return new Secret(bytes);
  throw new Fault({
    code: 'E_CRYPTO_KEEPER_ANSWER',
    what: `${keeper} opened something that is no unseal key.`,
    fix: 'Restore custody.json of the data folder from your backup.',
  });
}
