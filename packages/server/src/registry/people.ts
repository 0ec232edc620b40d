/** The people who run this server, and the credentials with which they do. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import type { Clock, RandomBytes, Secret } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import { ApiTokens, type CreatedApiToken, newToken } from './api-tokens.ts';
import { credentialHash, hashesAreEqual } from './credential-hash.ts';
import { FirstCode } from './first-code.ts';
import { PasswordHasher } from './password-hasher.ts';
import {
  type ApiToken,
  type Caller,
  type Operator,
  OperatorSchema,
  personPrincipal,
} from './people-records.ts';
import { Sessions } from './sessions.ts';

/** A session with its id, which is the credential. */
export interface StartedSession {
  readonly id: Secret<string>;
  readonly caller: Caller;
}

/** Operators, sessions and API tokens. Reads are look-ups in memory; writes are durable on return. */
export class People {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #records: Collection<Operator>;
  /** By principal. */
  readonly #operators = new Map<string, Operator>();
  readonly #hasher: PasswordHasher;
  readonly #sessions: Sessions;
  readonly #tokens: ApiTokens;
  readonly #firstCode = new FirstCode();
  #localHash: string | undefined;

  constructor(store: SealedStore, deps: { clock: Clock; random: RandomBytes }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#records = store.collection('operator', OperatorSchema);
    for (const operator of this.#records.all()) this.#remember(operator);
    this.#hasher = new PasswordHasher(deps.random);
    this.#sessions = new Sessions(deps);
    this.#tokens = new ApiTokens(store, deps);
  }

  /** Makes the one-time code for the first operator; undefined once there is an operator. */
  renewFirstCode(): Secret<string> | undefined {
    return this.#operators.size > 0 ? undefined : this.#firstCode.renew(this.#random);
  }

  /** Makes the token of the data folder, which dies with this process; an earlier one is void. */
  renewLocalToken(): Secret<string> {
    const token = newToken(this.#random);
    this.#localHash = credentialHash(token.expose());
    return token;
  }

  /**
   * Makes the first operator, an administrator, and voids the code.
   * @param record - puts the act on the audit log; when it rejects, there is no operator, and the
   *   code is void all the same.
   * @returns the operator, `E_OPERATE_SIGN_IN` when the code is wrong or void, or `E_OPERATE_RATE`.
   */
  async addFirstOperator(
    { code, name, password }: { code: string; name: string; password: string },
    record: () => Promise<void>,
  ): Promise<Operator | Refusal> {
    if (!this.#firstCode.matches(code)) return wrongCode();
    const hash = await this.#hasher.hash(password);
    if (hash instanceof Refusal) return hash;
    // Of two who show the code at once, the second finds it void here.
    if (!this.#firstCode.matches(code)) return wrongCode();
    this.#firstCode.end();
    await record();
    const createdAtMs = this.#clock.nowMs();
    const operator = { name, role: 'administrator', password: hash, createdAtMs } as const;
    this.#records.write(name, operator);
    this.#remember(operator);
    return operator;
  }

  /**
   * Checks name and password; an unknown name costs the same time.
   * @returns the operator, `E_OPERATE_SIGN_IN`, or `E_OPERATE_RATE` when too many try.
   */
  async checkPassword({
    name,
    password,
  }: {
    name: string;
    password: string;
  }): Promise<Operator | Refusal> {
    const operator = this.#operators.get(personPrincipal(name));
    const isRight = await this.#hasher.check(password, operator?.password);
    if (isRight instanceof Refusal) return isRight;
    if (operator !== undefined && isRight) return operator;
    // An unknown name is not repeated: it may be a password that was typed in the wrong place.
    const wrong = operator && `the password of ${operator.name} is wrong`;
    return refuse('E_OPERATE_SIGN_IN', wrong ?? 'nobody has this name');
  }

  /** Starts a session for an operator whose password or code was right. */
  startSession(operator: Operator): StartedSession {
    const { id, session } = this.#sessions.start(personPrincipal(operator.name));
    return { id, caller: sessionCaller(operator, session) };
  }

  /** Who has this session id; using it keeps the session from going idle. */
  callerOfSession(id: string): Caller | undefined {
    const session = this.#sessions.use(id);
    const operator = session && this.#operators.get(session.principal);
    return session && operator && sessionCaller(operator, session);
  }

  /** Who has this API token or local token. */
  callerOfToken(text: string): Caller | undefined {
    const hash = credentialHash(text);
    if (this.#isLocal(hash)) {
      const local = { principal: 'local', credential: 'local' } as const;
      return { ...local, role: 'administrator', credentialHash: hash };
    }
    const token = this.#tokens.byHash(hash);
    const operator = token && this.#operators.get(token.principal);
    if (token === undefined || operator === undefined) return undefined;
    return {
      principal: token.principal,
      role: operator.role,
      credential: 'token',
      credentialHash: hash,
      expiresAtMs: token.expiresAtMs,
    };
  }

  /**
   * Until when a credential counts, in milliseconds since 1970: 0 when it has ended or was
   * revoked, Infinity when it ends with this process. Asking does not use the session.
   */
  liveUntilMs({ credential, credentialHash: hash }: Caller): number {
    if (credential === 'local') return this.#isLocal(hash) ? Infinity : 0;
    if (credential === 'token') return this.#tokens.byHash(hash)?.expiresAtMs ?? 0;
    const session = this.#sessions.byHash(hash);
    return session === undefined ? 0 : Math.min(session.endsAtMs, session.idleAtMs);
  }

  /** Ends the session of a caller. */
  endSession(caller: Caller): void {
    this.#sessions.end(caller.credentialHash);
  }

  /**
   * Makes an API token for a caller. Refuses `E_OPERATE_CONFLICT` when there are too many.
   * @param record - puts the act on the audit log; when it rejects, there is no token.
   */
  async createToken(
    { principal }: Caller,
    { label, lifeMs }: { label: string; lifeMs: number },
    record: (token: ApiToken) => Promise<void>,
  ): Promise<CreatedApiToken | Refusal> {
    const created = this.#tokens.make({ principal, label, lifeMs });
    if (created instanceof Refusal) return created;
    await record(created.record);
    this.#tokens.keep(created.record);
    return created;
  }

  /** The live API tokens, oldest first. */
  tokens(): ApiToken[] {
    return this.#tokens.all();
  }

  /** Ends an API token at once. Refuses `E_OPERATE_NOT_FOUND`. */
  removeToken(id: string): ApiToken | Refusal {
    const token = this.#tokens.byId(id);
    if (token === undefined) return refuse('E_OPERATE_NOT_FOUND', `there is no token ${id}`);
    this.#tokens.remove(token);
    return token;
  }

  #remember(operator: Operator): void {
    this.#operators.set(personPrincipal(operator.name), operator);
  }

  #isLocal(hash: string): boolean {
    return this.#localHash !== undefined && hashesAreEqual(hash, this.#localHash);
  }
}

function sessionCaller(operator: Operator, session: { hash: string; endsAtMs: number }): Caller {
  return {
    principal: personPrincipal(operator.name),
    role: operator.role,
    credential: 'session',
    credentialHash: session.hash,
    expiresAtMs: session.endsAtMs,
  };
}

function wrongCode(): Refusal {
  return refuse('E_OPERATE_SIGN_IN', 'the one-time code is wrong or void');
}
