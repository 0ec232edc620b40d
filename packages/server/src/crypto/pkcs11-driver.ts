/**
 * The native driver for PKCS#11 modules: the npm package pkcs11js, which is loaded only when a
 * token is configured, and is installed by whoever wants one.
 * @module
 */
import { Fault } from '../kernel/index.ts';

/** One attribute of an object in a token. */
export interface TokenAttribute {
  readonly type: number;
  readonly value?: Buffer | number | boolean | string;
}

/** What to do with a key, with the parameters that it takes. */
export interface TokenMechanism {
  readonly mechanism: number;
  readonly parameter?: Readonly<Record<string, Buffer | number>>;
}

/** The part of pkcs11js that is used; handles are opaque bytes. */
export interface Pkcs11 {
  load(path: string): void;
  close(): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): Buffer[];
  C_GetTokenInfo(slot: Buffer): { readonly label: string };
  C_OpenSession(slot: Buffer, flags: number): Buffer;
  C_CloseSession(session: Buffer): void;
  C_Login(session: Buffer, userType: number, pin: string): void;
  C_Logout(session: Buffer): void;
  C_GenerateRandom(session: Buffer, output: Buffer): Buffer;
  C_GenerateKey(
    session: Buffer,
    mechanism: TokenMechanism,
    template: readonly TokenAttribute[],
  ): Buffer;
  C_GenerateKeyPair(
    session: Buffer,
    mechanism: TokenMechanism,
    publicTemplate: readonly TokenAttribute[],
    privateTemplate: readonly TokenAttribute[],
  ): { readonly publicKey: Buffer; readonly privateKey: Buffer };
  C_FindObjectsInit(session: Buffer, template: readonly TokenAttribute[]): void;
  C_FindObjects(session: Buffer, countMax: number): Buffer[];
  C_FindObjectsFinal(session: Buffer): void;
  C_GetAttributeValue(
    session: Buffer,
    object: Buffer,
    query: readonly TokenAttribute[],
  ): readonly { readonly value: Buffer }[];
  C_DestroyObject(session: Buffer, object: Buffer): void;
  C_SignInit(session: Buffer, mechanism: TokenMechanism, key: Buffer): void;
  C_Sign(session: Buffer, data: Buffer, output: Buffer): Buffer;
  C_EncryptInit(session: Buffer, mechanism: TokenMechanism, key: Buffer): void;
  C_Encrypt(session: Buffer, data: Buffer, output: Buffer): Buffer;
  C_DecryptInit(session: Buffer, mechanism: TokenMechanism, key: Buffer): void;
  C_Decrypt(session: Buffer, data: Buffer, output: Buffer): Buffer;
}

/** A loaded driver. */
export interface Pkcs11Driver {
  readonly PKCS11: new () => Pkcs11;
  /** Names for the two layouts of the parameters of AES-GCM; tokens take one of them. */
  readonly CK_PARAMS_AES_GCM: number;
  readonly CK_PARAMS_AES_GCM_v240: number;
}

/**
 * Loads the driver.
 * @throws Fault `E_CRYPTO_TOKEN_DRIVER` when it is not installed, or was not built.
 */
export async function loadPkcs11Driver(name: string = DRIVER): Promise<Pkcs11Driver> {
  let loaded: unknown;
  try {
    ({ default: loaded } = (await import(name)) as { default: unknown });
  } catch (cause) {
    throw driverFault(cause);
  }
  if (isDriver(loaded)) return loaded;
  throw driverFault(new Error(`${name} is not what was expected`));
}

/** The return value of PKCS#11 in what the driver throws, such as `CKR_PIN_INCORRECT`. */
export function returnValue(error: unknown): string | undefined {
  return error instanceof Error ? /CKR_[A-Z0-9_]+/u.exec(error.message)?.[0] : undefined;
}

function isDriver(value: unknown): value is Pkcs11Driver {
  return typeof value === 'object' && value !== null && 'PKCS11' in value;
}

function driverFault(cause: unknown): Fault {
  return new Fault({
    code: 'E_CRYPTO_TOKEN_DRIVER',
    what: 'The driver for PKCS#11 tokens, the npm package pkcs11js, cannot be loaded.',
    fix:
      'Install it beside Holdfast: npm install pkcs11js. It is compiled there, which takes a C++ ' +
      'compiler, make and Python, and npm must be allowed to run its install script.',
    cause,
  });
}

const DRIVER = 'pkcs11js';
