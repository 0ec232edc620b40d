/** The people who run this server, and the credentials with which they do. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import type { UsedPasskey } from '@holdfast/protocol/api';
import type { Clock, RandomBytes, Secret } from '../kernel/index.ts';
import type { SealedStore } from '../persistence/index.ts';
import { ApiTokens, type CreatedApiToken, type TokenWish, newToken } from './api-tokens.ts';
import { credentialHash, hashesAreEqual } from './credential-hash.ts';
import { Factors } from './factors.ts';
import { FirstCode } from './first-code.ts';
import { KnownBrowsers } from './known-browsers.ts';
import { Membership } from './membership.ts';
import { OidcPeople } from './oidc-people.ts';
import { Passkeys, type RelyingParty } from './passkeys.ts';
import { PasswordHasher } from './password-hasher.ts';
import { PendingSignIns } from './pending-sign-ins.ts';
import {
  type ApiToken,
  type Caller,
  type Person,
  type RoleName,
  hasSecondFactor,
  isSameSignIn,
  personPrincipal,
} from './people-records.ts';
import { PersonStore } from './person-store.ts';
import { type Session, type SignedInBy, Sessions } from './sessions.ts';

/** A session with its id, which is the credential. */
export interface StartedSession {
  readonly id: Secret<string>;
  readonly caller: Caller;
}

/** With what somebody has signed in, and from where. */
export interface SignInFacts {
  readonly by: SignedInBy;
  /** IP address. */
  readonly address: string;
}

/** What counts as having shown a second factor. The first code is one: it came by the terminal. */
const STEPPED_UP: ReadonlySet<SignedInBy> = new Set([
  'first-code',
  'passkey',
  'recovery-code',
  'totp',
]);
/** Sign-ins that let a person do nothing but set up a second factor. */
const INCOMPLETE: ReadonlySet<SignedInBy> = new Set(['invitation', 'password']);

/** People, sessions and API tokens. Reads are look-ups in memory; writes are durable on return. */
export class People {
  readonly factors: Factors;
  readonly membership: Membership;
  readonly passkeys: Passkeys;
  readonly browsers: KnownBrowsers;
  readonly oidc: OidcPeople;
  readonly pending: PendingSignIns;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #people: PersonStore;
  readonly #hasher: PasswordHasher;
  readonly #sessions: Sessions;
  readonly #tokens: ApiTokens;
  readonly #firstCode = new FirstCode();
  #localHash: string | undefined;

