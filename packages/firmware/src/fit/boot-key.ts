/** Public keys that a boot loader trusts, in the form that U-Boot computes with. @module */
import { type KeyObject, createPublicKey } from 'node:crypto';
import { Refusal, refuse } from '@holdfast/protocol';
import { type DecodedTree, decodeTree } from './decode-tree.ts';
import { encodeTree } from './encode-tree.ts';
import { type TreeNode, cells, childOf, node, text, withChild, withProperties } from './tree.ts';

/** A key with the name under which images and boot loader know it. */
export interface BootKey {
  readonly name: string;
  /** RSA; {@link readBootKey} lets no other through. */
  readonly publicKey: KeyObject;
}

/** Reads a public key for boot loaders: PEM, RSA with 2048, 3072 or 4096 bits, exponent 65537. */
export function readBootKey(name: string, pem: string): BootKey | Refusal {
  if (!NAME.test(name)) {
    return refuse('E_UPDATE_FIT', 'The name of a boot key has 1 to 31 of a-z, 0-9 and "-".');
  }
  const publicKey = openPublic(pem);
  if (publicKey === undefined || signatureAlgorithm(publicKey) === undefined) {
    return refuse('E_UPDATE_FIT', 'A boot key is a public RSA key in PEM, of 2048 bits or more.');
  }
  return { name, publicKey };
}

/** What U-Boot calls the signatures of a key; undefined for a key that it cannot use. */
export function signatureAlgorithm(key: KeyObject): string | undefined {
  const details = key.asymmetricKeyDetails;
  const bits = details?.modulusLength ?? 0;
  const isRsa = key.asymmetricKeyType === 'rsa' && details?.publicExponent === EXPONENT;
  return isRsa && KEY_BITS.has(bits) ? `sha256,rsa${bits}` : undefined;
}

/**
 * Puts the keys into the control tree of a boot loader, in place of all that it trusted before:
 * from then on it boots a configuration of a FIT image only with a signature by each of them.
 * @param tree - the blob that the boot loader is given: in flash or ROM, where nobody changes it
 */
export function trustBootKeys(tree: Uint8Array, keys: readonly BootKey[]): DecodedTree | Refusal {
  const decoded = decodeTree(tree);
  if (decoded instanceof Refusal) return decoded;
  const trusted = node('signature', [], keys.map(keyNode));
  return { root: withChild(decoded.root, trusted), extras: decoded.extras };
}

/**
 * Sets what U-Boot reads from the node `/config` of its control tree before anything else: no
 * environment from flash, no stop by a key press, and this command.
 */
export function fixBootCommand({ root, extras }: DecodedTree, command: string): Buffer {
  const config = withProperties(childOf(root, 'config') ?? node('config', []), [
    ['bootcmd', text(command)],
    ['load-environment', cells(0)],
    ['bootdelay', cells(NO_DELAY_NO_STOP)],
  ]);
  return encodeTree(withChild(root, config), extras);
}

/** The node of one key, as `mkimage -K -r` writes it. */
function keyNode({ name, publicKey }: BootKey): TreeNode {
  const algorithm = signatureAlgorithm(publicKey);
  const modulusHex = Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url');
  if (algorithm === undefined) throw new TypeError('no RSA key');
  const modulus = BigInt(`0x${modulusHex.toString('hex')}`);
  const bits = modulusHex.length * 8;
  return node(`key-${name}`, [
    ['required', text('conf')],
    ['algo', text(algorithm)],
    ['key-name-hint', text(name)],
    ['rsa,num-bits', cells(bits)],
    ['rsa,n0-inverse', cells(Number(negativeInverse(modulus)))],
    ['rsa,exponent', cells(0, Number(EXPONENT))],
    ['rsa,modulus', modulusHex],
    ['rsa,r-squared', bytesOf((1n << BigInt(2 * bits)) % modulus, bits / 8)],
  ]);
}

/** `-1 / modulus` modulo 2^32, by Newton's steps: each doubles the bits that are right. */
function negativeInverse(modulus: bigint): bigint {
  let inverse = 1n;
  for (let bits = 1; bits < 32; bits *= 2) {
    inverse = BigInt.asUintN(32, inverse * (2n - modulus * inverse));
  }
  return BigInt.asUintN(32, -inverse);
}

function bytesOf(number: bigint, length: number): Buffer {
  return Buffer.from(number.toString(16).padStart(length * 2, '0'), 'hex');
}

function openPublic(pem: string): KeyObject | undefined {
  // Node would make a public key of a private one, which has no business here.
  if (!pem.trimStart().startsWith('-----BEGIN PUBLIC KEY-----')) return undefined;
  try {
    return createPublicKey({ key: pem, format: 'pem' });
  } catch {
    return undefined;
  }
}

const NAME = /^[a-z0-9][a-z0-9-]{0,30}$/u;
const EXPONENT = 65_537n;
const KEY_BITS = new Set([2_048, 3_072, 4_096]);
/** -2: boots at once, and looks at no key. */
const NO_DELAY_NO_STOP = 0xfffffffe;
