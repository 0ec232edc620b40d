/** Who is signed in with a browser or at a terminal: in memory only. @module */
import { type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import { credentialHash } from './credential-hash.ts';

/** A session that is not used for this long ends, in milliseconds. */
export const SESSION_IDLE_MS = 30 * 60_000;
/** A session ends this long after its sign-in at the latest, in milliseconds. */
export const SESSION_LIFE_MS = 12 * 3_600_000;
/** Sessions at a time; one more ends the oldest. */
export const SESSIONS_MAX = 1_000;
const ID_BYTES = 32;

/** What is known of a session. */
export interface Session {
  readonly hash: string;
  readonly principal: string;
  readonly endsAtMs: number;
  /** When it ends unless it is used before. */
  readonly idleAtMs: number;
}

/** The sessions of this process. A restart ends them all. */
export class Sessions {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #sessions = new Map<string, Session>();

  constructor({ clock, random }: { clock: Clock; random: RandomBytes }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Starts a session; its id is the credential. */
  start(principal: string): { readonly id: Secret<string>; readonly session: Session } {
    this.#forgetEnded();
    const oldest = this.#sessions.keys().next();
    if (this.#sessions.size >= SESSIONS_MAX && !oldest.done) this.#sessions.delete(oldest.value);
    const id = Buffer.from(this.#random(ID_BYTES)).toString('base64url');
    const nowMs = this.#clock.nowMs();
    const session = {
      hash: credentialHash(id),
      principal,
      endsAtMs: nowMs + SESSION_LIFE_MS,
      idleAtMs: nowMs + SESSION_IDLE_MS,
    };
    this.#sessions.set(session.hash, session);
    return { id: new Secret(id), session };
  }

  /** The live session with this id; using it keeps it from going idle. */
  use(id: string): Session | undefined {
    const hash = credentialHash(id);
    const session = this.byHash(hash);
    if (session === undefined) return undefined;
    const used = { ...session, idleAtMs: this.#clock.nowMs() + SESSION_IDLE_MS };
    this.#sessions.set(hash, used);
    return used;
  }

  /** The live session with this hash, without using it. */
  byHash(hash: string): Session | undefined {
    const session = this.#sessions.get(hash);
    return session === undefined || this.#isEnded(session) ? undefined : session;
  }

  end(hash: string): void {
    this.#sessions.delete(hash);
  }

  #isEnded({ endsAtMs, idleAtMs }: Session): boolean {
    return this.#clock.nowMs() >= Math.min(endsAtMs, idleAtMs);
  }

  #forgetEnded(): void {
    for (const session of this.#sessions.values()) {
      if (this.#isEnded(session)) this.#sessions.delete(session.hash);
    }
  }
}
