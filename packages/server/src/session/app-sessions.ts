/** Sessions of owners' pages, which no browser lets show a certificate: in memory only. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import { APP_CHALLENGE_LIFE_MS } from '@holdfast/protocol/api';
import { type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import { Challenges, type Owners, credentialHash } from '../registry/index.ts';
import { type ShownProof, provenCertificate } from './app-proof.ts';
import type { AdmittedPeer, Gate } from './gate.ts';
import { APP_SESSIONS_MAX, APP_SESSIONS_OF_APP_MAX, APP_SESSION_LIFE_MS } from './limits.ts';

/** What sessions of pages need. */
export interface AppSessionsDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly gate: Pick<Gate, 'admitApp' | 'recheck'>;
  readonly owners: Pick<Owners, 'onChange'>;
}

/** A session of a page. */
export interface AppSession {
  readonly hash: string;
  /** Who it is, as the gate has admitted it by its certificate. */
  readonly peer: AdmittedPeer;
  /** When the key was proven to be held. */
  readonly provenAtMs: number;
  readonly endsAtMs: number;
}

const PURPOSE = 'app-session';
const ID_BYTES = 32;

/**
 * The sessions of this process. Each one stands for a certificate that the gate has admitted, and
 * is asked about again at each use: it is worth nothing that the certificate would not be. A page
 * that has lost its session proves itself again by its key; a stolen cookie cannot.
 */
export class AppSessions {
  readonly #deps: AppSessionsDeps;
  readonly #challenges: Challenges;
  /** The oldest first. */
  readonly #sessions = new Map<string, AppSession>();

  constructor(deps: AppSessionsDeps) {
    this.#deps = deps;
    this.#challenges = new Challenges({ ...deps, lifeMs: APP_CHALLENGE_LIFE_MS });
    deps.owners.onChange(({ lost, renewed }) => {
      for (const session of this.#sessions.values()) {
        const { principal } = session.peer;
        const isOver = lost.includes(principal);
        if (isOver || (principal === renewed && this.#refusalOf(session))) this.#end(session);
      }
    });
  }

  /** A challenge to sign. Nothing is kept of it: no stranger can fill a table, or empty one. */
  challenge(): { readonly challenge: string; readonly expiresAtMs: number } {
    const challenge = Buffer.from(this.#challenges.make(PURPOSE)).toString('base64url');
    return { challenge, expiresAtMs: this.#deps.clock.nowMs() + APP_CHALLENGE_LIFE_MS };
  }

  /**
   * Starts a session for whoever has signed a live challenge with the key of a certificate that
   * the gate admits. The id is new, whatever the browser had before; the session that it had is
   * over. To be admitted is the first use of a renewed certificate, so possession is proven first.
   */
  start(
    shown: ShownProof,
    { address, before }: { readonly address: string; readonly before: string | undefined },
  ): { readonly id: Secret<string>; readonly session: AppSession } | Refusal {
    if (!this.#challenges.isLive(shown.challenge, PURPOSE)) return no('the challenge is not live');
    const certificate = provenCertificate(shown);
    if (certificate instanceof Refusal) return certificate;
    const peer = this.#deps.gate.admitApp(certificate, { address });
    if (peer instanceof Refusal) return peer;
    // What is kept of used challenges, apps alone can make more: anybody can sign with some key.
    this.#challenges.use(shown.challenge);
    const replaced = this.#sessions.get(before === undefined ? '' : credentialHash(before));
    if (replaced !== undefined) this.#end(replaced);
    this.#makeRoom(peer.principal);
    const id = Buffer.from(this.#deps.random(ID_BYTES)).toString('base64url');
    const provenAtMs = this.#deps.clock.nowMs();
    const endsAtMs = Math.min(provenAtMs + APP_SESSION_LIFE_MS, peer.notAfterMs);
    const session = { hash: credentialHash(id), peer, provenAtMs, endsAtMs };
    this.#sessions.set(session.hash, session);
    return { id: new Secret(id), session };
  }

  /** The session with this id, or why there is none. */
  use(id: string): AppSession | Refusal {
    const session = this.#sessions.get(credentialHash(id));
    if (session === undefined) return no('the session of the page is unknown or has ended');
    const refusal = this.#refusalOf(session);
    if (refusal === undefined) return session;
    this.#end(session);
    return refusal;
  }

  /** Whether a session goes on. */
  isLive(session: AppSession): boolean {
    const isKnown = this.#sessions.get(session.hash) === session;
    return isKnown && this.#refusalOf(session) === undefined;
  }

  /** How many there are. */
  get count(): number {
    return this.#sessions.size;
  }

  #refusalOf({ peer, endsAtMs }: AppSession): Refusal | undefined {
    if (this.#deps.clock.nowMs() >= endsAtMs) return no('the session of the page has ended');
    return this.#deps.gate.recheck(peer);
  }

  #end({ hash }: AppSession): void {
    this.#sessions.delete(hash);
  }

  #makeRoom(principal: string): void {
    const nowMs = this.#deps.clock.nowMs();
    const own: AppSession[] = [];
    for (const session of this.#sessions.values()) {
      if (nowMs >= session.endsAtMs) this.#end(session);
      else if (session.peer.principal === principal) own.push(session);
    }
    const [oldestOwn] = own;
    if (oldestOwn !== undefined && own.length >= APP_SESSIONS_OF_APP_MAX) this.#end(oldestOwn);
    const [oldest] = this.#sessions.values();
    if (oldest !== undefined && this.#sessions.size >= APP_SESSIONS_MAX) this.#end(oldest);
  }
}

function no(detail: string): Refusal {
  return refuse('E_OPERATE_UNAUTHENTICATED', detail);
}
