/** Passkey ceremonies: WebAuthn Level 3, with user verification and discoverable credentials. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { NewPasskey, PasskeyOptions, UsedPasskey } from '@holdfast/protocol/api';
import type * as WebAuthn from '@simplewebauthn/server';
import type { Clock, RandomBytes } from '../kernel/index.ts';
import { Challenges } from './challenges.ts';
import { CHALLENGE_LIFE_MS } from './limits.ts';
import type { Passkey, Person } from './people-records.ts';

/** Where passkeys are good: they are bound to a host name, and used from one origin. */
export interface RelyingParty {
  /** Host name, without port. */
  readonly id: string;
  /** `https://host:port`. */
  readonly origin: string;
}

/** What a ceremony is for. A challenge of one is good for no other. */
export type CeremonyPurpose = 'sign-in' | `add:${string}` | `step-up:${string}`;

/** COSE numbers of ECDSA on P-256, EdDSA, and RSA PKCS#1 1.5 with SHA-256 (Windows Hello). */
const ALGORITHMS = [-7, -8, -257];
const DETAIL_CHARACTERS_MAX = 200;

/** Starts and finishes ceremonies. It reads no store: who has which passkey is told by the caller. */
export class Passkeys {
  readonly #clock: Clock;
  readonly #challenges: Challenges;

  constructor(deps: { clock: Clock; random: RandomBytes }) {
    this.#clock = deps.clock;
    this.#challenges = new Challenges(deps);
  }

  /** What the browser needs to make a passkey for a person, who has a `userHandle` by now. */
  async creationOptions(
    { name, userHandle = '', passkeys }: Person,
    { rp, purpose }: { rp: RelyingParty; purpose: CeremonyPurpose },
  ): Promise<PasskeyOptions> {
    const { generateRegistrationOptions } = await library();
    const options = await generateRegistrationOptions({
      rpName: 'Holdfast',
      rpID: rp.id,
      userName: name,
      userDisplayName: name,
      userID: new Uint8Array(Buffer.from(userHandle, 'base64url')),
      challenge: this.#challenges.make(purpose),
      timeout: CHALLENGE_LIFE_MS,
      attestationType: 'none',
      excludeCredentials: passkeys.map(({ id, transports }) => ({ id, transports })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      supportedAlgorithmIDs: ALGORITHMS,
    });
    return { ...options };
  }

  /** The new passkey, or `E_OPERATE_INPUT` with what is wrong with it. */
  async finishCreation(
    credential: NewPasskey,
    { rp, purpose, name }: { rp: RelyingParty; purpose: CeremonyPurpose; name: string },
  ): Promise<Passkey | Refusal> {
    const { verifyRegistrationResponse } = await library();
    try {
      if (await hasCertificates(credential)) {
        return refuse(
          'E_OPERATE_INPUT',
          'The passkey comes with a certificate; none was asked for.',
        );
      }
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: registrationJson(credential),
        expectedChallenge: (text) => this.#challenges.isLive(text, purpose),
        expectedOrigin: rp.origin,
        expectedRPID: rp.id,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      });
      if (!verified || !this.#challenges.use(challengeOf(credential))) {
        return refuse('E_OPERATE_INPUT', 'The passkey does not verify; try again.');
      }
      const { id, publicKey, counter } = registrationInfo.credential;
      return {
        id,
        publicKey: Buffer.from(publicKey).toString('base64url'),
        counter,
        transports: credential.response.transports ?? [],
        isSynced: registrationInfo.credentialBackedUp,
        name,
        createdAtMs: this.#clock.nowMs(),
      };
    } catch (error) {
      return refuse('E_OPERATE_INPUT', `The passkey does not verify: ${problemOf(error)}`);
    }
  }

  /** What the browser needs to use a passkey; of these, or of any that it knows for this host. */
  async requestOptions({
    rp,
    purpose,
    passkeys = [],
  }: {
    rp: RelyingParty;
    purpose: CeremonyPurpose;
    passkeys?: readonly Passkey[];
  }): Promise<PasskeyOptions> {
    const { generateAuthenticationOptions } = await library();
    const options = await generateAuthenticationOptions({
      rpID: rp.id,
      allowCredentials: passkeys.map(({ id, transports }) => ({ id, transports })),
      challenge: this.#challenges.make(purpose),
      timeout: CHALLENGE_LIFE_MS,
      userVerification: 'required',
    });
    return { ...options };
  }

  /** The passkey as it is after this use, or `E_OPERATE_SIGN_IN`. */
  async finishRequest(
    credential: UsedPasskey,
    { rp, purpose, person }: { rp: RelyingParty; purpose: CeremonyPurpose; person: Person },
  ): Promise<Passkey | Refusal> {
    const passkey = person.passkeys.find(({ id }) => id === credential.id);
    const { userHandle } = credential.response;
    const isOther = typeof userHandle === 'string' && userHandle !== person.userHandle;
    if (passkey === undefined || isOther) return wrong(`a passkey that is not ${person.name}'s`);
    const { verifyAuthenticationResponse } = await library();
    try {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: authenticationJson(credential),
        expectedChallenge: (text) => this.#challenges.isLive(text, purpose),
        expectedOrigin: rp.origin,
        expectedRPID: rp.id,
        requireUserVerification: true,
        credential: {
          id: passkey.id,
          publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
          counter: passkey.counter,
        },
      });
      if (!verified || !this.#challenges.use(challengeOf(credential))) {
        return wrong(`the passkey of ${person.name} does not verify`);
      }
      const { newCounter, credentialBackedUp } = authenticationInfo;
      return {
        ...passkey,
        counter: newCounter,
        isSynced: credentialBackedUp,
        lastUsedAtMs: this.#clock.nowMs(),
      };
    } catch (error) {
      return wrong(`the passkey of ${person.name} does not verify: ${problemOf(error)}`);
    }
  }
}

