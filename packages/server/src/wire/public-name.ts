/** One name under which a listener shows another certificate. @module */
import { type SecureContext, type TLSSocket, type TlsOptions, createSecureContext } from 'node:tls';
import type { Secret } from '../kernel/index.ts';

/** A certificate and its key. */
export interface ShownIdentity {
  /** PEM of the certificate, followed by its issuers. */
  readonly certificateChain: string;
  /** PEM of its private key. */
  readonly privateKey: Secret<string>;
}

/** A name with a certificate of its own; asked at each handshake. */
export interface PublicName {
  /** DNS name in lower case. */
  readonly name: string;
  /** What clients that ask for the name get; undefined: what all others get. */
  certificate(): ShownIdentity | undefined;
  /** What an ACME authority gets that checks the name; undefined when none is expected. */
  challenge(): ShownIdentity | undefined;
}

/** The protocol of the check. RFC 8737 §4 */
export const ACME_PROTOCOL = 'acme-tls/1';

/**
 * The options that choose a certificate by the name that a client asks for.
 * @param present - all other options of the listener as they are now.
 */
export function publicNameOptions(
  publicName: PublicName,
  present: () => TlsOptions,
): Pick<TlsOptions, 'SNICallback' | 'ALPNCallback'> {
  // Made once for each certificate and state of the listener, not once for each handshake.
  let made: { shown: ShownIdentity; options: TlsOptions; context: SecureContext } | undefined;
  const contextFor = (shown: ShownIdentity): SecureContext => {
    const options = present();
    if (made?.shown !== shown || made.options !== options) {
      made = { shown, options, context: contextOf(shown, options) };
    }
    return made.context;
  };
  const isIt = (servername: string): boolean => servername.toLowerCase() === publicName.name;
  // OpenSSL chooses the protocol of TLS 1.3 before the certificate: what answers a check has to
  // outlast the choice by name.
  const checks = new WeakSet<TLSSocket>();
  return {
    // Node calls both on the socket.
    SNICallback(this: TLSSocket, servername, done) {
      if (checks.has(this)) return done(null);
      const shown = isIt(servername) ? publicName.certificate() : undefined;
      if (shown === undefined) return done(null);
      done(null, contextFor(shown));
    },
    ALPNCallback(this: TLSSocket, { servername, protocols }) {
      if (!protocols.includes(ACME_PROTOCOL)) return protocols.find((name) => name === 'http/1.1');
      const shown = isIt(servername) ? publicName.challenge() : undefined;
      // The check offers nothing else; who mixes it with other protocols is none. RFC 8737 §3
      if (shown === undefined || protocols.length > 1) return undefined;
      checks.add(this);
      this.setKeyCert(contextOf(shown, {}));
      return ACME_PROTOCOL;
    },
  };
}

function contextOf(shown: ShownIdentity, others: TlsOptions): SecureContext {
  return createSecureContext({
    ...others,
    cert: shown.certificateChain,
    key: shown.privateKey.expose(),
  });
}
