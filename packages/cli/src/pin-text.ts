/** The two forms of a pin, as `server.pin` of a device bundle has them. @module */

/** As `openssl x509 -fingerprint -sha256` prints it. */
export function certificatePinText({ certificate }: { readonly certificate: string }): string {
  const pairs = certificate.toUpperCase().match(/../gu) ?? [];
  return `SHA256 Fingerprint=${pairs.join(':')}`;
}

/** As `curl --pinnedpubkey` takes it. RFC 7469. */
export function spkiPinText({ spki }: { readonly spki: string }): string {
  return `sha256//${spki}`;
}
