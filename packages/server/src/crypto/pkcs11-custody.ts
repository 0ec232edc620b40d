/** Keys of Holdfast in a PKCS#11 token: made there, used there, and never out of it. @module */
import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Fault, type RandomBytes } from '../kernel/index.ts';
import { openFault } from './aead.ts';
import { derSignature } from './der-signature.ts';
import { type KeyCustody, softwareCustody } from './key-custody.ts';
import type { KeyHandle } from './key-handle.ts';
import type { KeyWrapper } from './key-wrapper.ts';
import * as ck from './pkcs11-constants.ts';
import { type TokenAttribute, type TokenMechanism, returnValue } from './pkcs11-driver.ts';
import type { Token, TokenObject } from './pkcs11-token.ts';

/** Custody of issuing keys in a token. What was sealed before, such as the root, stays sealed. */
export function tokenCustody(token: Token, { random }: { random: RandomBytes }): KeyCustody {
  return {
    make(label, onPlan = () => {}) {
      const id = Buffer.from(random(ID_BYTES));
      const saved = { kind: 'pkcs11', id: id.toString('hex') } as const;
      onPlan(saved);
      makeSigningKey(token, { id, label: `holdfast ${label}` });
      return { saved, key: signingKey(token, id) };
    },
    open: (saved) =>
      saved.kind === 'sealed'
        ? softwareCustody.open(saved)
        : signingKey(token, Buffer.from(saved.id, 'hex')),
    destroy(saved) {
      if (saved.kind === 'sealed') return;
      const id = Buffer.from(saved.id, 'hex');
      for (const object of token.find([{ type: ck.CKA_ID, value: id }])) token.destroy(object);
    },
  };
}

/** A CKA_ID for a key that is to be made. */
export function newTokenKeyId(random: RandomBytes): Buffer {
  return Buffer.from(random(ID_BYTES));
}

/** Makes a key-encryption key in a token, under a CKA_ID that no other has. */
export function makeTokenKek(token: Token, id: Buffer): void {
  const key = token.makeSecretKey({ mechanism: ck.CKM_AES_KEY_GEN }, [
    ...ownKey(id, 'holdfast key-encryption key'),
    { type: ck.CKA_CLASS, value: ck.CKO_SECRET_KEY },
    { type: ck.CKA_KEY_TYPE, value: ck.CKK_AES },
    { type: ck.CKA_VALUE_LEN, value: KEK_BYTES },
    { type: ck.CKA_ENCRYPT, value: true },
    { type: ck.CKA_DECRYPT, value: true },
  ]);
  requireLockedIn(token, key);
}

/** Whether a token has a key-encryption key of this CKA_ID. */
export function hasTokenKek(token: Token, id: Uint8Array): boolean {
  return token.find(kekTemplate(id)).length > 0;
}

/** Destroys a key-encryption key in its token, if it is there. */
export function destroyTokenKek(token: Token, id: Uint8Array): void {
  for (const object of token.find(kekTemplate(id))) token.destroy(object);
}

function kekTemplate(id: Uint8Array): TokenAttribute[] {
  return [
    { type: ck.CKA_CLASS, value: ck.CKO_SECRET_KEY },
    { type: ck.CKA_ID, value: Buffer.from(id) },
  ];
}

/**
 * The key-encryption key in a token, by AES-256-GCM with nonces of ours.
 * @throws Fault `E_CRYPTO_TOKEN_KEY` when the token has no such key, `E_CRYPTO_TOKEN_GCM` when it
 *   cannot do this.
 */
export function tokenWrapper(
  token: Token,
  { id, random }: { id: Uint8Array; random: RandomBytes },
): KeyWrapper {
  const key = theOnly(token, kekTemplate(id));
  const { CK_PARAMS_AES_GCM_v240: newer, CK_PARAMS_AES_GCM: older } = token.driver;
  for (const layout of [newer, older]) {
    const wrapper = gcmWrapper(token, { key, layout, random });
    if (isWorking(wrapper, random)) return wrapper;
  }
  throw new Fault({
    code: 'E_CRYPTO_TOKEN_GCM',
    what: 'The token cannot encrypt by AES-256-GCM with a nonce that it is given.',
    fix: 'Take a token that can (CKM_AES_GCM), or keep the keys in the data folder.',
  });
}

function gcmWrapper(
  token: Token,
  { key, layout, random }: { key: TokenObject; layout: number; random: RandomBytes },
): KeyWrapper {
  const mechanism = (nonce: Buffer, aad: Uint8Array): TokenMechanism => ({
    mechanism: ck.CKM_AES_GCM,
    parameter: {
      type: layout,
      iv: nonce,
      ivBits: NONCE_BYTES * 8,
      aad: Buffer.from(aad),
      tagBits: TAG_BYTES * 8,
    },
  });
  return {
    wrap(plaintext, aad) {
      const nonce = Buffer.from(random(NONCE_BYTES));
      const outputBytesMax = plaintext.length + TAG_BYTES;
      const use = { key, mechanism: mechanism(nonce, aad), outputBytesMax };
      return Buffer.concat([nonce, token.encrypt(Buffer.from(plaintext), use)]);
    },
    unwrap(sealed, aad) {
      if (sealed.length < NONCE_BYTES + TAG_BYTES) throw openFault();
      const nonce = Buffer.from(sealed.subarray(0, NONCE_BYTES));
      const use = { key, mechanism: mechanism(nonce, aad), outputBytesMax: sealed.length };
      try {
        return token.decrypt(Buffer.from(sealed.subarray(NONCE_BYTES)), use);
      } catch (error) {
        throw isWrongData(error) ? openFault(error) : error;
      }
    },
  };
}

