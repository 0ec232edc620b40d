import { readDer } from './der-reader.ts';
import { TAG, derOid } from './der-writer.ts';
/** One session with a PKCS #11 token: finding, making and using its objects. @module */
import { DeviceError } from './device-error.ts';
import { CK, type Handle, type Pkcs11, resultOf, tokenError } from './pkcs11-port.ts';
import type { TokenKeyName } from './pkcs11-uri.ts';

/** An open session of the user. Every method throws DeviceError `E_DEVICE_TOKEN`. */
export class TokenSession {
  readonly #pkcs11: Pkcs11;
  readonly #session: Handle;

  private constructor(pkcs11: Pkcs11, session: Handle) {
    this.#pkcs11 = pkcs11;
    this.#session = session;
  }

  /** Logs in to the token with this label. */
  static open(pkcs11: Pkcs11, { label, pin }: { label: string; pin: string }): TokenSession {
    return guarded(`The token ${label} cannot be opened`, () => {
      const slot = pkcs11
        .C_GetSlotList(true)
        .find((candidate) => pkcs11.C_GetTokenInfo(candidate).label.trimEnd() === label);
      if (slot === undefined) throw tokenError(`There is no token with the label ${label}`);
      const session = pkcs11.C_OpenSession(slot, CK.CKF_SERIAL_SESSION | CK.CKF_RW_SESSION);
      try {
        pkcs11.C_Login(session, CK.CKU_USER, pin);
      } catch (cause) {
        const result = resultOf(cause);
        // A login counts for all sessions of a process, also for those of OpenSSL.
        if (result !== CK.CKR_USER_ALREADY_LOGGED_IN) throw loginError(label, result);
      }
      return new TokenSession(pkcs11, session);
    });
  }

  /** The object of this kind (CKO_…) with this CKA_ID. */
  find(kind: number, id: Uint8Array): Handle | undefined {
    return guarded('The token cannot be searched', () => {
      const wanted = [
        { type: CK.CKA_CLASS, value: kind },
        { type: CK.CKA_ID, value: Buffer.from(id) },
      ];
      this.#pkcs11.C_FindObjectsInit(this.#session, wanted);
      try {
        return this.#pkcs11.C_FindObjects(this.#session) ?? undefined;
      } finally {
        this.#pkcs11.C_FindObjectsFinal(this.#session);
      }
    });
  }

  /** Makes a key pair on P-256 that cannot leave the token. */
  generateP256({ object, id }: TokenKeyName): void {
    const named = [
      { type: CK.CKA_TOKEN, value: true },
      { type: CK.CKA_LABEL, value: object },
      { type: CK.CKA_ID, value: Buffer.from(id) },
    ];
    guarded('The token cannot make a key on P-256', () =>
      this.#pkcs11.C_GenerateKeyPair(
        this.#session,
        { mechanism: CK.CKM_EC_KEY_PAIR_GEN },
        [
          ...named,
          { type: CK.CKA_VERIFY, value: true },
          { type: CK.CKA_EC_PARAMS, value: Buffer.from(P_256) },
        ],
        [...named, ...HIDDEN, { type: CK.CKA_SIGN, value: true }],
      ),
    );
  }

  /** Puts a secret into the token, for CKM_SHA256_HMAC, from where it cannot be read again. */
  importSecret({ object, id }: TokenKeyName, value: Buffer): void {
    guarded('The token does not take a key for HMAC-SHA256', () =>
      this.#pkcs11.C_CreateObject(this.#session, [
        { type: CK.CKA_CLASS, value: CK.CKO_SECRET_KEY },
        { type: CK.CKA_KEY_TYPE, value: CK.CKK_GENERIC_SECRET },
        { type: CK.CKA_TOKEN, value: true },
        { type: CK.CKA_LABEL, value: object },
        { type: CK.CKA_ID, value: Buffer.from(id) },
        ...HIDDEN,
        { type: CK.CKA_SIGN, value: true },
        { type: CK.CKA_VALUE, value },
      ]),
    );
  }

  /** Removes the object of this kind with this CKA_ID, if there is one. */
  destroy(kind: number, id: Uint8Array): void {
    const object = this.find(kind, id);
    if (object === undefined) return;
    guarded('The token does not remove a key', () =>
      this.#pkcs11.C_DestroyObject(this.#session, object),
    );
  }

  /** Signs in one go. @param mechanism - CKM_… with at most 64 bytes of output */
  sign(mechanism: number, key: Handle, data: Uint8Array): Buffer {
    return guarded('The token does not sign', () => {
      this.#pkcs11.C_SignInit(this.#session, { mechanism }, key);
      return this.#pkcs11.C_Sign(this.#session, Buffer.from(data), Buffer.alloc(64));
    });
  }

  /** The point of a public key, uncompressed: 4, x, y. SEC 1 §2.3.3 */
  ecPoint(publicKey: Handle): Buffer {
    return guarded('The token does not show its public key', () => {
      const asked = [{ type: CK.CKA_EC_POINT }];
      const [found] = this.#pkcs11.C_GetAttributeValue(this.#session, publicKey, asked);
      const value = found?.value;
      const point = Buffer.isBuffer(value) ? readDer(value) : undefined;
      // The standard wants an OCTET STRING around it.
      return Buffer.from(point?.tag === TAG.octetString ? point.content : []);
    });
  }

  /** The login stays: it may be in use by OpenSSL. */
  close(): void {
    guarded('The session cannot be closed', () => this.#pkcs11.C_CloseSession(this.#session));
  }
}

function guarded<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof DeviceError) throw cause;
    throw tokenError(what, undefined, cause);
  }
}

function loginError(label: string, result: number | undefined): Error {
  const isPin = result === CK.CKR_PIN_INCORRECT;
  const what = isPin ? `The PIN of the token ${label} is wrong` : `The token ${label} refuses us`;
  const code = result === undefined ? '' : ` (0x${result.toString(16)})`;
  return tokenError(`${what}${code}`, 'Check it: after a few wrong ones, tokens lock themselves.');
}

const P_256 = derOid('1.2.840.10045.3.1.7');
const HIDDEN = [
  { type: CK.CKA_PRIVATE, value: true },
  { type: CK.CKA_SENSITIVE, value: true },
  { type: CK.CKA_EXTRACTABLE, value: false },
] as const;
