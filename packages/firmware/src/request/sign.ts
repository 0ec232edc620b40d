/** Signing a request, and taking what was signed. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { FirmwareDocument, SignatureFile } from '@holdfast/protocol/api';
import { type Key, Metadata } from '@tufjs/models';
import {
  type KeyAlgorithm,
  attachSignature,
  keyAlgorithm,
  toBytes,
  verifiedSigners,
} from '../metadata/index.ts';
import type { CheckedDocument, CheckedRequest } from './checked-request.ts';
import { firmwareDocument } from './request.ts';
import type { Signer } from './signer.ts';

/** The documents of a request that a key has to sign. */
export function documentsFor(request: CheckedRequest, keyId: string): CheckedDocument[] {
  return request.documents.filter((document) => keyIn(document, keyId) !== undefined);
}

/**
 * Signs those documents of a request that this key is one of the keys for.
 * @returns the signatures, or `E_UPDATE_KEY` when there is none for it
 */
export async function signRequest(
  request: CheckedRequest,
  signer: Signer,
): Promise<SignatureFile | Refusal> {
  const keyId = signer.key.keyID;
  const documents = documentsFor(request, keyId);
  if (documents.length === 0) {
    const roles = request.documents.map(({ role }) => role).join(', ');
    return refuse('E_UPDATE_KEY', `The key ${keyId} has no role in this request (${roles}).`);
  }
  const signatures: SignatureFile['signatures'] = [];
  for (const { repository, role, version, bytes } of documents) {
    const signature = Buffer.from(await signer.sign(bytes)).toString('hex');
    signatures.push({ repository, role, version, signature });
  }
  return { type: 'holdfast-signatures/1', request: request.id, keyId, signatures };
}

/** How far a request is. */
export interface Progress {
  readonly documents: readonly {
    readonly document: CheckedDocument;
    readonly needs: readonly {
      readonly who: string;
      readonly threshold: number;
      readonly signers: readonly {
        readonly keyId: string;
        readonly name: string;
        readonly algorithm: KeyAlgorithm;
        readonly hasSigned: boolean;
      }[];
    }[];
  }[];
  /** The signed files, when nothing is missing of any: to be published together. */
  readonly complete?: readonly FirmwareDocument[];
}

/** What {@link acceptSignatures} makes of a file. */
export interface Accepted {
  /** All that are there now, one file for each key. */
  readonly files: readonly SignatureFile[];
  /** False when all of it was there before: nothing has changed. */
  readonly isNew: boolean;
  readonly progress: Progress;
}

/**
 * Takes a file of signatures for a request: each must be valid, of a document of this request, and
 * of a key that it needs.
 * @param before - the files that were taken
 * @returns what there is now, or `E_UPDATE_SIGNATURE`
 */
export function acceptSignatures(
  request: CheckedRequest,
  { before, file }: { readonly before: readonly SignatureFile[]; readonly file: SignatureFile },
): Accepted | Refusal {
  const problem = fileProblem(request, file);
  if (problem !== undefined) return refuse('E_UPDATE_SIGNATURE', problem);
  const merged = mergeSignatures(before, file);
  // ECDSA gives other bytes each time: what counts is whether a document gains a signer.
  const old = before.find(({ keyId }) => keyId === file.keyId)?.signatures ?? [];
  const isNew = file.signatures.some((one) => !old.some((other) => isSameDocument(one, other)));
  return { files: merged, isNew, progress: progressOf(request, merged) };
}

/** Joins files of signatures: one for each key; the signature that came first stays. */
function mergeSignatures(before: readonly SignatureFile[], file: SignatureFile): SignatureFile[] {
  const same = before.find(({ keyId }) => keyId === file.keyId);
  if (same === undefined) return [...before, file];
  const added = file.signatures.filter(
    (one) => !same.signatures.some((other) => isSameDocument(one, other)),
  );
  const joined = { ...same, signatures: [...same.signatures, ...added] };
  return before.map((one) => (one === same ? joined : one));
}

/** How far a request is with the files that were taken for it. Only valid signatures count. */
export function progressOf(request: CheckedRequest, files: readonly SignatureFile[]): Progress {
  const documents = request.documents.map((document) => {
    const metadata = withSignatures(document, files);
    const needs = document.needs.map(({ who, keys, threshold }) => {
      const signed = verifiedSigners(metadata, keys);
      const signers = keys.map((key) => ({
        keyId: key.keyID,
        name: request.nameOf(key),
        algorithm: keyAlgorithm(key),
        hasSigned: signed.has(key.keyID),
      }));
      return { who, threshold, signers, isReached: signed.size >= threshold };
    });
    return { document, metadata, needs };
  });
  const isComplete = documents.every(({ needs }) => needs.every(({ isReached }) => isReached));
  if (!isComplete) return { documents };
  const complete = documents.map(({ document: { repository, role }, metadata }) =>
    firmwareDocument({ repository, role, bytes: toBytes(metadata) }),
  );
  return { documents, complete };
}

type Entry = SignatureFile['signatures'][number];

function fileProblem(request: CheckedRequest, file: SignatureFile): string | undefined {
  if (file.request !== request.id) return 'It belongs to another request.';
  for (const [at, entry] of file.signatures.entries()) {
    const document = request.documents.find((one) => isSameDocument(one, entry));
    const what = `${entry.role} ${entry.version} (${entry.repository})`;
    if (document === undefined) return `The request has no document ${what}.`;
    const key = keyIn(document, file.keyId);
    if (key === undefined) return `The key ${file.keyId} has no part in ${what}.`;
    if (file.signatures.findIndex((one) => isSameDocument(one, entry)) !== at) {
      return `It has two signatures of ${what}.`;
    }
    const metadata = withSignatures(document, [file]);
    if (!verifiedSigners(metadata, [key]).has(key.keyID)) {
      return `The signature of ${what} by the key ${file.keyId} does not verify.`;
    }
  }
  return undefined;
}

/** A copy of the document, with the signatures of the keys that it needs. */
function withSignatures(
  document: CheckedDocument,
  files: readonly SignatureFile[],
): CheckedDocument['metadata'] {
  const metadata = new Metadata(document.metadata.signed);
  for (const { keyId, signatures } of files) {
    const found = signatures.find((entry) => isSameDocument(entry, document));
    if (found === undefined || keyIn(document, keyId) === undefined) continue;
    attachSignature(metadata, { keyId, signature: Buffer.from(found.signature, 'hex') });
  }
  return metadata;
}

function keyIn({ needs }: CheckedDocument, keyId: string): Key | undefined {
  return needs.flatMap(({ keys }) => keys).find((key) => key.keyID === keyId);
}

type Named = Pick<Entry, 'repository' | 'role' | 'version'>;

function isSameDocument(one: Named, other: Named): boolean {
  return (
    one.repository === other.repository && one.role === other.role && one.version === other.version
  );
}
