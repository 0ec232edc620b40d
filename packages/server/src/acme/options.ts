/** Which certificate is wanted, and from whom. @module */
/** An account that the authority knows by other means. RFC 8555 §7.3.4 */
export interface ExternalAccount {
  readonly keyId: string;
  /** Gives the secret in base64url, once, to make the account; printing the options prints none. */
  readonly macKey: () => string;
}

/** How to get a certificate for the public name. */
export interface AcmeOptions {
  /** The name, a DNS name in lower case, which leads from outside to the API: on port 443. */
  readonly domain: string;
  /** `https:` URL of the directory of the authority. */
  readonly directoryUrl: string;
  /** Trust anchor of the directory, for an authority of one's own; PEM. */
  readonly directoryAnchorPem?: string | undefined;
  /** Where the authority writes to about its certificates. */
  readonly email?: string | undefined;
  readonly externalAccount?: ExternalAccount | undefined;
  /** Whether a person has agreed to the terms of the authority. */
  readonly agreesToTerms: boolean;
}
