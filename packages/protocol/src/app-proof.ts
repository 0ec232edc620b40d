/** What an owner's page signs to prove that it holds the key of its certificate. @module */

/** What a proof is about. */
export interface AppProof {
  /** `https://host[:port]` of the server, as the page itself was loaded from it. */
  readonly origin: string;
  /** As the server gave it, base64url. */
  readonly challenge: string;
  /** SHA-256 of the certificate (DER), lower-case hex. */
  readonly certificate: string;
}

/**
 * The exact text, in UTF-8, that is signed with ES256 (ECDSA, P-256, SHA-256; IEEE P1363 form).
 * Its first line keeps it from being mistaken for anything else that the key signs: a certificate
 * request is DER, which begins with other bytes.
 */
export function formatAppProof({ origin, challenge, certificate }: AppProof): string {
  return `holdfast-app-session/1\n${origin}\n${challenge}\n${certificate}\n`;
}
