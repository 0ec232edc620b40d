/** FIT images for U-Boot, and the keys that it trusts. @module */
export {
  type BootKey,
  fixBootCommand,
  readBootKey,
  signatureAlgorithm,
  trustBootKeys,
} from './boot-key.ts';
export * from './boot-key-file.ts';
export { type DecodedTree, decodeTree } from './decode-tree.ts';
export { encodeTree } from './encode-tree.ts';
export {
  type BootSigner,
  type FitContent,
  type FitKernel,
  makeFit,
  SIGNED_NODES,
} from './make-fit.ts';
export { FIT_PART_BYTES_MAX } from './limits.ts';
export { signedRegions } from './signed-regions.ts';
