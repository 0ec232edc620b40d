/** A second factor beside the certificate: what sessions ask of whoever checks it. @module */
import type { Refusal } from '@holdfast/protocol';
import type { AdmittedPeer } from './gate.ts';

/** The API key that a peer has shown. */
export interface ShownApiKey {
  readonly keyId: string;
}

/** User name and password of an MQTT CONNECT. */
export interface PasswordFields {
  readonly userName: string | undefined;
  readonly password: Uint8Array;
}

/** Checks API keys, and says what a peer may still do with the one that it has shown. */
export interface SecondFactor {
  /** Checks a password field. Refuses `E_SESSION_API_KEY`, or `E_SESSION_LIMIT` in a storm. */
  checkPassword(peer: AdmittedPeer, fields: PasswordFields): Promise<ShownApiKey | Refusal>;
  /** What speaks against a peer that has shown this key, or none; undefined when nothing does. */
  recheck(peer: AdmittedPeer, shown: ShownApiKey | undefined): Refusal | undefined;
  /**
   * Tells whose answer of {@link SecondFactor.recheck} may be another from now on: one device, or
   * all of them; until the returned function is called.
   */
  onChange(listener: (deviceId: string | undefined) => void): () => void;
}
