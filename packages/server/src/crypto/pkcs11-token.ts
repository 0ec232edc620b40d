/** One opened PKCS#11 token: finds, makes and uses keys that never leave it. @module */
import { Fault, type Secret } from '../kernel/index.ts';
import * as ck from './pkcs11-constants.ts';
import {
  type Pkcs11,
  type Pkcs11Driver,
  type TokenAttribute,
  type TokenMechanism,
  returnValue,
} from './pkcs11-driver.ts';

/** Which token, by the module that speaks to it. */
export interface TokenPlace {
  /** Path of the PKCS#11 module, a shared library. */
  readonly module: string;
  /** Label of the token. */
  readonly label: string;
}

/** Handle of an object in the token. */
export type TokenObject = Buffer;

/**
 * A token that was logged in to. What it does is done before it returns. A token that is taken
 * away makes everything throw `E_CRYPTO_TOKEN`; a restart logs in again.
 */
export class Token {
  readonly driver: Pkcs11Driver;
  readonly #pkcs11: Pkcs11;
  readonly #session: Buffer;
  readonly #place: TokenPlace;

  private constructor(
    driver: Pkcs11Driver,
    opened: { pkcs11: Pkcs11; session: Buffer; place: TokenPlace },
  ) {
    this.driver = driver;
    this.#pkcs11 = opened.pkcs11;
    this.#session = opened.session;
    this.#place = opened.place;
  }

  /**
   * Loads the module, finds the token by its label, and logs in.
   * @throws Fault `E_CRYPTO_TOKEN_MODULE`, `E_CRYPTO_TOKEN_MISSING`, `E_CRYPTO_TOKEN_PIN`, or
   *   `E_CRYPTO_TOKEN` for what else goes wrong.
   */
  static open(driver: Pkcs11Driver, place: TokenPlace, pin: Secret<string>): Token {
    const pkcs11 = load(driver, place);
    try {
      const session = attempt(place, () =>
        pkcs11.C_OpenSession(slotOf(pkcs11, place), ck.CKF_SERIAL_SESSION | ck.CKF_RW_SESSION),
      );
      login(pkcs11, session, { place, pin });
      return new Token(driver, { pkcs11, session, place });
    } catch (error) {
      unload(pkcs11);
      throw error;
    }
  }

  /** Logs out and lets go of the module. */
  close(): void {
    try {
      this.#pkcs11.C_Logout(this.#session);
      this.#pkcs11.C_CloseSession(this.#session);
    } catch {
      // A token that was taken away has no session to end.
    }
    unload(this.#pkcs11);
  }

  /** All objects that have these attributes. */
  find(template: readonly TokenAttribute[]): TokenObject[] {
    return this.#do((pkcs11, session) => {
      pkcs11.C_FindObjectsInit(session, template);
      try {
        return pkcs11.C_FindObjects(session, FOUND_OBJECTS_MAX);
      } finally {
        pkcs11.C_FindObjectsFinal(session);
      }
    });
  }

  /** One attribute of an object. */
  attribute(object: TokenObject, type: number): Buffer {
    return this.#do((pkcs11, session) => {
      const [found] = pkcs11.C_GetAttributeValue(session, object, [{ type }]);
      return found?.value ?? Buffer.alloc(0);
    });
  }

  makeSecretKey(mechanism: TokenMechanism, template: readonly TokenAttribute[]): TokenObject {
    return this.#do((pkcs11, session) => pkcs11.C_GenerateKey(session, mechanism, template));
  }

  makeKeyPair(
    mechanism: TokenMechanism,
    templates: { publicKey: readonly TokenAttribute[]; privateKey: readonly TokenAttribute[] },
  ): { readonly publicKey: TokenObject; readonly privateKey: TokenObject } {
    return this.#do((pkcs11, session) =>
      pkcs11.C_GenerateKeyPair(session, mechanism, templates.publicKey, templates.privateKey),
    );
  }

  destroy(object: TokenObject): void {
    this.#do((pkcs11, session) => pkcs11.C_DestroyObject(session, object));
  }

  /** @param outputBytesMax - room for the signature. */
  sign(data: Buffer, { key, mechanism, outputBytesMax }: TokenUse): Buffer {
    return this.#do((pkcs11, session) => {
      pkcs11.C_SignInit(session, mechanism, key);
      return pkcs11.C_Sign(session, data, Buffer.alloc(outputBytesMax));
    });
  }

  encrypt(data: Buffer, { key, mechanism, outputBytesMax }: TokenUse): Buffer {
    return this.#do((pkcs11, session) => {
      pkcs11.C_EncryptInit(session, mechanism, key);
      return pkcs11.C_Encrypt(session, data, Buffer.alloc(outputBytesMax));
    });
  }

  decrypt(data: Buffer, { key, mechanism, outputBytesMax }: TokenUse): Buffer {
    return this.#do((pkcs11, session) => {
      pkcs11.C_DecryptInit(session, mechanism, key);
      return pkcs11.C_Decrypt(session, data, Buffer.alloc(outputBytesMax));
    });
  }

  #do<T>(use: (pkcs11: Pkcs11, session: Buffer) => T): T {
    return attempt(this.#place, () => use(this.#pkcs11, this.#session));
  }
}

