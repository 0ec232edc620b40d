/** Who holds the keys of a data folder: a file in it, or a PKCS#11 token. @module */
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import {
  type KeyCustody,
  Token,
  type TokenPlace,
  loadPkcs11Driver,
  loadUnsealKey,
  makeTokenKek,
  softwareCustody,
  tokenCustody,
  tokenWrapper,
  writeSecretFile,
} from '../crypto/index.ts';
import { Fault, type RandomBytes, Secret } from '../kernel/index.ts';
import type { KeyringCustody } from '../persistence/index.ts';
import type { DataFolder } from './data-folder.ts';

/** Asks a person, or whoever stands in for one, for the PIN of the token with this label. */
export type AskPin = (label: string) => Promise<string>;

/** The opened custody of a data folder. */
export interface Custody {
  /** Holds the key-encryption key. */
  readonly keys: KeyringCustody;
  /** Holds the issuing keys. */
  readonly issuing: KeyCustody;
  /** For people: `data folder`, or `token <label>`. */
  readonly name: string;
  /** Lets go of the token; nothing can be opened or issued after it. */
  close(): void;
}

/** What opening needs. */
export interface OpenCustodyOptions {
  readonly random: RandomBytes;
  /** Only for a new data folder: it remembers its token. */
  readonly token?: TokenPlace | undefined;
  readonly askPin?: AskPin | undefined;
}

const CustodySchema = z.object({
  version: z.literal(1),
  kind: z.literal('pkcs11'),
  module: z.string().min(1),
  label: z.string().min(1),
  /** CKA_ID of the key-encryption key, lower-case hex. */
  kek: z.string().regex(/^[0-9a-f]{2,64}$/u),
});
type CustodyFile = Readonly<z.infer<typeof CustodySchema>>;

/**
 * Opens the custody that a data folder names; a new folder gets one. Nothing falls back to keys in
 * the folder when a token is missing.
 * @throws Fault `E_CRYPTO_UNSEAL_…`, `E_CRYPTO_TOKEN…`, `E_MAIN_CUSTODY` or
 *   `E_MAIN_CUSTODY_FILE`.
 */
export async function openCustody(
  folder: DataFolder,
  options: OpenCustodyOptions,
): Promise<Custody> {
  const { random, token: wanted } = options;
  const hasToken = existsSync(folder.custody);
  if (wanted !== undefined && !folder.isNew) requireSame(folder, wanted, hasToken);
  if (hasToken) return openTokenCustody(readCustodyFile(folder.custody), options);
  if (folder.isNew && wanted !== undefined) return makeTokenCustody(folder, wanted, options);
  const unsealKey = loadUnsealKey(folder.unsealKey, { isNew: folder.isNew, random });
  return {
    keys: { unsealKey, random },
    issuing: softwareCustody,
    name: 'data folder',
    close: () => {},
  };
}

async function makeTokenCustody(
  folder: DataFolder,
  place: TokenPlace,
  options: OpenCustodyOptions,
): Promise<Custody> {
  const token = await openToken(place, options);
  try {
    const kek = makeTokenKek(token, options);
    const file = { version: 1, kind: 'pkcs11', ...place, kek: kek.toString('hex') } as const;
    const custody = custodyIn(token, file, options);
    writeSecretFile(folder.custody, `${JSON.stringify(file, null, 2)}\n`);
    return custody;
  } catch (error) {
    token.close();
    throw error;
  }
}

async function openTokenCustody(file: CustodyFile, options: OpenCustodyOptions): Promise<Custody> {
  const token = await openToken(file, options);
  try {
    return custodyIn(token, file, options);
  } catch (error) {
    token.close();
    throw error;
  }
}

function custodyIn(
  token: Token,
  { kek, label }: CustodyFile,
  { random }: OpenCustodyOptions,
): Custody {
  const wrapper = tokenWrapper(token, { id: Buffer.from(kek, 'hex'), random });
  return {
    keys: { token: wrapper, random },
    issuing: tokenCustody(token, { random }),
    name: `token ${label}`,
    close: () => token.close(),
  };
}

async function openToken(place: TokenPlace, { askPin }: OpenCustodyOptions): Promise<Token> {
  const { module, label } = place;
  const driver = await loadPkcs11Driver();
  if (askPin === undefined) {
    throw new Fault({
      code: 'E_CRYPTO_TOKEN_PIN',
      what: `The keys of this data folder are in the token "${label}", and nobody gave its PIN.`,
      fix: 'Start it on a terminal, or give the PIN by --pkcs11-pin-fd or --pkcs11-pin-file.',
    });
  }
  return Token.open(driver, { module, label }, new Secret(await askPin(label)));
}

/** The file names a library that is loaded into this process: others must not have written it. */
function readCustodyFile(path: string): CustodyFile {
  const { mode, uid } = lstatSync(path);
  if ((mode & OTHERS) !== 0) {
    throw fileFault(path, 'can be read or written by other users of this machine');
  }
  // Whoever owns a file can write to it, whatever its mode says. Windows has no such owners.
  if (process.getuid !== undefined && uid !== process.getuid() && uid !== ROOT_UID) {
    throw fileFault(path, 'belongs to another user of this machine');
  }
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw fileFault(path, 'is no JSON', cause);
  }
  const parsed = CustodySchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw fileFault(path, 'does not have its form');
}

function requireSame(folder: DataFolder, wanted: TokenPlace, hasToken: boolean): void {
  const kept = hasToken ? readCustodyFile(folder.custody) : undefined;
  if (kept?.label === wanted.label && kept.module === wanted.module) return;
  throw new Fault({
    code: 'E_MAIN_CUSTODY',
    what:
      kept === undefined
        ? `The keys of ${folder.path} are in the folder; they cannot be moved into a token.`
        : `The keys of ${folder.path} are in the token "${kept.label}" (module ${kept.module}).`,
    fix: 'Start without --custody, or with another data folder.',
  });
}

function fileFault(path: string, problem: string, cause?: unknown): Fault {
  return new Fault({
    code: 'E_MAIN_CUSTODY_FILE',
    what: `${path} ${problem}.`,
    fix: `Restore it from your backup, and keep it to yourself: chmod 600 ${path}`,
    cause,
  });
}

const OTHERS = 0o077;
const ROOT_UID = 0;