/** Whether the token finds fault with what it was given to open, and not with itself. */
function isWrongData(error: unknown): boolean {
  const why = error instanceof Fault ? returnValue(error.cause) : undefined;
  return why !== undefined && WRONG_DATA.has(why);
}

/** Tokens differ in the layout of the parameters, and refuse the other one. */
function isWorking(wrapper: KeyWrapper, random: RandomBytes): boolean {
  const plaintext = random(KEK_BYTES);
  try {
    return Buffer.from(wrapper.unwrap(wrapper.wrap(plaintext, PROBE), PROBE)).equals(plaintext);
  } catch {
    return false;
  }
}

function makeSigningKey(token: Token, { id, label }: { id: Buffer; label: string }): void {
  const pair = token.makeKeyPair(
    { mechanism: ck.CKM_EC_KEY_PAIR_GEN },
    {
      publicKey: [
        { type: ck.CKA_CLASS, value: ck.CKO_PUBLIC_KEY },
        { type: ck.CKA_KEY_TYPE, value: ck.CKK_EC },
        { type: ck.CKA_TOKEN, value: true },
        { type: ck.CKA_LABEL, value: label },
        { type: ck.CKA_ID, value: id },
        { type: ck.CKA_EC_PARAMS, value: P256 },
        { type: ck.CKA_VERIFY, value: true },
      ],
      privateKey: [
        ...ownKey(id, label),
        { type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY },
        { type: ck.CKA_KEY_TYPE, value: ck.CKK_EC },
        { type: ck.CKA_SIGN, value: true },
      ],
    },
  );
  requireLockedIn(token, pair.privateKey);
}

function signingKey(token: Token, id: Buffer): KeyHandle {
  const named = (type: number): TokenAttribute[] => [
    { type: ck.CKA_CLASS, value: type },
    { type: ck.CKA_ID, value: id },
  ];
  const key = theOnly(token, named(ck.CKO_PRIVATE_KEY));
  const publicKey = publicKeyOf(token, theOnly(token, named(ck.CKO_PUBLIC_KEY)));
  const mechanism = { mechanism: ck.CKM_ECDSA };
  return {
    algorithm: 'ES256',
    publicKey,
    sign(data) {
      const digest = createHash('sha256').update(data).digest();
      return derSignature(token.sign(digest, { key, mechanism, outputBytesMax: SIGNATURE_BYTES }));
    },
  };
}

/** What every secret of ours in a token has in common: it stays, it hides, it never leaves. */
function ownKey(id: Buffer, label: string): TokenAttribute[] {
  return [
    { type: ck.CKA_TOKEN, value: true },
    { type: ck.CKA_PRIVATE, value: true },
    { type: ck.CKA_SENSITIVE, value: true },
    { type: ck.CKA_EXTRACTABLE, value: false },
    { type: ck.CKA_LABEL, value: label },
    { type: ck.CKA_ID, value: id },
  ];
}

/** A token may ignore what it was asked: a key that could leave it is not what was promised. */
function requireLockedIn(token: Token, key: TokenObject): void {
  // What it does not say of a key is not promised either.
  const says = (attribute: number, value: number): boolean =>
    token.attribute(key, attribute).equals(Buffer.of(value));
  if (says(ck.CKA_SENSITIVE, 1) && says(ck.CKA_EXTRACTABLE, 0)) return;
  token.destroy(key);
  throw new Fault({
    code: 'E_CRYPTO_TOKEN_KEY',
    what: 'The token made a key that can be taken out of it, although it was asked not to.',
    fix: 'Configure the token to keep its keys, or take another one.',
  });
}

function theOnly(token: Token, template: readonly TokenAttribute[]): TokenObject {
  const [object, ...others] = token.find(template);
  if (object !== undefined && others.length === 0) return object;
  throw new Fault({
    code: 'E_CRYPTO_TOKEN_KEY',
    what:
      object === undefined
        ? 'A key of this data folder is not in the token.'
        : 'The token has two keys under one id.',
    fix: 'Use the token with which this data folder was made, or a backup of it.',
  });
}

/** CKA_EC_POINT is the uncompressed point in an OCTET STRING; some tokens leave out the latter. */
function publicKeyOf(token: Token, object: TokenObject): KeyObject {
  const value = token.attribute(object, ck.CKA_EC_POINT);
  const point = value.subarray(-POINT_BYTES);
  return createPublicKey({ key: Buffer.concat([SPKI, point]), format: 'der', type: 'spki' });
}

/** The last one is all that SoftHSM says of a tag that does not fit. */
const WRONG_DATA: ReadonlySet<string> = new Set([
  'CKR_ENCRYPTED_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_LEN_RANGE',
  'CKR_GENERAL_ERROR',
]);
const ID_BYTES = 16;
const KEK_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SIGNATURE_BYTES = 64;
const POINT_BYTES = 65;
const PROBE = Buffer.from('holdfast/token-probe/v1');
/** The object identifier of P-256 in DER, as CKA_EC_PARAMS has it. */
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
/** A SubjectPublicKeyInfo on P-256, up to its point. RFC 5480 §2 */
const SPKI = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
