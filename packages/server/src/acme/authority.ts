/** One ACME authority: its terms, our account, and orders. RFC 8555 @module */
import { X509Certificate, createPrivateKey, createPublicKey } from 'node:crypto';
import { Agent } from 'node:https';
import type * as Acme from 'acme-client';
import { generatePrivateKey } from '../crypto/index.ts';
import { Fault, Secret } from '../kernel/index.ts';
import {
  ACME_ANSWER_BYTES_MAX,
  ACME_ANSWER_MS_MAX,
  ACME_POLLS_MAX,
  ACME_POLL_MS,
  ACME_REQUEST_RETRY,
} from './limits.ts';
import type { AcmeOptions } from './options.ts';
import { type AcmeAccount, type AcmeCertificate, keyPemOf } from './records.ts';

/** A certificate and its key, for a TLS handshake. */
export interface ChallengePair {
  readonly certificateChain: string;
  readonly privateKey: Secret<string>;
}

/** Shows an answer to a challenge, or shows it no more. */
export type ShowChallenge = (pair: ChallengePair | undefined) => void;

/** Speaks with one authority. Loaded with the library only where ACME is configured. */
export class AcmeAuthority {
  readonly #acme: typeof Acme;
  readonly #options: AcmeOptions;

  private constructor(acme: typeof Acme, options: AcmeOptions) {
    this.#acme = acme;
    this.#options = options;
  }

  static async load(options: AcmeOptions): Promise<AcmeAuthority> {
    const acme = await import('acme-client');
    const { defaults } = acme.axios;
    // The library has one HTTP client for all, and no other place to say this.
    defaults.timeout = ACME_ANSWER_MS_MAX;
    defaults.maxContentLength = ACME_ANSWER_BYTES_MAX;
    // Whole orders are tried again by us, later on; one request only over a hiccup.
    Object.assign(defaults, { acmeSettings: ACME_REQUEST_RETRY });
    // A redirection could lead to plaintext.
    defaults.maxRedirects = 0;
    defaults.httpsAgent = new Agent({
      ca: options.directoryAnchorPem,
      minVersion: 'TLSv1.2',
      // Said although it is the default: an environment variable could change the default.
      rejectUnauthorized: true,
    });
    return new AcmeAuthority(acme, options);
  }

  /**
   * Where the terms of the authority stand; undefined when it has none.
   * @throws Fault `E_ACME_DIRECTORY` when the authority cannot be asked.
   */
  async termsUrl(): Promise<string | undefined> {
    const accountKey = keyPemOf({ key: newKey() }).expose();
    try {
      const client = new this.#acme.Client({ ...this.#clientOptions(), accountKey });
      // The library's types do not know that there may be none.
      const url: string | null = await client.getTermsOfServiceUrl();
      return url ?? undefined;
    } catch (cause) {
      throw new Fault({
        code: 'E_ACME_DIRECTORY',
        what: `The ACME authority at ${this.#options.directoryUrl} cannot be asked for its terms.`,
        fix: 'Check --acme-directory and the network; for an authority of your own, give --acme-ca.',
        cause,
      });
    }
  }

  /** Makes an account. */
  async createAccount(): Promise<AcmeAccount> {
    const { directoryUrl, email, externalAccount, agreesToTerms } = this.#options;
    const key = newKey();
    const client = new this.#acme.Client({
      ...this.#clientOptions(),
      accountKey: keyPemOf({ key }).expose(),
      ...(externalAccount !== undefined && {
        externalAccountBinding: {
          kid: externalAccount.keyId,
          hmacKey: externalAccount.macKey(),
        },
      }),
    });
    await client.createAccount({
      ...(agreesToTerms && { termsOfServiceAgreed: true }),
      ...(email !== undefined && { contact: [`mailto:${email}`] }),
    });
    return { version: 1, directoryUrl, accountUrl: client.getAccountUrl(), key };
  }

  /** Gets a certificate, for a new key. `show` has to be obeyed on port 443 of the name. */
  async order(account: AcmeAccount, show: ShowChallenge): Promise<AcmeCertificate> {
    const { domain } = this.#options;
    const { crypto } = this.#acme;
    const client = new this.#acme.Client({
      ...this.#clientOptions(),
      accountKey: keyPemOf(account).expose(),
      accountUrl: account.accountUrl,
    });
    const order = await client.createOrder({ identifiers: [{ type: 'dns', value: domain }] });
    for (const authorization of await client.getAuthorizations(order)) {
      if (authorization.status !== 'valid') await this.#prove(client, authorization, show);
    }
    const key = newKey();
    const keyPem = keyPemOf({ key }).expose();
    const [, csr] = await crypto.createCsr({ altNames: [domain] }, keyPem);
    const finalized = await client.finalizeOrder(order, csr);
    const chainPem = await client.getCertificate(finalized);
    requireOurs(chainPem, { domain, keyPem });
    return { version: 1, domain, chainPem, key };
  }

  /**
   * Only tls-alpn-01: http-01 would need a listener without TLS, which Holdfast never opens.
   * @see RFC 8737
   */
  async #prove(
    client: Acme.Client,
    authorization: Acme.Authorization,
    show: ShowChallenge,
  ): Promise<void> {
    // The library's types do not know this kind, the library does.
    const isOurs = ({ type }: { readonly type: string }): boolean => type === 'tls-alpn-01';
    const challenge = authorization.challenges.find(isOurs);
    if (challenge === undefined) throw new Error('the authority offers no tls-alpn-01');
    const answer = await client.getChallengeKeyAuthorization(challenge);
    const key = keyPemOf({ key: newKey() }).expose();
    const [, certificate] = await this.#acme.crypto.createAlpnCertificate(
      authorization,
      answer,
      key,
    );
    show({ certificateChain: certificate.toString('utf8'), privateKey: new Secret(key) });
    try {
      await client.completeChallenge(challenge);
      await client.waitForValidStatus(challenge);
    } finally {
      show(undefined);
    }
  }

  #clientOptions() {
    return {
      directoryUrl: this.#options.directoryUrl,
      backoffAttempts: ACME_POLLS_MAX,
      backoffMin: ACME_POLL_MS.min,
      backoffMax: ACME_POLL_MS.max,
    };
  }
}

/** What the authority gives is shown to browsers only when it is what was asked for. */
function requireOurs(
  chainPem: string,
  { domain, keyPem }: { readonly domain: string; readonly keyPem: string },
): void {
  const leaf = new X509Certificate(chainPem);
  const ours = createPublicKey(createPrivateKey(keyPem));
  if (!leaf.publicKey.equals(ours)) throw new Error('the certificate is for another key');
  if (leaf.checkHost(domain) === undefined) throw new Error('the certificate is for another name');
}

function newKey(): string {
  return Buffer.from(generatePrivateKey('ES256').expose()).toString('base64');
}
