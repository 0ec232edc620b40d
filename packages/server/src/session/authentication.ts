/** Enhanced authentication: challenge and response beside the certificate. @see MQTT 5 §4.12 @module */
import { Refusal, refuse } from '@holdfast/protocol';
import { type Auth, REASON, encodeAuth } from '@holdfast/protocol/mqtt';
import type { AdmittedPeer } from './gate.ts';
import type { ShownApiKey } from './second-factor.ts';

/** What an authenticator says to one step of the peer. */
export type AuthenticationStep =
  | { readonly type: 'continue'; readonly data: Uint8Array | undefined }
  | {
      readonly type: 'done';
      readonly data: Uint8Array | undefined;
      /** The API key that was proven, if it was one. */
      readonly shown?: ShownApiKey;
    }
  | Refusal;

/** One exchange with one peer. */
export interface AuthenticationExchange {
  /** Takes the data of CONNECT or AUTH. */
  step(data: Uint8Array | undefined): Promise<AuthenticationStep>;
}

/** A second factor beside the certificate; its name is the authentication method. */
export interface Authenticator {
  begin(peer: AdmittedPeer): AuthenticationExchange;
}

/** The methods that are offered, by name. */
export type Authenticators = ReadonlyMap<string, Authenticator>;

/** What the server says at the end of an exchange that went well. */
export interface Authenticated {
  readonly data: Uint8Array | undefined;
  readonly shown?: ShownApiKey;
}

/** The authentication of one connection: the method of its CONNECT is its method for good. */
export class Authentication {
  readonly method: string;
  readonly #options: AuthenticationOptions;
  #onData: ((data: Uint8Array | undefined) => void) | undefined;
  #isRunning = false;

  constructor(method: string, options: AuthenticationOptions) {
    this.method = method;
    this.#options = options;
  }

  /** Whether the server waits for an AUTH. */
  get isWaiting(): boolean {
    return this.#onData !== undefined;
  }

  /** Runs an exchange from the data of CONNECT, or of the AUTH that begins anew. */
  async run(first: Uint8Array | undefined): Promise<Authenticated | Refusal> {
    const { authenticator, peer, write } = this.#options;
    const exchange = authenticator.begin(peer);
    let data = first;
    this.#isRunning = true;
    for (;;) {
      const step = await exchange.step(data);
      if (step instanceof Refusal || step.type === 'done') {
        this.#isRunning = false;
        return step;
      }
      const properties = { authMethod: this.method, authData: step.data };
      write(encodeAuth({ reasonCode: REASON.continueAuthentication, properties })); // [MQTT-4.12.0-2]
      data = await new Promise<Uint8Array | undefined>((resolve) => {
        this.#onData = resolve;
      });
    }
  }

  /**
   * Takes an AUTH of the peer: the answer that is waited for, or the wish to authenticate again.
   * @returns `'again'` for the latter, and a refusal for anything else.
   */
  take({ reasonCode, properties }: Auth): 'again' | Refusal | undefined {
    // [MQTT-4.12.0-5] [MQTT-4.12.1-1]
    if (properties.authMethod !== this.method) {
      return refuse('E_SESSION_PROTOCOL', 'AUTH for another method than that of CONNECT');
    }
    const resolve = this.#onData;
    if (reasonCode === REASON.continueAuthentication && resolve !== undefined) {
      this.#onData = undefined;
      resolve(properties.authData);
      return undefined;
    }
    if (reasonCode === REASON.reauthenticate && !this.#isRunning) return 'again';
    return refuse('E_SESSION_PROTOCOL', 'AUTH that nobody asked for');
  }
}

/** What an authentication needs of its connection. */
export interface AuthenticationOptions {
  readonly authenticator: Authenticator;
  readonly peer: AdmittedPeer;
  readonly write: (bytes: Uint8Array) => void;
}
