/** Session tickets of TLS, as Node keeps them. @module */

/**
 * A ticket without its key: the ticket itself as the server made it, with a guessed secret.
 * In the DER of OpenSSL's SSL_SESSION the secret is the fifth element; Node puts words before it.
 */
export function withoutSecret(session: Buffer): Buffer {
  let at = session.indexOf(SESSION_BEGIN);
  if (at < 0) throw new Error('no session of TLS 1.3');
  for (let element = 0; element < 4; element += 1) at = contentOf(session, at).to;
  const secret = contentOf(session, at);
  const changed = Buffer.from(session);
  changed.fill(0x5a, secret.from, secret.to);
  return changed;
}

/** Version 1 of the form, TLS 1.3, and the beginning of the cipher. */
const SESSION_BEGIN = Buffer.from('02010102020304040213', 'hex');

/** Where the content of a DER element begins and ends. */
function contentOf(der: Buffer, at: number): { from: number; to: number } {
  const first = der.readUInt8(at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const from = at + 2 + lengthBytes;
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  return { from, to: from + length };
}
