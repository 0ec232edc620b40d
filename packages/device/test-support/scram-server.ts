/** The server's side of SCRAM-SHA-256, for tests: it keeps the stored form alone. @module */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** One exchange at a time. */
export interface ScramServer {
  /** Answers the client-first-message. */
  challenge(clientFirst: string): string;
  /** Answers the client-final-message; undefined when it proves nothing. */
  prove(clientFinal: string): string | undefined;
}

/** A server that knows this key. @see RFC 5802 §3 */
export function scramServer(key: string, { iterations = 4_096 } = {}): ScramServer {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(key, salt, iterations, 32, 'sha256');
  const storedKey = sha256(hmac(salted, 'Client Key'));
  const serverKey = hmac(salted, 'Server Key');
  let [bare, challenge, nonce] = ['', '', ''];
  return {
    challenge(clientFirst) {
      bare = clientFirst.replace(/^n,,/u, '');
      nonce = `${/,r=(.+)$/u.exec(bare)?.[1]}${randomBytes(9).toString('base64')}`;
      challenge = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
      return challenge;
    },
    prove(clientFinal) {
      const [, withoutProof = '', proof = ''] = /^(.*),p=(.*)$/u.exec(clientFinal) ?? [];
      if (withoutProof !== `c=biws,r=${nonce}`) return undefined;
      const authMessage = `${bare},${challenge},${withoutProof}`;
      const signature = hmac(storedKey, authMessage);
      const given = Buffer.from(proof, 'base64');
      const clientKey = Buffer.from(signature.map((byte, i) => byte ^ (given[i] ?? 0)));
      if (!sha256(clientKey).equals(storedKey)) return undefined;
      return `v=${hmac(serverKey, authMessage).toString('base64')}`;
    },
  };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
