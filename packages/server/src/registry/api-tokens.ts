/** API tokens: what programs show instead of a password. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { TOKEN_PREFIX } from '@holdfast/protocol/api';
import { type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import { credentialHash } from './credential-hash.ts';
import { type ApiToken, ApiTokenSchema } from './people-records.ts';
import type { TokenScope } from './token-scope.ts';

/** Tokens that may exist at a time, live ones only. */
export const API_TOKENS_MAX = 256;
const TOKEN_BYTES = 32;
const ID_BYTES = 8;

/** What a token is to be. */
export interface TokenWish {
  /** For whom it acts. */
  readonly principal: string;
  readonly label: string;
  readonly lifeMs: number;
  /** Undefined: it is good for all that its person may do. */
  readonly scope?: TokenScope | undefined;
}

/** A new token, in the clear this one time. */
export interface CreatedApiToken {
  readonly token: Secret<string>;
  readonly record: ApiToken;
}

/** A new token in the clear: `hf_` and 43 characters of base64url. */
export function newToken(random: RandomBytes): Secret<string> {
  return new Secret(TOKEN_PREFIX + Buffer.from(random(TOKEN_BYTES)).toString('base64url'));
}

/** The API tokens that exist: in memory, written through. */
export class ApiTokens {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #records: Collection<ApiToken>;
  readonly #byHash = new Map<string, ApiToken>();

  constructor(store: SealedStore, { clock, random }: { clock: Clock; random: RandomBytes }) {
    this.#clock = clock;
    this.#random = random;
    this.#records = store.collection('api-token', ApiTokenSchema);
    for (const token of this.#records.all()) this.#byHash.set(token.hash, token);
  }

  /**
   * Makes a token, which counts once it is kept. Refuses `E_OPERATE_CONFLICT` when there are too
   * many.
   */
  make(wish: TokenWish): CreatedApiToken | Refusal {
    this.#forgetExpired();
    if (this.#byHash.size >= API_TOKENS_MAX) {
      return refuse('E_OPERATE_CONFLICT', `there are ${API_TOKENS_MAX} tokens; delete one first`);
    }
    const token = newToken(this.#random);
    const nowMs = this.#clock.nowMs();
    const record = {
      id: Buffer.from(this.#random(ID_BYTES)).toString('hex'),
      hash: credentialHash(token.expose()),
      label: wish.label,
      principal: wish.principal,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + wish.lifeMs,
      ...(wish.scope !== undefined && { scope: wish.scope }),
    };
    return { token, record };
  }

  /** Keeps a token that was made: it is valid from now on. */
  keep(token: ApiToken): void {
    this.#records.write(token.id, token);
    this.#byHash.set(token.hash, token);
  }

  /** The live token with this hash. */
  byHash(hash: string): ApiToken | undefined {
    const token = this.#byHash.get(hash);
    return token === undefined || this.#isExpired(token) ? undefined : token;
  }

  byId(id: string): ApiToken | undefined {
    return this.all().find((token) => token.id === id);
  }

  /** The live tokens, oldest first. */
  all(): ApiToken[] {
    return [...this.#byHash.values()]
      .filter((token) => !this.#isExpired(token))
      .sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  remove(token: ApiToken): void {
    this.#records.remove(token.id);
    this.#byHash.delete(token.hash);
  }

  /** Removes the tokens of a principal. */
  removeAllOf(principal: string): void {
    for (const token of this.#byHash.values()) {
      if (token.principal === principal) this.remove(token);
    }
  }

  #isExpired({ expiresAtMs }: ApiToken): boolean {
    return this.#clock.nowMs() >= expiresAtMs;
  }

  #forgetExpired(): void {
    for (const token of this.#byHash.values()) {
      if (this.#isExpired(token)) this.remove(token);
    }
  }
}
