/** Custody by the transit engine of HashiCorp Vault or OpenBao. @module */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Fault } from '../kernel/index.ts';
import { HttpsFailure, postJson } from './https-json.ts';
import { readPrivateFile } from './private-file.ts';
import { type UnsealCustody, asUnsealKey, unsealContext } from './unseal-custody.ts';

/** Which key of which Vault. */
export const VaultPlaceSchema = z.object({
  /** Address of the server: `https://vault.example.com:8200`. */
  url: z.url({ protocol: /^https$/u }),
  /** Where the transit engine is mounted. */
  mount: z.string().regex(/^[\w/-]{1,128}$/u),
  /** Name of the key, of type `aes256-gcm96`. */
  key: z.string().regex(/^[\w.-]{1,128}$/u),
  /** File (mode 0600) with a token; read at each use, so that it can be renewed by an agent. */
  tokenFile: z.string().min(1),
  /** PEM file with the authority of the server, when no public one vouches for it. */
  caFile: z.string().min(1).optional(),
});
export type VaultPlace = Readonly<z.infer<typeof VaultPlaceSchema>>;

const EncryptedSchema = z.object({ data: z.object({ ciphertext: z.string().min(1) }) });
const DecryptedSchema = z.object({ data: z.object({ plaintext: z.base64() }) });

/** Wraps the unseal key by a transit key; what it encrypts is bound to this data folder. */
export function vaultCustody(place: VaultPlace, folderId: string): UnsealCustody {
  const name = `Vault key ${place.mount}/${place.key}`;
  const associated = Buffer.from(unsealContext('vault', folderId)).toString('base64');
  const call = async <T>(act: string, body: object, schema: z.ZodType<T>): Promise<T> => {
    const token = readPrivateFile(place.tokenFile, 'E_CRYPTO_KEEPER_TOKEN').trim();
    const url = new URL(`v1/${place.mount}/${act}/${place.key}`, withSlash(place.url));
    const ca = place.caFile === undefined ? undefined : readCa(place.caFile);
    const headers = { 'x-vault-token': token, 'x-vault-request': 'true' };
    try {
      const answer = await postJson(url, {
        body: { ...body, associated_data: associated },
        headers,
        ca,
      });
      return schema.parse(answer);
    } catch (cause) {
      throw keeperFault(name, cause);
    }
  };
  return {
    name,
    async wrap(key) {
      const plaintext = Buffer.from(key.expose()).toString('base64');
      return (await call('encrypt', { plaintext }, EncryptedSchema)).data.ciphertext;
    },
    async unwrap(ciphertext) {
      const { data } = await call('decrypt', { ciphertext }, DecryptedSchema);
      return asUnsealKey(Buffer.from(data.plaintext, 'base64'), name);
    },
  };
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Fault({
      code: 'E_CRYPTO_KEEPER',
      what: `The authority of the Vault in ${path} cannot be read.`,
      fix: 'Put the PEM certificate of the authority there that issued the certificate of Vault.',
      cause,
    });
  }
}

/** Says the status, and nothing of the body: it may quote what was sent. */
function keeperFault(name: string, cause: unknown): Fault {
  const status = cause instanceof HttpsFailure ? cause.status : undefined;
  if (status === 403) {
    return new Fault({
      code: 'E_CRYPTO_KEEPER_DENIED',
      what: `${name} refused: the token is not valid, or may not use the key.`,
      fix: 'Give it a token whose policy permits update on transit encrypt and decrypt of this key.',
    });
  }
  const why = cause instanceof HttpsFailure ? cause.message : 'its answer does not have the form';
  return new Fault({
    code: 'E_CRYPTO_KEEPER',
    what: `${name} did not do what it was asked: ${why}.`,
    fix:
      status === 400
        ? 'Restore custody.json from your backup, and check that the key is of type aes256-gcm96.'
        : 'Check that Vault is up and unsealed, its address, its certificate and the mount.',
    ...(status === undefined && { cause }),
  });
}
