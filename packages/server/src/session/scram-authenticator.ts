/**
 * MQTT 5 enhanced authentication `SCRAM-SHA-256`: a device proves that it has its API key, and the
 * server that it knows it, and the key itself is never sent.
 * @see RFC 5802 §3, RFC 7677, MQTT 5 §4.12
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { RandomBytes } from '../kernel/index.ts';
import {
  type DeviceApiKeys,
  type DeviceVerifiers,
  type KnownVerifier,
  hmacSha256,
} from '../registry/index.ts';
import type {
  AuthenticationExchange,
  AuthenticationStep,
  Authenticator,
} from './authentication.ts';
import type { AdmittedPeer } from './gate.ts';
import {
  type ClientFinal,
  type ClientFirst,
  parseClientFinal,
  parseClientFirst,
  serverFinal,
  serverFirst,
} from './scram-messages.ts';

/** Name of the authentication method. */
export const SCRAM_METHOD = 'SCRAM-SHA-256';

const NONCE_BYTES = 18;

/** What the method needs. */
export interface ScramDeps {
  readonly apiKeys: Pick<DeviceApiKeys, 'verifiersOf' | 'markUsed'>;
  /** Makes the server's part of a nonce: printable ASCII without a comma, never the same. */
  readonly nonce: () => string;
}

/** Nonces of 144 random bits. */
export function randomNonce(random: RandomBytes): () => string {
  return () => Buffer.from(random(NONCE_BYTES)).toString('base64');
}

/** The method, for all peers. */
export class ScramAuthenticator implements Authenticator {
  readonly #deps: ScramDeps;

  constructor(deps: ScramDeps) {
    this.#deps = deps;
  }

  begin(peer: AdmittedPeer): AuthenticationExchange {
    return new ScramExchange(peer, this.#deps);
  }
}

/** What was said, and against what the proof is checked. */
interface Challenged {
  readonly first: ClientFirst;
  readonly challenge: string;
  readonly nonce: string;
  readonly verifiers: DeviceVerifiers;
}

/** One exchange: two messages of the client, and no more. */
class ScramExchange implements AuthenticationExchange {
  readonly #peer: AdmittedPeer;
  readonly #deps: ScramDeps;
  #challenged: Challenged | undefined;
  #isOver = false;

  constructor(peer: AdmittedPeer, deps: ScramDeps) {
    this.#peer = peer;
    this.#deps = deps;
  }

  step(data: Uint8Array | undefined): Promise<AuthenticationStep> {
    const step = this.#challenged === undefined ? this.#begin(data) : this.#finish(data);
    return Promise.resolve(step);
  }

  #begin(data: Uint8Array | undefined): AuthenticationStep {
    const first = parseClientFirst(data);
    if (first === undefined) return refused('its first message of SCRAM is none that is taken');
    // A key belongs to the identity in the certificate, whatever name stands here.
    if (this.#peer.kind !== 'device' || first.userName !== this.#peer.principal) {
      return refused('the user name of SCRAM is not its device id');
    }
    const verifiers = this.#deps.apiKeys.verifiersOf(this.#peer.principal);
    const nonce = first.nonce + this.#deps.nonce();
    const challenge = serverFirst({ nonce, ...verifiers });
    this.#challenged = { first, challenge, nonce, verifiers };
    return { type: 'continue', data: Buffer.from(challenge, 'ascii') };
  }

  #finish(data: Uint8Array | undefined): AuthenticationStep {
    const challenged = this.#challenged;
    if (challenged === undefined || this.#isOver) return refused('SCRAM was over already');
    this.#isOver = true;
    const final = parseClientFinal(data);
    if (final === undefined) return refused('its last message of SCRAM is none');
    const binding = Buffer.from(challenged.first.gs2Header, 'ascii').toString('base64');
    if (final.binding !== binding || final.nonce !== challenged.nonce) {
      return refused('its last message of SCRAM does not belong to its first');
    }
    const authMessage = `${challenged.first.bare},${challenged.challenge},${final.withoutProof}`;
    const known = proven(final, { authMessage, verifiers: challenged.verifiers });
    if (known === undefined) return refused('it did not prove that it has its API key');
    const { keyId, serverKey } = known;
    this.#deps.apiKeys.markUsed(this.#peer.principal, keyId);
    const answer = serverFinal(hmacSha256(serverKey, authMessage));
    return { type: 'done', data: Buffer.from(answer, 'ascii'), shown: { keyId } };
  }
}

/**
 * The key that a proof is of. All are tried, so that the time does not tell which one it is.
 * ClientProof = ClientKey XOR HMAC(StoredKey, AuthMessage), H(ClientKey) = StoredKey. RFC 5802 §3
 */
function proven(
  { proof }: ClientFinal,
  { authMessage, verifiers }: { authMessage: string; verifiers: DeviceVerifiers },
): KnownVerifier | undefined {
  let found: KnownVerifier | undefined;
  for (const known of verifiers.known) {
    const signature = hmacSha256(known.storedKey, authMessage);
    const clientKey = signature.map((byte, i) => byte ^ (proof[i] ?? 0));
    const hash = createHash('sha256').update(clientKey).digest();
    if (timingSafeEqual(hash, known.storedKey)) found = known;
  }
  return found;
}

function refused(detail: string): Refusal {
  return refuse('E_SESSION_API_KEY', detail);
}