  constructor(store: SealedStore, deps: { clock: Clock; random: RandomBytes }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#people = new PersonStore(store);
    this.#hasher = new PasswordHasher(deps.random);
    this.#sessions = new Sessions(deps);
    this.#tokens = new ApiTokens(store, deps);
    this.factors = new Factors(this.#people, { ...deps, hasher: this.#hasher });
    this.membership = new Membership(this.#people, deps);
    this.passkeys = new Passkeys(deps);
    this.browsers = new KnownBrowsers(this.#people, deps);
    this.oidc = new OidcPeople(store, this.#people, deps);
    this.pending = new PendingSignIns(deps);
  }

  /** Makes the one-time code for the first operator; undefined once there is a person. */
  renewFirstCode(): Secret<string> | undefined {
    return this.#people.size > 0 ? undefined : this.#firstCode.renew(this.#random);
  }

  /** Makes the token of the data folder, which dies with this process; an earlier one is void. */
  renewLocalToken(): Secret<string> {
    const token = newToken(this.#random);
    this.#localHash = credentialHash(token.expose());
    return token;
  }

  /**
   * Makes the first operator, an administrator, and voids the code. Without a password there is
   * nothing yet to sign in with: see {@link startSession}.
   * @param record - puts the act on the audit log; when it rejects, there is no operator, and the
   *   code is void all the same.
   * @returns the operator, `E_OPERATE_SIGN_IN` when the code is wrong or void, `E_OPERATE_RATE`, or
   *   `E_OPERATE_CONFLICT` when somebody of this name was invited from the data folder meanwhile.
   */
  async addFirstOperator(
    { code, name, password }: { code: string; name: string; password?: string | undefined },
    record: () => Promise<void>,
  ): Promise<Person | Refusal> {
    if (!this.#firstCode.matches(code)) return wrongCode();
    const hash = password === undefined ? undefined : await this.#hasher.hash(password);
    if (hash instanceof Refusal) return hash;
    // Of two who show the code at once, the second finds it void here.
    if (!this.#firstCode.matches(code)) return wrongCode();
    this.#firstCode.end();
    await record();
    const conflict = this.#people.conflictOf(name);
    if (conflict !== undefined) return conflict;
    return this.#people.write({
      name,
      role: 'administrator',
      ...(hash !== undefined && { password: hash }),
      createdAtMs: this.#clock.nowMs(),
      passkeys: [],
      recoveryCodes: [],
      knownBrowsers: [],
      isDisabled: false,
      factorEpoch: 0,
    });
  }

  /** Everybody, in the order of their names. */
  all(): Person[] {
    return this.#people.all();
  }

  byName(name: string): Person | undefined {
    return this.#people.byName(name);
  }

  /** Refuses `E_OPERATE_CONFLICT` a name that is taken, or one person more than the limit. */
  conflictOf(name: string): Refusal | undefined {
    return this.#people.conflictOf(name);
  }

  /** The person behind a caller; undefined for the token of the data folder. */
  personOf({ principal }: Pick<Caller, 'principal'>): Person | undefined {
    const prefix = personPrincipal('');
    const name = principal.startsWith(prefix) ? principal.slice(prefix.length) : '';
    return this.#people.byName(name);
  }

  /** The role that a principal has now; undefined where nobody may act as it. */
  roleOf(principal: string): RoleName | undefined {
    return principal === 'local' ? 'administrator' : this.#active(principal)?.role;
  }

  /**
   * Checks name and password; an unknown name costs the same time.
   * @returns the person, `E_OPERATE_SIGN_IN`, or `E_OPERATE_RATE` when too many try.
   */
  async checkPassword({
    name,
    password,
  }: {
    name: string;
    password: string;
  }): Promise<Person | Refusal> {
    const person = this.#people.byName(name);
    const isRight = await this.#hasher.check(password, person?.password);
    if (isRight instanceof Refusal) return isRight;
    // An unknown name is not repeated: it may be a password that was typed in the wrong place.
    if (person === undefined) return wrong('nobody has this name');
    return isRight ? this.stillOf(person) : wrong(`the password of ${name} is wrong`);
  }

  /**
   * The person as they are now, after a moment in which things may have changed.
   * @returns the person, or `E_OPERATE_SIGN_IN` when they are gone or disabled, or when something
   *   that they sign in with was taken away or replaced: what was shown before counts no more.
   */
  stillOf(before: Person): Person | Refusal {
    const { name } = before;
    const person = this.#people.byName(name);
    if (person === undefined) return wrong(`${name} was removed`);
    if (person.isDisabled) return wrong(`${name} is disabled`);
    if (isSameSignIn(before, person)) return person;
    return wrong(`what ${name} signs in with has changed meanwhile`);
  }

  /**
   * Checks a passkey for a sign-in and keeps its counter.
   * @returns whose it is, or `E_OPERATE_SIGN_IN`.
   */
  async checkPasskey(credential: UsedPasskey, rp: RelyingParty): Promise<Person | Refusal> {
    const person = this.#people.byPasskey(credential.id);
    if (person === undefined) return wrong('nobody has this passkey');
    if (person.isDisabled) return wrong(`${person.name} is disabled`);
    return this.usePasskey(person, credential, { rp, purpose: 'sign-in' });
  }

  /** Checks that a person has a passkey at hand, and keeps its counter. */
  async usePasskey(
    person: Person,
    credential: UsedPasskey,
    ceremony: { rp: RelyingParty; purpose: 'sign-in' | `step-up:${string}` },
  ): Promise<Person | Refusal> {
    const used = await this.passkeys.finishRequest(credential, { ...ceremony, person });
    return used instanceof Refusal ? used : this.factors.keepUse(person, used);
  }

  /** Starts a session for a person who has shown what `by` says. */
  startSession(person: Person, { by, address }: SignInFacts): StartedSession {
    // The first code is good once: whoever has nothing else has to set up how they come in again.
    const hasCodeAlone = by === 'first-code' && person.password === undefined;
    const needsSecondFactor = INCOMPLETE.has(by) || hasCodeAlone;
    const { id, session } = this.#sessions.start({
      principal: personPrincipal(person.name),
      by,
      address,
      isSteppedUp: STEPPED_UP.has(by) && !needsSecondFactor,
      needsSecondFactor,
    });
    return { id, caller: sessionCaller(person, session) };
  }

  /** Whether a right password alone lets a person in, to set up a second factor. */
  needsSecondStep(person: Person): boolean {
    return hasSecondFactor(person);
  }

  /** Who has this session id; using it keeps the session from going idle. */
  callerOfSession(id: string): Caller | undefined {
    const session = this.#sessions.use(id);
    const person = session && this.#active(session.principal);
    return session && person && sessionCaller(person, session);
  }

  /** Who has this API token or local token. */
  callerOfToken(text: string): Caller | undefined {
    const hash = credentialHash(text);
    if (this.#isLocal(hash)) {
      // Whoever holds the folder holds the keys: there is no more to prove.
      const steppedUpAtMs = this.#clock.nowMs();
      const local = { principal: 'local', credential: 'local', steppedUpAtMs } as const;
      return { ...local, role: 'administrator', credentialHash: hash };
    }
    const token = this.#tokens.byHash(hash);
    const person = token && this.#active(token.principal);
    if (token === undefined || person === undefined) return undefined;
    return {
      principal: token.principal,
      role: person.role,
      credential: 'token',
      credentialHash: hash,
      expiresAtMs: token.expiresAtMs,
      scope: token.scope,
    };
  }

  /**
   * Until when a caller is what they are, in milliseconds since 1970: 0 when the credential has
   * ended or was revoked, or the person has another role by now; Infinity when it ends with this
   * process. Asking does not use the session.
   */
  liveUntilMs({ principal, role, credential, credentialHash: hash }: Caller): number {
    if (credential === 'local') return this.#isLocal(hash) ? Infinity : 0;
    if (this.#active(principal)?.role !== role) return 0;
    if (credential === 'token') return this.#tokens.byHash(hash)?.expiresAtMs ?? 0;
    const session = this.#sessions.byHash(hash);
    return session === undefined ? 0 : Math.min(session.endsAtMs, session.idleAtMs);
  }

  /** Notes that a caller has shown a second factor in their session just now. */
  stepUp({ credentialHash: hash }: Caller): void {
    this.#sessions.stepUp(hash);
  }

  /** The live sessions, the oldest first; of one principal, or all of them. */
  sessions(principal?: string): Session[] {
    const all = this.#sessions.all();
    return principal === undefined ? all : all.filter((one) => one.principal === principal);
  }

  /** Ends the session with this name; only of `principal`, where one is given. */
  endSessionNamed(name: string, principal?: string): Session | Refusal {
    const session = this.#sessions.byName(name);
    if (session === undefined || (principal !== undefined && session.principal !== principal)) {
      return refuse('E_OPERATE_NOT_FOUND', `There is no session ${name}.`);
    }
    this.#sessions.end(session.hash);
    return session;
  }

  /** The session of a caller. */
  sessionOf({ credentialHash: hash }: Caller): Session | undefined {
    return this.#sessions.byHash(hash);
  }

  /** Ends the session of a caller. */
  endSession(caller: Pick<Caller, 'credentialHash'>): void {
    this.#sessions.end(caller.credentialHash);
  }

  /** Ends all sessions of a person, but for that of a caller. */
  endSessionsOf(person: Person, { except }: { except?: Caller } = {}): void {
    this.pending.endAllOf(person.name);
    const keep = except?.credentialHash;
    this.#sessions.endAllOf(personPrincipal(person.name), { except: keep });
  }

  /** Ends everything that acts for a person: sessions and API tokens. */
  endAccessOf(person: Person): void {
    this.endSessionsOf(person);
    this.#tokens.removeAllOf(personPrincipal(person.name));
  }

  /**
   * Makes an API token for a caller. Refuses `E_OPERATE_CONFLICT` when there are too many.
   * @param record - puts the act on the audit log; when it rejects, there is no token.
   */
  async createToken(
    { principal }: Caller,
    { label, lifeMs, scope }: Omit<TokenWish, 'principal'>,
    record: (token: ApiToken) => Promise<void>,
  ): Promise<CreatedApiToken | Refusal> {
    const created = this.#tokens.make({ principal, label, lifeMs, scope });
    if (created instanceof Refusal) return created;
    await record(created.record);
    this.#tokens.keep(created.record);
    return created;
  }

  /** The live API tokens, oldest first. */
  tokens(): ApiToken[] {
    return this.#tokens.all();
  }

  /** Ends an API token at once; only of `principal`, where one is given. `E_OPERATE_NOT_FOUND`. */
  removeToken(id: string, principal?: string): ApiToken | Refusal {
    const token = this.#tokens.byId(id);
    if (token === undefined || (principal !== undefined && token.principal !== principal)) {
      return refuse('E_OPERATE_NOT_FOUND', `there is no token ${id}`);
    }
    this.#tokens.remove(token);
    return token;
  }

  #active(principal: string): Person | undefined {
    const person = this.personOf({ principal });
    return person?.isDisabled === false ? person : undefined;
  }

  #isLocal(hash: string): boolean {
    return this.#localHash !== undefined && hashesAreEqual(hash, this.#localHash);
  }
}

function sessionCaller(person: Person, session: Session): Caller {
  return {
    principal: personPrincipal(person.name),
    role: person.role,
    credential: 'session',
    credentialHash: session.hash,
    expiresAtMs: session.endsAtMs,
    steppedUpAtMs: session.steppedUpAtMs,
    needsSecondFactor: session.needsSecondFactor ? true : undefined,
  };
}

function wrong(detail: string): Refusal {
  return refuse('E_OPERATE_SIGN_IN', detail);
}

function wrongCode(): Refusal {
  return wrong('the one-time code is wrong or void');
}
