/** Who is signed in with a browser or at a terminal: in memory only. @module */
import { type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import { credentialHash } from './credential-hash.ts';
import { SESSIONS_OF_PERSON_MAX } from './limits.ts';

/** A session that is not used for this long ends, in milliseconds. */
export const SESSION_IDLE_MS = 30 * 60_000;
/** A session ends this long after its sign-in at the latest, in milliseconds. */
export const SESSION_LIFE_MS = 12 * 3_600_000;
/** Sessions at a time; one more ends the oldest. */
export const SESSIONS_MAX = 1_000;
const ID_BYTES = 32;
const NAME_CHARACTERS = 16;

/** With what a person signed in. */
export type SignedInBy =
  | 'first-code'
  | 'invitation'
  | 'oidc'
  | 'passkey'
  | 'password'
  | 'recovery-code'
  | 'totp';

/** What is to be known of a sign-in. */
export interface SignIn {
  readonly principal: string;
  readonly by: SignedInBy;
  /** IP address. */
  readonly address: string;
  /** True when a second factor was shown. */
  readonly isSteppedUp: boolean;
  /** True when the session is good for nothing but setting up a second factor. */
  readonly needsSecondFactor: boolean;
}

/** What is known of a session. */
export interface Session extends Omit<SignIn, 'isSteppedUp'> {
  readonly hash: string;
  readonly startedAtMs: number;
  readonly usedAtMs: number;
  readonly endsAtMs: number;
  /** When it ends unless it is used before. */
  readonly idleAtMs: number;
  /** When a second factor was last shown. */
  readonly steppedUpAtMs: number | undefined;
}

/** Names a session in lists, and gives nothing away: the beginning of its hash. */
export function sessionName({ hash }: Session): string {
  return hash.slice(0, NAME_CHARACTERS);
}

/** The sessions of this process. A restart ends them all. */
export class Sessions {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  /** The oldest first. */
  readonly #sessions = new Map<string, Session>();

  constructor({ clock, random }: { clock: Clock; random: RandomBytes }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Starts a session; its id is the credential. */
  start(signIn: SignIn): { readonly id: Secret<string>; readonly session: Session } {
    this.#makeRoom(signIn.principal);
    const id = Buffer.from(this.#random(ID_BYTES)).toString('base64url');
    const nowMs = this.#clock.nowMs();
    const { principal, by, address, isSteppedUp, needsSecondFactor } = signIn;
    const session = {
      hash: credentialHash(id),
      principal,
      by,
      address,
      needsSecondFactor,
      startedAtMs: nowMs,
      usedAtMs: nowMs,
      endsAtMs: nowMs + SESSION_LIFE_MS,
      idleAtMs: nowMs + SESSION_IDLE_MS,
      steppedUpAtMs: isSteppedUp ? nowMs : undefined,
    };
    this.#sessions.set(session.hash, session);
    return { id: new Secret(id), session };
  }

  /** The live session with this id; using it keeps it from going idle. */
  use(id: string): Session | undefined {
    const hash = credentialHash(id);
    const session = this.byHash(hash);
    if (session === undefined) return undefined;
    const nowMs = this.#clock.nowMs();
    const used = { ...session, usedAtMs: nowMs, idleAtMs: nowMs + SESSION_IDLE_MS };
    this.#sessions.set(hash, used);
    return used;
  }

  /** The live session with this hash, without using it. */
  byHash(hash: string): Session | undefined {
    const session = this.#sessions.get(hash);
    return session === undefined || this.#isEnded(session) ? undefined : session;
  }

  /** The live session with this name; see {@link sessionName}. */
  byName(name: string): Session | undefined {
    return this.all().find((session) => sessionName(session) === name);
  }

  /** The live sessions, the oldest first. */
  all(): Session[] {
    return [...this.#sessions.values()].filter((session) => !this.#isEnded(session));
  }

  /** Notes that a second factor was shown in a session, which from then on is a full one. */
  stepUp(hash: string): void {
    const session = this.byHash(hash);
    if (session === undefined) return;
    const steppedUpAtMs = this.#clock.nowMs();
    this.#sessions.set(hash, { ...session, steppedUpAtMs, needsSecondFactor: false });
  }

  end(hash: string): void {
    this.#sessions.delete(hash);
  }

  /** Ends the sessions of a person, but for one that is to stay. */
  endAllOf(principal: string, { except }: { except?: string | undefined } = {}): void {
    for (const session of this.#sessions.values()) {
      if (session.principal === principal && session.hash !== except) this.end(session.hash);
    }
  }

  #isEnded({ endsAtMs, idleAtMs }: Session): boolean {
    return this.#clock.nowMs() >= Math.min(endsAtMs, idleAtMs);
  }

  #makeRoom(principal: string): void {
    const own: string[] = [];
    for (const session of this.#sessions.values()) {
      if (this.#isEnded(session)) this.end(session.hash);
      else if (session.principal === principal) own.push(session.hash);
    }
    const [oldestOwn] = own;
    if (oldestOwn !== undefined && own.length >= SESSIONS_OF_PERSON_MAX) this.end(oldestOwn);
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= SESSIONS_MAX) this.end(oldest);
  }
}
