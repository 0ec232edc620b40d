/** The token of a Mender client: a proof of its certificate, and worth nothing without it. @module */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { deriveKey } from '../../crypto/index.ts';
import type { SecretBytes } from '../../kernel/index.ts';

/** Where the secret of a device comes from. */
export type SecretOf = (device: string) => SecretBytes | undefined;

/**
 * Mender wants a token in each request. Here it stands for the client certificate that the
 * connection shows anyway, so it need not be kept, and another certificate voids it.
 */
export class Tokens {
  readonly #secretOf: SecretOf;

  constructor(secretOf: SecretOf) {
    this.#secretOf = secretOf;
  }

  /** The token of a device on this connection; undefined when there is no such device any more. */
  issue(device: string, socket: Pick<TLSSocket, 'getPeerX509Certificate'>): string | undefined {
    const secret = this.#secretOf(device);
    const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
    if (secret === undefined || fingerprint === undefined) return undefined;
    const key = deriveKey(secret, 'holdfast/mender-token/v1');
    return createHmac('sha256', key.expose())
      .update(`${device}\n${fingerprint}`, 'utf8')
      .digest('base64url');
  }

  /** Whether a header `Authorization` shows the token of this device on this connection. */
  isShown(
    authorization: string | undefined,
    device: string,
    socket: Pick<TLSSocket, 'getPeerX509Certificate'>,
  ): boolean {
    const expected = this.issue(device, socket);
    const shown = /^Bearer (\S{1,512})$/u.exec(authorization ?? '')?.[1];
    if (expected === undefined || shown === undefined) return false;
    const [a, b] = [Buffer.from(shown, 'utf8'), Buffer.from(expected, 'utf8')];
    return a.length === b.length && timingSafeEqual(a, b);
  }
}
