/** A line of JSON, and a signature under it by the key of the log. @module */
import { Problem } from '@holdfast/protocol/merkle';
import { checkpointVerifier } from '../audit/index.ts';
import type { KeyHandle } from '../crypto/index.ts';
import { damagedFault } from './faults.ts';

/** Signs a value. @param purpose - So that it counts for nothing else. */
export function signText(purpose: string, value: unknown, key: KeyHandle): Buffer {
  const line = JSON.stringify(value);
  const signature = Buffer.from(key.sign(signedBytes(purpose, line))).toString('base64');
  return Buffer.from(`${line}\n${signature}\n`, 'utf8');
}

/**
 * Reads what {@link signText} made.
 * @param verifierKey - The public key of the log, in the text form of its checkpoints.
 * @throws Fault `E_BACKUP_DAMAGED` when it is not signed by this key.
 */
export function openSignedText(purpose: string, bytes: Buffer, verifierKey: string): unknown {
  const { line, signature } = linesOf(bytes);
  const verifier = checkpointVerifier(verifierKey);
  if (verifier instanceof Problem) throw damagedFault(verifier.problem);
  const message = signedBytes(purpose, line);
  const { publicKey } = verifier;
  if (!verifier.verify({ publicKey, message, signature: Buffer.from(signature, 'base64') })) {
    throw damagedFault(`the signature of its ${purpose} is not that of its log`);
  }
  return parse(line);
}

/** The value without a look at its signature: to learn which key it claims. */
export function readUnverified(bytes: Buffer): unknown {
  return parse(linesOf(bytes).line);
}

function linesOf(bytes: Buffer): { line: string; signature: string } {
  const [line, signature, rest, ...more] = bytes.toString('utf8').split('\n');
  if (line === undefined || signature === undefined || rest !== '' || more.length > 0) {
    throw damagedFault('it has not the form of a signed text');
  }
  return { line, signature };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw damagedFault('it is no JSON', cause);
  }
}

function signedBytes(purpose: string, line: string): Buffer {
  return Buffer.from(`holdfast/backup-${purpose}/v1\0${line}`, 'utf8');
}
