/** What the server signs by itself. @module */
import {
  type Signed,
  attachSignature,
  canonicalBytes,
  toBytes,
  unsigned,
} from '@holdfast/firmware';
import type { OnlineKey } from './online-keys.ts';

/** Signs a document. @returns the file as it is published. */
export function signDocument(signed: Signed, { key, handle }: OnlineKey): Buffer {
  const metadata = unsigned(signed);
  const signature = handle.sign(canonicalBytes(signed));
  attachSignature(metadata, { keyId: key.keyID, signature });
  return toBytes(metadata);
}
