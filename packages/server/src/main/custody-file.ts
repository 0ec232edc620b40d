/** `custody.json`: who keeps the keys of a data folder, when it is not a file in it. @module */
import { z } from 'zod';
import {
  KmsPlaceSchema,
  PassphraseParametersSchema,
  VaultPlaceSchema,
  readPrivateFile,
  writeSecretFile,
} from '../crypto/index.ts';
import { Fault } from '../kernel/index.ts';

const version = z.literal(1);
/** What the wrapped unseal key is bound to: 16 random bytes in hex, no secret. */
const folderId = z.string().regex(/^[0-9a-f]{32}$/u);
/** The unseal key as its keeper gave it. */
const wrapped = z.string().min(1).max(8_192);

const CustodySchema = z.discriminatedUnion('kind', [
  z.object({
    version,
    kind: z.literal('pkcs11'),
    module: z.string().min(1),
    label: z.string().min(1),
    /**
     * CKA_IDs of the key-encryption keys, lower-case hex, the newest last. Each is named before it
     * is made, and until it is destroyed, so that none is ever forgotten in the token.
     */
    keks: z
      .array(z.string().regex(/^[0-9a-f]{2,64}$/u))
      .min(1)
      .max(16),
  }),
  z.object({
    version,
    kind: z.literal('passphrase'),
    folderId,
    parameters: PassphraseParametersSchema,
    wrapped,
  }),
  z.object({ version, kind: z.literal('aws-kms'), folderId, place: KmsPlaceSchema, wrapped }),
  z.object({ version, kind: z.literal('vault'), folderId, place: VaultPlaceSchema, wrapped }),
]);

/** What stands in the file. */
export type CustodyFile = Readonly<z.infer<typeof CustodySchema>>;
export type TokenCustodyFile = Extract<CustodyFile, { kind: 'pkcs11' }>;
/** A keeper that wraps the unseal key. */
export type KeeperCustodyFile = Exclude<CustodyFile, TokenCustodyFile>;

/**
 * Reads the file. It names libraries that are loaded and servers that are asked: others must not
 * have written it.
 * @throws Fault `E_MAIN_CUSTODY_FILE`.
 */
export function readCustodyFile(path: string): CustodyFile {
  const text = readPrivateFile(path, 'E_MAIN_CUSTODY_FILE');
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw fileFault(path, 'is no JSON', cause);
  }
  const parsed = CustodySchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw fileFault(path, 'does not have its form');
}

/** Writes the file, whole or not at all. */
export function writeCustodyFile(path: string, file: CustodyFile): void {
  writeSecretFile(path, `${JSON.stringify(file, null, 2)}\n`);
}

function fileFault(path: string, problem: string, cause?: unknown): Fault {
  return new Fault({
    code: 'E_MAIN_CUSTODY_FILE',
    what: `${path} ${problem}.`,
    fix: `Restore it from your backup, and keep it to yourself: chmod 600 ${path}`,
    cause,
  });
}