/** Loaded when the first ceremony needs it: most starts of the server never do. */
function library(): Promise<Library> {
  return import('@simplewebauthn/server');
}

/**
 * Whether an attestation brings certificates. The library would ask for revocation lists at the
 * addresses in them, which somebody else has chosen.
 */
async function hasCertificates({ response }: NewPasskey): Promise<boolean> {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers');
  const bytes = new Uint8Array(Buffer.from(response.attestationObject, 'base64url'));
  const attestation = decodeAttestationObject(bytes);
  const format = attestation.get('fmt');
  const isSelfMade = format === 'packed' && attestation.get('attStmt').get('x5c') === undefined;
  return format !== 'none' && !isSelfMade;
}

/** The challenge that was signed, once the library has found it in its place. */
function challengeOf({ response }: NewPasskey | UsedPasskey): string {
  try {
    const text = Buffer.from(response.clientDataJSON, 'base64url').toString('utf8');
    const data: unknown = JSON.parse(text);
    const isObject = typeof data === 'object' && data !== null && 'challenge' in data;
    return isObject && typeof data.challenge === 'string' ? data.challenge : '';
  } catch {
    return '';
  }
}

type Library = typeof WebAuthn;
type RegistrationJson = Parameters<Library['verifyRegistrationResponse']>[0]['response'];
type AuthenticationJson = Parameters<Library['verifyAuthenticationResponse']>[0]['response'];

function registrationJson({ id, rawId, type, response }: NewPasskey): RegistrationJson {
  const { clientDataJSON, attestationObject } = response;
  return {
    id,
    rawId,
    type,
    clientExtensionResults: {},
    response: { clientDataJSON, attestationObject },
  };
}

function authenticationJson({ id, rawId, type, response }: UsedPasskey): AuthenticationJson {
  const { clientDataJSON, authenticatorData, signature } = response;
  return {
    id,
    rawId,
    type,
    clientExtensionResults: {},
    response: { clientDataJSON, authenticatorData, signature },
  };
}

/** What the library says; it may quote what a stranger sent. */
function problemOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.slice(0, DETAIL_CHARACTERS_MAX);
}

function wrong(detail: string): Refusal {
  return refuse('E_OPERATE_SIGN_IN', detail);
}
