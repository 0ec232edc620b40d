/** The Merkle log of RFC 9162 §2.1 and its signed checkpoints: pure, hashes and keys injected. @module */
export { EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash } from './tree.ts';
export type { Sha256 } from './tree.ts';
export * from './compact-range.ts';
export * from './tile.ts';
export * from './tile-writer.ts';
export { hashReader, rootAt } from './hash-reader.ts';
export type { ReadHash } from './hash-reader.ts';
export * from './proofs.ts';
export * from './problem.ts';
export { formatVerifierKey, noteKeyId, parseVerifierKey } from './verifier-key.ts';
export type { VerifierKey } from './verifier-key.ts';
export { isKeyName } from './note-text.ts';
export { formatNote, parseNote, signNote, verifyNote } from './note.ts';
export type { NoteSignature, NoteSigner, NoteVerifier, SignedNote } from './note.ts';
export * from './checkpoint.ts';
export * from './cosignature.ts';
export * from './tile-path.ts';
