/** The one folder in which everything lives. @module */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeSecretFile } from '../crypto/index.ts';
import { Fault } from '../kernel/index.ts';

/** The files of a data folder. */
export interface DataFolder {
  readonly path: string;
  /** True when nothing was there before. */
  readonly isNew: boolean;
  /** The unseal key: whoever has it and the folder can read everything. */
  readonly unsealKey: string;
  /** Where the keys are when they are in a token; it names the token, and holds no secret. */
  readonly custody: string;
  /** Sealed records: devices, people, keys. */
  readonly registry: string;
  /** The sealed Merkle log: messages, acts, refusals. */
  readonly log: string;
  /** Sealed sessions, and which messages are retained. */
  readonly broker: string;
  /** Sealed time series, made of the log. */
  readonly series: string;
  /** Sealed artifacts of updates, where they are in no bucket. */
  readonly firmware: string;
  /** The public key with which anyone can verify the log. */
  readonly verifierKey: string;
  /** How the command line reaches the running server. */
  readonly localAccess: string;
}

const OWNER_ONLY_FOLDER = 0o700;

/** Names the files of a data folder; touches nothing. */
export function dataFolderAt(path: string): DataFolder {
  const folder = resolve(path);
  const unsealKey = join(folder, 'unseal.key');
  const custody = join(folder, 'custody.json');
  const registry = join(folder, 'registry.db');
  return {
    path: folder,
    isNew: ![unsealKey, custody, registry].some((file) => existsSync(file)),
    unsealKey,
    custody,
    registry,
    log: join(folder, 'log.db'),
    broker: join(folder, 'broker.db'),
    series: join(folder, 'series.db'),
    firmware: join(folder, 'firmware'),
    verifierKey: join(folder, 'log.pub'),
    localAccess: join(folder, 'cli.json'),
  };
}

/** Opens a data folder, making it where there is none, for its owner only. */
export function openDataFolder(path: string): DataFolder {
  const folder = dataFolderAt(path);
  try {
    mkdirSync(folder.path, { recursive: true, mode: OWNER_ONLY_FOLDER });
    if (!statSync(folder.path).isDirectory()) throw new Error('it is not a folder');
    chmodSync(folder.path, OWNER_ONLY_FOLDER);
  } catch (cause) {
    throw new Fault({
      code: 'E_MAIN_DATA_FOLDER',
      what: `The data folder ${folder.path} cannot be used: ${String(cause)}.`,
      fix: 'Choose a folder of your own with --data.',
      cause,
    });
  }
  return folder;
}

/** How the command line of this machine signs in; rewritten at each start, removed at each stop. */
export interface LocalAccess {
  readonly version: 1;
  readonly url: string;
  readonly token: string;
  readonly anchorPem: string;
  readonly pin: string;
}

/** Lets whoever can read the data folder, and so its keys, use the command line at once. */
export function writeLocalAccess(folder: DataFolder, access: LocalAccess): void {
  writeSecretFile(folder.localAccess, `${JSON.stringify(access)}\n`);
}

/** Removes the local access of a server that stops. */
export function removeLocalAccess(folder: DataFolder): void {
  rmSync(folder.localAccess, { force: true });
}

/**
 * Writes the public key of the log where a verifier finds it, or checks that it is still there
 * unchanged: with another key a rewritten log would verify.
 */
export function keepVerifierKey(folder: DataFolder, verifierKey: string): void {
  if (!existsSync(folder.verifierKey)) {
    writeSecretFile(folder.verifierKey, `${verifierKey}\n`);
    return;
  }
  if (readFileSync(folder.verifierKey, 'utf8').trim() === verifierKey) return;
  throw new Fault({
    code: 'E_MAIN_VERIFIER_KEY',
    what: `${folder.verifierKey} is not the key that signs this log.`,
    fix: 'Find out who changed it; compare it with your own copy of the key.',
  });
}
