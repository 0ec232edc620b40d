/** Ed25519 signatures, by the browser. RFC 8032 @module */

/** Whether `signature` is that of `publicKey`, 32 bytes, over `message`. */
export async function verifiesEd25519({
  publicKey,
  message,
  signature,
}: {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}): Promise<boolean> {
  const raw = Uint8Array.from(publicKey);
  const key = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
  const [bytes, proof] = [Uint8Array.from(message), Uint8Array.from(signature)];
  return crypto.subtle.verify('Ed25519', key, proof, bytes);
}
