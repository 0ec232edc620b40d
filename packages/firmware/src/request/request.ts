/** Signing requests and files of signatures: to bytes, and strictly back. @module */
import { createHash } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import {
  FIRMWARE_HISTORY_MAX,
  type FirmwareDocument,
  type SignatureFile,
  SignatureFileSchema,
  type SigningRequest,
  SigningRequestSchema,
} from '@holdfast/protocol/api';
import type { Root, Targets } from '@tufjs/models';
import { toBytes, unsigned } from '../metadata/index.ts';
import type { Repository } from '../metadata/index.ts';
import { parseJson } from '../parse-json.ts';
import { REQUEST_BYTES_MAX, SIGNATURE_FILE_BYTES_MAX } from './limits.ts';

/** A document that is to be signed. */
export interface Proposal {
  readonly repository: Repository;
  readonly role: string;
  readonly signed: Root | Targets;
}

/** The documents of a request, as they are handed to the server. */
export function documentsOf(proposals: readonly Proposal[]): FirmwareDocument[] {
  return proposals.map(({ repository, role, signed }) =>
    firmwareDocument({ repository, role, bytes: toBytes(unsigned(signed)) }),
  );
}

/** A metadata file as it stands in a request. */
export function firmwareDocument(file: {
  readonly repository: Repository;
  readonly role: string;
  readonly bytes: Uint8Array;
}): FirmwareDocument {
  const metadata = Buffer.from(file.bytes).toString('base64');
  return { repository: file.repository, role: file.role, metadata };
}

/**
 * Makes a request.
 * @param past - what is published now, see `checkRequest`, and older roots, which a signer follows
 */
export function newRequest(
  documents: readonly FirmwareDocument[],
  past: {
    readonly published: readonly FirmwareDocument[];
    readonly history?: readonly FirmwareDocument[];
  },
): SigningRequest {
  const type = 'holdfast-signing-request/1';
  return {
    type,
    id: requestId(documents),
    documents: [...documents],
    published: [...past.published],
    history: (past.history ?? []).slice(-FIRMWARE_HISTORY_MAX),
  };
}

/** The id of a request: SHA-256 over its documents, in their order. */
export function requestId(documents: readonly FirmwareDocument[]): string {
  const hash = createHash('sha256').update('holdfast-signing-request/1\n');
  for (const { repository, role, metadata } of documents) {
    const sha256 = createHash('sha256').update(Buffer.from(metadata, 'base64')).digest('hex');
    hash.update(`${repository} ${role} ${sha256}\n`);
  }
  return hash.digest('hex');
}

/** Reads the file of a request. What it asks for is not looked at. @returns it, or `E_UPDATE_REQUEST` */
export function readRequest(bytes: Uint8Array): SigningRequest | Refusal {
  if (bytes.length > REQUEST_BYTES_MAX) {
    return refuse('E_UPDATE_REQUEST', `It has more than ${REQUEST_BYTES_MAX} bytes.`);
  }
  const parsed = SigningRequestSchema.safeParse(parseJson(bytes));
  return parsed.success ? parsed.data : refuse('E_UPDATE_REQUEST', 'It is no signing request.');
}

/** Reads a file of signatures. @returns it, or `E_UPDATE_SIGNATURE` */
export function readSignatures(bytes: Uint8Array): SignatureFile | Refusal {
  if (bytes.length > SIGNATURE_FILE_BYTES_MAX) {
    return refuse('E_UPDATE_SIGNATURE', `It has more than ${SIGNATURE_FILE_BYTES_MAX} bytes.`);
  }
  const parsed = SignatureFileSchema.safeParse(parseJson(bytes));
  return parsed.success ? parsed.data : refuse('E_UPDATE_SIGNATURE', 'It is no signature file.');
}
