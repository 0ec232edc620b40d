/** A key on P-256 in a PKCS #11 token that signs firmware: it needs no engine for OpenSSL. @module */
import { type KeyObject, createHash, createPublicKey, randomBytes } from 'node:crypto';
import { derSequence, derUnsigned } from './der-writer.ts';
import { CK, loadPkcs11, tokenError } from './pkcs11-port.ts';
import { formatKeyUri, parseKeyUri } from './pkcs11-uri.ts';
import { TokenSession } from './token-session.ts';

/** A key in a token, ready to sign. */
export interface TokenSigner {
  /** Where it is. RFC 7512 */
  readonly uri: string;
  readonly publicKey: KeyObject;
  /** Signs data, which is hashed here with SHA-256. @returns DER, `SEQUENCE { r, s }` */
  sign(data: Uint8Array): Uint8Array;
  close(): void;
}

/** Which token, and how to open it. */
export interface TokenSignerOptions {
  /** Path of the PKCS #11 library. */
  readonly module: string;
  /** Gives the user PIN, once. */
  readonly pin: (label: string) => Promise<string>;
}

/** Makes a key in a token, which it cannot leave. @throws DeviceError `E_DEVICE_TOKEN` */
export async function makeTokenSigner(
  options: TokenSignerOptions & { readonly label: string },
): Promise<TokenSigner> {
  const session = await openSession(options, options.label);
  const id = randomBytes(16);
  const object = `holdfast-fw-${id.toString('hex', 0, 4)}`;
  const name = { token: options.label, object, id, type: 'private' } as const;
  session.generateP256(name);
  return signerOf(session, formatKeyUri(name), id);
}

/** Opens a key that {@link makeTokenSigner} made. @throws DeviceError `E_DEVICE_TOKEN` */
export async function openTokenSigner(
  options: TokenSignerOptions & { readonly uri: string },
): Promise<TokenSigner> {
  const { uri } = options;
  const name = parseKeyUri(uri);
  if (name?.type !== 'private') {
    throw tokenError('The URI names no private key', 'Give one as holdfast fw key make wrote it.');
  }
  return signerOf(await openSession(options, name.token), uri, name.id);
}

async function openSession(
  { module, pin }: TokenSignerOptions,
  label: string,
): Promise<TokenSession> {
  const pkcs11 = await loadPkcs11(module);
  return TokenSession.open(pkcs11, { label, pin: await pin(label) });
}

function signerOf(session: TokenSession, uri: string, id: Uint8Array): TokenSigner {
  const key = session.find(CK.CKO_PRIVATE_KEY, id);
  const shown = session.find(CK.CKO_PUBLIC_KEY, id);
  if (key === undefined || shown === undefined) throw tokenError('The key is not in the token');
  const point = session.ecPoint(shown);
  if (point.length !== POINT_BYTES) throw tokenError('The key in the token is none on P-256');
  const [x, y] = [point.toString('base64url', 1, 33), point.toString('base64url', 33)];
  return {
    uri,
    publicKey: createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' }),
    // Tokens sign hashes and give r and s. RFC 3279 §2.2.3
    sign: (data) => {
      const raw = session.sign(CK.CKM_ECDSA, key, createHash('sha256').update(data).digest());
      return derSequence(derUnsigned(raw.subarray(0, 32)), derUnsigned(raw.subarray(32)));
    },
    close: () => session.close(),
  };
}

/** Uncompressed: 4, x, y. */
const POINT_BYTES = 65;
