/** Makes FIT images with a signed configuration, for U-Boot. @module */
import { createHash, constants, verify } from 'node:crypto';
import { Refusal, refuse } from '@holdfast/protocol';
import type { BootKey } from './boot-key.ts';
import { signatureAlgorithm } from './boot-key.ts';
import { decodeTree } from './decode-tree.ts';
import { encodeTree } from './encode-tree.ts';
import { FIT_PART_BYTES_MAX } from './limits.ts';
import { signedRegions } from './signed-regions.ts';
import { type TreeNode, type TreeProperty, cells, node, text } from './tree.ts';
import { treeLayout } from './walk-tree.ts';

/** What an image is made of. */
export interface FitContent {
  /** `<line>@<version>`. */
  readonly release: string;
  readonly version: string;
  readonly counter: number;
  readonly hardware: readonly string[];
  /** When it was made, in milliseconds since 1970. */
  readonly madeMs: number;
  readonly kernel: FitKernel;
  /** The device tree that the kernel gets. */
  readonly tree: Uint8Array;
}

/** The kernel, and where U-Boot puts it. */
export interface FitKernel {
  readonly bytes: Uint8Array;
  /** As U-Boot names it: `arm64`, `arm`, `riscv`, `x86_64`. */
  readonly architecture: string;
  readonly compression: 'none' | 'gzip' | 'lzma' | 'lzo' | 'zstd';
  /** Physical addresses, below 2^32. */
  readonly loadAt: number;
  readonly enterAt: number;
}

/** Who signs: RSA, PKCS #1 1.5 with SHA-256. */
export interface BootSigner extends BootKey {
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/**
 * Makes the image. The signature covers the configuration, and of each part everything but its
 * content, for which its hash stands: nobody can exchange a part, or combine parts of two images.
 * @throws TypeError when the signer's key is no RSA key, or the signature not by it
 */
export async function makeFit(content: FitContent, signer: BootSigner): Promise<Buffer | Refusal> {
  const wrong = problemOf(content);
  if (wrong !== undefined) return refuse('E_UPDATE_FIT', wrong);
  const algorithm = signatureAlgorithm(signer.publicKey);
  if (algorithm === undefined) throw new TypeError('U-Boot cannot use this kind of key');
  const draft = encodeTree(fitTree(content, signatureNode(signer, algorithm, 0, NO_SIGNATURE)));
  const signed = Buffer.concat(signedRegions(draft, SIGNED_NODES));
  const signature = await signer.sign(signed);
  const key = { key: signer.publicKey, padding: constants.RSA_PKCS1_PADDING };
  if (!verify('sha256', signed, key, signature)) {
    throw new TypeError('the signature is not by the key that the image names');
  }
  const namesLength = treeLayout(draft)?.stringsLength ?? 0;
  return encodeTree(fitTree(content, signatureNode(signer, algorithm, namesLength, signature)));
}

function problemOf({ kernel, tree }: FitContent): string | undefined {
  for (const part of [kernel.bytes, tree]) {
    if (part.length === 0 || part.length > FIT_PART_BYTES_MAX) {
      return `A part of the image must have 1 to ${FIT_PART_BYTES_MAX} bytes.`;
    }
  }
  const addresses = [kernel.loadAt, kernel.enterAt];
  if (!addresses.every((at) => Number.isInteger(at) && at >= 0 && at < 2 ** 32)) {
    return 'The addresses of the kernel must be below 2^32.';
  }
  const decoded = decodeTree(tree);
  return decoded instanceof Refusal ? decoded.detail : undefined;
}

function fitTree(content: FitContent, signature: TreeNode): TreeNode {
  const { kernel, tree } = content;
  const kernelNode = node('kernel-1', kernelProperties(content), [hashNode(kernel.bytes)]);
  const treeProperties: TreeProperty[] = [
    ['description', text('device tree')],
    ['data', tree],
    ['type', text('flat_dt')],
    ['arch', text(kernel.architecture)],
    ['compression', text('none')],
  ];
  const configuration = node(
    'conf-1',
    [
      ['description', text(content.release)],
      ['kernel', text('kernel-1')],
      ['fdt', text('fdt-1')],
      ['holdfast,version', text(content.version)],
      ['holdfast,counter', cells(content.counter)],
      ['holdfast,hardware', text(...content.hardware)],
    ],
    [signature],
  );
  return node(
    '',
    [
      ['timestamp', cells(Math.floor(content.madeMs / 1_000))],
      ['description', text(content.release)],
      ['#address-cells', cells(1)],
    ],
    [
      node('images', [], [kernelNode, node('fdt-1', treeProperties, [hashNode(tree)])]),
      node('configurations', [['default', text('conf-1')]], [configuration]),
    ],
  );
}

function kernelProperties({ kernel, release }: FitContent): TreeProperty[] {
  return [
    ['description', text(release)],
    ['data', kernel.bytes],
    ['type', text('kernel')],
    ['arch', text(kernel.architecture)],
    ['os', text('linux')],
    ['compression', text(kernel.compression)],
    ['load', cells(kernel.loadAt)],
    ['entry', cells(kernel.enterAt)],
  ];
}

function hashNode(bytes: Uint8Array): TreeNode {
  const digest = createHash('sha256').update(bytes).digest();
  return node('hash-1', [
    ['algo', text('sha256')],
    ['value', digest],
  ]);
}

function signatureNode(
  { name }: BootKey,
  algorithm: string,
  namesLength: number,
  signature: Uint8Array,
): TreeNode {
  return node('signature-1', [
    ['algo', text(algorithm)],
    ['key-name-hint', text(name)],
    ['padding', text('pkcs-1.5')],
    ['sign-images', text('kernel', 'fdt')],
    ['hashed-nodes', text(...SIGNED_NODES)],
    ['hashed-strings', cells(0, namesLength)],
    ['value', signature],
  ]);
}

/** The nodes that the signature covers. The boot script of the example insists on exactly these. */
export const SIGNED_NODES = [
  '/',
  '/configurations/conf-1',
  '/images/kernel-1',
  '/images/kernel-1/hash-1',
  '/images/fdt-1',
  '/images/fdt-1/hash-1',
] as const;

const NO_SIGNATURE = Buffer.alloc(0);
