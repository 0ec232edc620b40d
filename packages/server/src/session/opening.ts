/** From CONNECT to CONNACK: second factor, client id, the stages behind, the will. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import { type Connect, type ConnackProperties, REASON } from '@holdfast/protocol/mqtt';
import { type Authenticated, Authentication, type Authenticators } from './authentication.ts';
import type { NameSession, SessionName } from './client-id.ts';
import type { AdmittedPeer } from './gate.ts';
import type { InboundPublish, OpenHandler, SessionHandler, VerifiedWill } from './handler.ts';
import type { SessionLimits } from './limits.ts';
import { reasonOf } from './reason.ts';
import type { SecondFactor, ShownApiKey } from './second-factor.ts';

/** What an opening needs. */
export interface OpeningDeps {
  readonly limits: SessionLimits;
  readonly authenticators: Authenticators;
  readonly secondFactor: SecondFactor | undefined;
  readonly nameSession: NameSession;
  readonly openHandler: OpenHandler;
}

/** A will that is left with the server, and how many seconds it waits. */
export interface LeftWill {
  readonly will: VerifiedWill;
  readonly delayS: number;
}

/** A CONNECT that may be accepted. */
export interface Opened {
  readonly connect: Connect;
  readonly name: SessionName;
  readonly handler: SessionHandler;
  readonly will: LeftWill | undefined;
  /** Seconds that the session is to outlive the connection. */
  readonly expiryS: number;
  /** Seconds; 0 for none. */
  readonly keepAliveS: number;
  readonly properties: ConnackProperties;
  /** The API key that the peer has shown, if any. */
  readonly shown: ShownApiKey | undefined;
}

/** A CONNECT that is refused, and what the peer is told. */
export class RefusedOpening {
  /** Undefined when it was reported already. */
  readonly refusal: Refusal | undefined;
  readonly reasonCode: number;
  /** What the peer called itself, when that is the matter. */
  readonly claimed: string | undefined;

  constructor(refusal: Refusal | undefined, reasonCode: number, claimed?: string) {
    this.refusal = refusal;
    this.reasonCode = reasonCode;
    this.claimed = claimed;
  }
}

/** The beginning of one connection. */
export class Opening {
  /** There when the peer asked for enhanced authentication. */
  authentication: Authentication | undefined;
  readonly #peer: AdmittedPeer;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #deps: OpeningDeps;

  constructor(peer: AdmittedPeer, write: (bytes: Uint8Array) => void, deps: OpeningDeps) {
    this.#peer = peer;
    this.#write = write;
    this.#deps = deps;
  }

