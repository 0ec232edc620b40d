/** The part of PKCS #11 that is used, and how its library is loaded. @see PKCS #11 v2.40 @module */
import { DeviceError } from './device-error.ts';

/** A handle of a slot, session or object. */
export type Handle = Buffer;

/** One attribute of an object. */
export interface Attribute {
  readonly type: number;
  readonly value?: number | boolean | string | Buffer;
}

/** What is used of the class PKCS11 of the package pkcs11js. */
export interface Pkcs11 {
  load(path: string): void;
  close(): void;
  C_Initialize(): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): { readonly label: string };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_Login(session: Handle, userType: number, pin: string): void;
  C_FindObjectsInit(session: Handle, template: readonly Attribute[]): void;
  C_FindObjects(session: Handle): Handle | null | undefined;
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(
    session: Handle,
    object: Handle,
    template: readonly Attribute[],
  ): readonly Attribute[];
  C_GenerateKeyPair(
    session: Handle,
    mechanism: { readonly mechanism: number },
    publicTemplate: readonly Attribute[],
    privateTemplate: readonly Attribute[],
  ): { readonly publicKey: Handle; readonly privateKey: Handle };
  C_CreateObject(session: Handle, template: readonly Attribute[]): Handle;
  C_DestroyObject(session: Handle, object: Handle): void;
  C_SignInit(session: Handle, mechanism: { readonly mechanism: number }, key: Handle): void;
  C_Sign(session: Handle, data: Buffer, output: Buffer): Buffer;
}

/** Numbers of PKCS #11 v2.40, by their names there. */
export const CK = {
  CKF_RW_SESSION: 0x2,
  CKF_SERIAL_SESSION: 0x4,
  CKU_USER: 1,
  CKO_PUBLIC_KEY: 2,
  CKO_PRIVATE_KEY: 3,
  CKO_SECRET_KEY: 4,
  CKK_EC: 0x3,
  CKK_GENERIC_SECRET: 0x10,
  CKA_CLASS: 0x0,
  CKA_TOKEN: 0x1,
  CKA_PRIVATE: 0x2,
  CKA_LABEL: 0x3,
  CKA_VALUE: 0x11,
  CKA_KEY_TYPE: 0x100,
  CKA_ID: 0x102,
  CKA_SENSITIVE: 0x103,
  CKA_SIGN: 0x108,
  CKA_VERIFY: 0x10a,
  CKA_EXTRACTABLE: 0x162,
  CKA_EC_PARAMS: 0x180,
  CKA_EC_POINT: 0x181,
  CKM_SHA256_HMAC: 0x251,
  CKM_EC_KEY_PAIR_GEN: 0x1040,
  CKM_ECDSA: 0x1041,
  CKR_PIN_INCORRECT: 0xa0,
  CKR_USER_ALREADY_LOGGED_IN: 0x100,
  CKR_CRYPTOKI_ALREADY_INITIALIZED: 0x191,
} as const;

/**
 * Loads the optional package pkcs11js, and with it a PKCS #11 module.
 * @throws DeviceError `E_DEVICE_TOKEN`
 */
export async function loadPkcs11(module: string): Promise<Pkcs11> {
  const loaded = await importPackage();
  if (!isPackage(loaded)) {
    throw tokenError('The package pkcs11js does not have its form', 'Install version 2.1 of it.');
  }
  const pkcs11 = new loaded.PKCS11();
  try {
    pkcs11.load(module);
  } catch (cause) {
    const fix = 'Give the path of the library, such as /usr/lib/softhsm/libsofthsm2.so.';
    throw tokenError(`The PKCS #11 module ${module} cannot be loaded`, fix, cause);
  }
  try {
    pkcs11.C_Initialize();
  } catch (cause) {
    // OpenSSL may have the same module open; its state belongs to the whole process.
    if (resultOf(cause) !== CK.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
      throw tokenError(`The PKCS #11 module ${module} cannot be started`, LOOK, cause);
    }
  }
  return pkcs11;
}

/** The number of PKCS #11 in what pkcs11js throws (CKR_…), or undefined. */
export function resultOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

/** A failure of the token, with its way out. */
export function tokenError(what: string, fix: string = LOOK, cause?: unknown): DeviceError {
  return new DeviceError('E_DEVICE_TOKEN', { message: `${what}.`, fix, cause });
}

async function importPackage(): Promise<unknown> {
  try {
    const namespace: unknown = await import(PACKAGE);
    const isNamespace = typeof namespace === 'object' && namespace !== null;
    return isNamespace && 'default' in namespace ? namespace.default : namespace;
  } catch (cause) {
    const fix = 'Install it, with a compiler at hand: npm install pkcs11js';
    throw tokenError('Keys in a token need the package pkcs11js, which is absent', fix, cause);
  }
}

function isPackage(value: unknown): value is { readonly PKCS11: new () => Pkcs11 } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'PKCS11' in value &&
    typeof value.PKCS11 === 'function'
  );
}

/** By a variable, so that only who has a token needs the package. */
const PACKAGE: string = 'pkcs11js';
const LOOK = 'Look with: pkcs11-tool --module <module> --list-objects --login';