/** With which key to do what. */
export interface TokenUse {
  readonly key: TokenObject;
  readonly mechanism: TokenMechanism;
  /** Room for the result, in bytes. */
  readonly outputBytesMax: number;
}

function load({ PKCS11 }: Pkcs11Driver, { module }: TokenPlace): Pkcs11 {
  const pkcs11 = new PKCS11();
  try {
    pkcs11.load(module);
  } catch (cause) {
    throw new Fault({
      code: 'E_CRYPTO_TOKEN_MODULE',
      what: `The PKCS#11 module ${module} cannot be loaded.`,
      fix: 'Check the path: for SoftHSM on Debian it is /usr/lib/softhsm/libsofthsm2.so.',
      cause,
    });
  }
  try {
    pkcs11.C_Initialize();
  } catch (error) {
    pkcs11.close();
    throw tokenFault(module, error);
  }
  return pkcs11;
}

function unload(pkcs11: Pkcs11): void {
  try {
    pkcs11.C_Finalize();
  } catch {
    // A module that lost its token may have ended by itself.
  }
  pkcs11.close();
}

function slotOf(pkcs11: Pkcs11, { label, module }: TokenPlace): Buffer {
  const slots = pkcs11.C_GetSlotList(true);
  const found = slots.filter((slot) => labelOf(pkcs11, slot) === label);
  const [slot] = found;
  if (slot !== undefined && found.length === 1) return slot;
  throw new Fault({
    code: 'E_CRYPTO_TOKEN_MISSING',
    what:
      found.length === 0
        ? `No token with the label "${label}" is there (module ${module}).`
        : `${found.length} tokens have the label "${label}" (module ${module}).`,
    fix: 'Plug it in, or give the one token that is meant this label; then start again.',
  });
}

/** Labels are padded with blanks. */
function labelOf(pkcs11: Pkcs11, slot: Buffer): string | undefined {
  try {
    return pkcs11.C_GetTokenInfo(slot).label.replaceAll('\0', '').trimEnd();
  } catch {
    return undefined; // A reader that cannot tell what is in it has not our token.
  }
}

function login(
  pkcs11: Pkcs11,
  session: Buffer,
  { place, pin }: { place: TokenPlace; pin: Secret<string> },
): void {
  try {
    pkcs11.C_Login(session, ck.CKU_USER, pin.expose());
  } catch (cause) {
    const why = returnValue(cause);
    if (why === undefined || !why.startsWith('CKR_PIN_')) throw tokenFault(place.label, cause);
    const isLocked = why === 'CKR_PIN_LOCKED';
    throw new Fault({
      code: 'E_CRYPTO_TOKEN_PIN',
      what: isLocked
        ? `The token "${place.label}" is locked: its PIN was wrong too often.`
        : `The PIN of the token "${place.label}" is wrong.`,
      fix: isLocked
        ? 'Unlock it with the security officer PIN, by the tool of its maker.'
        : 'Try again with care: a few wrong PINs lock the token.',
      cause: new Error(why),
    });
  }
}

function attempt<T>({ label }: TokenPlace, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof Fault ? error : tokenFault(label, error);
  }
}

function tokenFault(label: string, cause: unknown): Fault {
  return new Fault({
    code: 'E_CRYPTO_TOKEN',
    what: `The token "${label}" failed: ${returnValue(cause) ?? String(cause)}.`,
    fix: 'Check that it is plugged in and works with the tool of its maker, then start again.',
    cause,
  });
}

const FOUND_OBJECTS_MAX = 16;