  /** Checks a CONNECT, step by step; the cheap steps come first. */
  async open(connect: Connect): Promise<Opened | RefusedOpening> {
    const name = this.#name(connect);
    if (name instanceof RefusedOpening) return name;
    const authenticated = await this.#authenticate(connect);
    if (authenticated instanceof RefusedOpening) return authenticated;
    const shown = authenticated?.shown;
    const missing = this.#deps.secondFactor?.recheck(this.#peer, shown);
    if (missing !== undefined) return new RefusedOpening(missing, REASON.notAuthorized);
    const handler = await this.#deps.openHandler(this.#peer);
    const will = leaveWill(connect, handler);
    if (will instanceof Refusal) return new RefusedOpening(undefined, reasonOf(will));
    const expiryS = name.mayPersist ? expiryOf(connect, this.#deps.limits) : 0;
    const keepAliveS = keepAliveOf(connect, this.#deps.limits);
    const granted = { expiryS, keepAliveS, authData: authenticated?.data };
    const properties = connackProperties(connect, granted, this.#deps.limits);
    return { connect, name, handler, will, expiryS, keepAliveS, properties, shown };
  }

  #name({ clientId, cleanStart, protocolLevel }: Connect): SessionName | RefusedOpening {
    if (clientId === '' && !cleanStart && protocolLevel < 5) {
      // MQTT 3.1.1 [MQTT-3.1.3-7] [MQTT-3.1.3-8]
      const refusal = refuse('E_SESSION_CLIENT_ID', 'no client id for a session that is kept');
      return new RefusedOpening(refusal, REASON.clientIdNotValid, clientId);
    }
    const name = this.#deps.nameSession(this.#peer, clientId);
    if (!(name instanceof Refusal)) return name;
    // An empty id is no valid one [MQTT-3.1.3-8]; another device's is valid, but not allowed.
    const reasonCode = clientId === '' ? REASON.clientIdNotValid : REASON.notAuthorized;
    return new RefusedOpening(name, reasonCode, clientId);
  }

  async #authenticate(connect: Connect): Promise<Authenticated | undefined | RefusedOpening> {
    const { authMethod, authData } = connect.properties;
    // No method, no AUTH of the server. MQTT 5 [MQTT-4.12.0-6]
    if (authMethod === undefined) return this.#checkPassword(connect);
    const authenticator = this.#deps.authenticators.get(authMethod);
    if (authenticator === undefined) {
      const refusal = refuse('E_SESSION_PROTOCOL', 'an authentication method that is not offered');
      return new RefusedOpening(refusal, REASON.badAuthenticationMethod); // [MQTT-4.12.0-1]
    }
    const options = { authenticator, peer: this.#peer, write: this.#write };
    this.authentication = new Authentication(authMethod, options);
    const result = await this.authentication.run(authData);
    if (!(result instanceof Refusal)) return result;
    return new RefusedOpening(result, REASON.notAuthorized); // [MQTT-4.12.0-4]
  }

  /** A password is checked whether the class of the device asks for one or not. */
  async #checkPassword({
    userName,
    password,
  }: Connect): Promise<Authenticated | undefined | RefusedOpening> {
    const { secondFactor } = this.#deps;
    if (password === undefined || secondFactor === undefined) return undefined;
    if (this.#peer.kind !== 'device') return undefined;
    const shown = await secondFactor.checkPassword(this.#peer, { userName, password });
    if (!(shown instanceof Refusal)) return { data: undefined, shown };
    const isBusy = shown.code === 'E_SESSION_LIMIT';
    const reasonCode = isBusy ? REASON.serverUnavailable : REASON.badUserNameOrPassword;
    return new RefusedOpening(shown, reasonCode);
  }
}

function leaveWill({ will }: Connect, handler: SessionHandler): LeftWill | undefined | Refusal {
  if (will === undefined) return undefined;
  // MQTT 5 [MQTT-3.1.2-14] [MQTT-3.1.2-15], MQTT 3.1.1 [MQTT-3.1.2-12] [MQTT-3.1.2-16]
  // MQTT 3.1.1 [MQTT-3.1.2-17]
  const { topic, retain, qos, properties } = will;
  // The payload is a view of a chunk that would otherwise be kept as long as the connection.
  const payload = will.payload.slice();
  const publish: InboundPublish = { topic, retain, qos, properties, payload };
  const verified = handler.verifyWill(publish);
  if (verified instanceof Refusal) return verified;
  return { will: verified, delayS: properties.delayS ?? 0 };
}

/** Seconds that the session is to outlive the connection. [MQTT-3.1.2-23] */
function expiryOf(connect: Connect, { sessionExpiryMaxS }: SessionLimits): number {
  const { protocolLevel, cleanStart, properties } = connect;
  if (protocolLevel === 5) return Math.min(properties.sessionExpiryS ?? 0, sessionExpiryMaxS);
  return cleanStart ? 0 : sessionExpiryMaxS;
}

/** MQTT 5 clients can be told another keep-alive than theirs. [MQTT-3.1.2-21] */
function keepAliveOf(connect: Connect, { keepAliveMaxS }: SessionLimits): number {
  const { protocolLevel, keepAliveS } = connect;
  if (protocolLevel !== 5) return keepAliveS;
  return keepAliveS === 0 || keepAliveS > keepAliveMaxS ? keepAliveMaxS : keepAliveS;
}

/** What differs from the wishes of the peer, and the limits that it has to keep. */
function connackProperties(
  { keepAliveS, properties }: Connect,
  granted: { expiryS: number; keepAliveS: number; authData: Uint8Array | undefined },
  { receiveMax, packetBytesMax, topicAliasMax }: SessionLimits,
): ConnackProperties {
  const isExpiryKept = granted.expiryS === (properties.sessionExpiryS ?? 0);
  return {
    // Without it that of CONNECT counts. MQTT 5 [MQTT-3.2.2-22]; no response information is
    // given, asked for or not: MQTT 5 [MQTT-3.1.2-28]
    sessionExpiryS: isExpiryKept ? undefined : granted.expiryS,
    serverKeepAliveS: granted.keepAliveS === keepAliveS ? undefined : granted.keepAliveS,
    receiveMax,
    packetBytesMax,
    topicAliasMax,
    authMethod: properties.authMethod,
    authData: granted.authData,
  };
}
