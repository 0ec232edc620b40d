/** Custody by AWS KMS: the unseal key leaves it only for whoever the key policy names. @module */
import { z } from 'zod';
import { Fault } from '../kernel/index.ts';
import { AwsPlaceSchema, awsClientOptions } from './aws-options.ts';
import { type UnsealCustody, asUnsealKey, unsealContext } from './unseal-custody.ts';

/** Which key of which KMS. */
export const KmsPlaceSchema = AwsPlaceSchema.extend({
  /** Key id, ARN or `alias/…`. */
  keyId: z.string().regex(/^[\w:/.-]{1,2048}$/u),
});
export type KmsPlace = Readonly<z.infer<typeof KmsPlaceSchema>>;

/**
 * Wraps the unseal key by AWS KMS, which encrypts under a key that never leaves it, and binds what
 * it encrypts to this data folder (encryption context).
 * @throws Fault `E_CRYPTO_KEEPER_LIBRARY` when the client is not installed.
 */
export async function kmsCustody(place: KmsPlace, folderId: string): Promise<UnsealCustody> {
  const { DecryptCommand, EncryptCommand, KMSClient } = await loadSdk();
  const client = new KMSClient(await awsClientOptions(place));
  const { keyId } = place;
  const name = `AWS KMS key ${keyId}`;
  const context = { 'holdfast-unseal': unsealContext('aws-kms', folderId) };
  return {
    name,
    async wrap(key) {
      const command = new EncryptCommand({
        KeyId: keyId,
        Plaintext: key.expose(),
        EncryptionContext: context,
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      });
      const { CiphertextBlob } = await ask(name, () => client.send(command));
      if (CiphertextBlob === undefined) throw answerFault(name);
      return Buffer.from(CiphertextBlob).toString('base64');
    },
    async unwrap(wrapped) {
      const command = new DecryptCommand({
        KeyId: keyId,
        CiphertextBlob: Buffer.from(wrapped, 'base64'),
        EncryptionContext: context,
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      });
      const { Plaintext } = await ask(name, () => client.send(command));
      if (Plaintext === undefined) throw answerFault(name);
      return asUnsealKey(Plaintext, name);
    },
  };
}

async function loadSdk() {
  try {
    return await import('@aws-sdk/client-kms');
  } catch (cause) {
    throw new Fault({
      code: 'E_CRYPTO_KEEPER_LIBRARY',
      what: 'The client of AWS KMS is not installed.',
      fix: 'Install the optional dependencies: npm ci --include=optional',
      cause,
    });
  }
}

/** Says which error it was by its name, and nothing else of it. */
async function ask<T>(name: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    const error = cause instanceof Error ? cause.name : 'unknown error';
    throw new Fault({
      code: DENIALS.has(error) ? 'E_CRYPTO_KEEPER_DENIED' : 'E_CRYPTO_KEEPER',
      what: `${name} did not do what it was asked (${error}).`,
      fix: FIXES.get(error) ?? 'Check the region, the endpoint, the network, and its own log.',
      cause,
    });
  }
}

function answerFault(name: string): Fault {
  return new Fault({
    code: 'E_CRYPTO_KEEPER_ANSWER',
    what: `${name} gave an answer without content.`,
    fix: 'Check that the endpoint is one of KMS.',
  });
}

const DENIALS = new Set(['AccessDeniedException', 'UnrecognizedClientException']);
const FIXES = new Map([
  ['AccessDeniedException', 'Permit kms:Encrypt and kms:Decrypt on this key to the server.'],
  ['UnrecognizedClientException', 'Check the credentials.'],
  ['InvalidCiphertextException', 'Restore custody.json of this data folder from your backup.'],
  ['IncorrectKeyException', 'Name the key with which the folder was made.'],
  ['NotFoundException', 'Check the id of the key, and the region.'],
  ['DisabledException', 'Enable the key in KMS.'],
  ['KMSInvalidStateException', 'Cancel the deletion of the key, or enable it, in KMS.'],
]);
