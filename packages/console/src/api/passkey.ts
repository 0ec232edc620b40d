/** Passkeys, as the browser asks an authenticator for them (WebAuthn Level 3). @module */
import { Problem } from './problem.ts';

/** Uses a passkey. @throws Problem when the person or the authenticator did not. */
export async function usedPasskey(options: object): Promise<object> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as PublicKeyCredentialRequestOptionsJSON,
  );
  return jsonOf(await authenticated(navigator.credentials.get({ publicKey })));
}

/** Makes a passkey. @throws Problem when the person or the authenticator did not. */
export async function newPasskey(options: object): Promise<object> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as PublicKeyCredentialCreationOptionsJSON,
  );
  return jsonOf(await authenticated(navigator.credentials.create({ publicKey })));
}

/** Whether this browser knows passkeys in the form that the server speaks. */
export function knowsPasskeys(): boolean {
  return (
    'PublicKeyCredential' in globalThis &&
    'parseRequestOptionsFromJSON' in globalThis.PublicKeyCredential
  );
}

async function authenticated(asked: Promise<Credential | null>): Promise<Credential> {
  try {
    const credential = await asked;
    if (credential !== null) return credential;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'InvalidStateError') {
      throw problem('This device has a passkey for you already.', 'Sign in with it.');
    }
    if (!(error instanceof DOMException)) throw error;
  }
  throw problem('The passkey was not used: it was canceled, or took too long.', 'Try again.');
}

function problem(message: string, fix: string): Problem {
  return new Problem({ code: 'passkey', message, fix, status: 0 });
}

function jsonOf(credential: Credential): object {
  if (!(credential instanceof PublicKeyCredential)) throw new Error('it is no passkey');
  return credential.toJSON();
}
