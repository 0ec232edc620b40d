/** Cosignatures: a witness says that a log only grew, and when it saw that. C2SP tlog-cosignature. @module */
import { parseCheckpoint } from './checkpoint.ts';
import { parseNote } from './note.ts';
import type { NoteSignature, NoteSigner, NoteVerifier } from './note.ts';
import { Problem } from './problem.ts';
import { bytesEqual } from './tree.ts';
import type { Sha256 } from './tree.ts';
import { type KeyKind, formatKey, keyIdOf, parseKey } from './typed-key.ts';
import type { VerifierKey } from './typed-key.ts';

/** Type of an Ed25519 cosignature: with it, a key never signs as a log what it saw as a witness. */
const COSIGNATURE_V1: KeyKind = {
  type: 0x04,
  noun: 'witness key',
  otherType: 'the key is no witness key: its type is not 4 (cosignature/v1)',
};
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** What a witness vouches for. */
export interface Cosignature {
  /** When it had seen no larger consistent checkpoint; whole seconds since 1970. */
  readonly timeS: number;
}

/**
 * Id that marks the cosignatures of a key: the first 4 bytes of
 * SHA-256(name, newline, 0x04, public key).
 * @throws RangeError if the name is no key name, or the key has not 32 bytes.
 */
export function cosignerKeyId(sha256: Sha256, key: VerifierKey): Uint8Array {
  return keyIdOf(sha256, key, COSIGNATURE_V1);
}

/** Text form of a witness key, `<name>+<hex key id>+<base64(0x04 and public key)>`. */
export function formatCosignerKey(sha256: Sha256, key: VerifierKey): string {
  return formatKey(sha256, key, COSIGNATURE_V1);
}

/** Parses the text form of a witness key, and checks the key id in it. */
export function parseCosignerKey(sha256: Sha256, text: string): VerifierKey | Problem {
  return parseKey(sha256, text, COSIGNATURE_V1);
}

/**
 * Cosigns a checkpoint. A witness does so only after it has checked that the checkpoint is the
 * log's, and that it is consistent with the largest one that it cosigned before.
 * @param note - The checkpoint with the log's signature.
 * @param timeS - Now, in whole seconds since 1970.
 * @returns the signature, to be added by `formatNote`.
 * @throws RangeError if `note` is no checkpoint, or the time has no form in it.
 */
export function cosign(
  sha256: Sha256,
  { note, timeS }: { readonly note: string; readonly timeS: number },
  signer: NoteSigner,
): NoteSignature {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint instanceof Problem) throw new RangeError(checkpoint.problem);
  if (!Number.isSafeInteger(timeS) || timeS < 0) throw new RangeError('a time is whole seconds');
  const signed = signer.sign(cosignedMessage(textOf(note), timeS));
  if (signed.length !== SIGNATURE_BYTES) throw new RangeError('an Ed25519 signature has 64 bytes');
  const signature = new Uint8Array(TIME_BYTES + SIGNATURE_BYTES);
  new DataView(signature.buffer).setBigUint64(0, BigInt(timeS));
  signature.set(signed, TIME_BYTES);
  return { name: signer.name, keyId: cosignerKeyId(sha256, signer), signature };
}

/**
 * Checks that a checkpoint is cosigned by a known witness. Signatures of other keys are ignored,
 * the log's too: see `verifyCheckpoint`. Every one that claims to be of this key must verify.
 * @returns the latest of its cosignatures.
 */
export function verifyCosignature(
  sha256: Sha256,
  note: string,
  witness: NoteVerifier,
): Cosignature | Problem {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint instanceof Problem) return checkpoint;
  const id = cosignerKeyId(sha256, witness);
  const own = checkpoint.signatures.filter(
    ({ name, keyId }) => name === witness.name && bytesEqual(keyId, id),
  );
  if (own.length === 0) return new Problem('the checkpoint is not cosigned by this witness');
  const text = textOf(note);
  let latestS = 0;
  for (const { signature } of own) {
    const timeS = timeOf(signature);
    if (timeS === undefined) return new Problem('the cosignature of the witness has a wrong form');
    const message = cosignedMessage(text, timeS);
    const check = { publicKey: witness.publicKey, message, signature: signature.slice(TIME_BYTES) };
    if (!witness.verify(check)) return new Problem('the cosignature of the witness is not valid');
    latestS = Math.max(latestS, timeS);
  }
  return { timeS: latestS };
}

function timeOf(signature: Uint8Array): number | undefined {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const view = new DataView(signature.buffer, signature.byteOffset, signature.byteLength);
  const timeS = Number(view.getBigUint64(0));
  return Number.isSafeInteger(timeS) ? timeS : undefined;
}

function cosignedMessage(text: string, timeS: number): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${timeS}\n${text}`);
}

/** The signed text of a note that parses. */
function textOf(note: string): string {
  const parsed = parseNote(note);
  if (parsed instanceof Problem) throw new RangeError(parsed.problem);
  return parsed.text;
}
