/** What a witness keeps: its key, and the last checkpoint that it has cosigned. @module */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { formatCosignerKey, isKeyName } from '@holdfast/protocol/merkle';
import type { NoteSigner } from '@holdfast/protocol/merkle';
import { Failure, systemWhy, usageFailure } from '../failure.ts';
import { sha256 } from '../note-crypto.ts';
import { readPrivateFile } from '../private-file.ts';

/** A witness of one log. */
export interface WitnessFolder {
  readonly signer: NoteSigner;
  /** Its key, as the server is told it. */
  readonly keyText: string;
  readonly isNew: boolean;
  /** The newest checkpoint that was cosigned; undefined before the first. */
  last(): string | undefined;
  /** Keeps a cosigned checkpoint: it is on the disk when this returns. */
  keep(note: string): void;
  /** Keeps what proves that the log lied. @returns the path. */
  keepEvidence(name: string, text: string): string;
  /** Lets another process have the folder. */
  close(): void;
}

/**
 * Opens the folder of a witness, or makes it with a new key. One process has it at a time: two
 * that had read the same last checkpoint could each vouch for another continuation of it.
 * @throws Failure `E_CLI_FILE`, `E_CLI_CREDENTIALS` when others can read the key, `E_CLI_USAGE`.
 */
export function openWitnessFolder(path: string, name: string): WitnessFolder {
  attempt(path, () => mkdirSync(path, { recursive: true, mode: 0o700 }));
  const close = lock(path);
  try {
    return { ...openLocked(path, name), close };
  } catch (error) {
    close();
    throw error;
  }
}

function openLocked(path: string, name: string): Omit<WitnessFolder, 'close'> {
  const keyPath = join(path, 'witness.key');
  const namePath = join(path, 'witness.pub');
  const lastPath = join(path, 'last.checkpoint');
  const isNew = !existsSync(keyPath);
  if (isNew) makeKey(path, name);
  const pem = readPrivateFile(keyPath) ?? '';
  const keyText = attempt(namePath, () => readFileSync(namePath, 'utf8').trim());
  const signer = signerOf(keyPath, pem, keyText.split('+')[0] ?? '');
  if (formatCosignerKey(sha256, signer) !== keyText) throw damaged(namePath);
  return {
    signer,
    keyText,
    isNew,
    last: () =>
      existsSync(lastPath) ? attempt(lastPath, () => readFileSync(lastPath, 'utf8')) : undefined,
    keep: (note) => writeDurably(path, 'last.checkpoint', note),
    keepEvidence(name, text) {
      writeDurably(path, name, text);
      return join(path, name);
    },
  };
}

/** The lock is one of the operating system: it ends with the process, however that ends. */
function lock(path: string): () => void {
  const lockPath = join(path, 'lock');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(lockPath);
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    const isBusy = cause instanceof Error && /locked|busy/iu.test(cause.message);
    throw new Failure('E_CLI_FILE', {
      what: isBusy ? `Another witness works in ${path}.` : `${lockPath} cannot be locked.`,
      why: 'Two at once would overwrite what the other has seen.',
      fix: isBusy ? 'Wait for it, or end it first.' : 'Name a folder of your own with --data.',
      cause,
    });
  }
  const held = database;
  return () => {
    if (held.isOpen) held.close();
  };
}

/** The public key beside it is written first: a key that is there has its name. */
function makeKey(path: string, name: string): void {
  if (!isKeyName(name)) {
    throw usageFailure(`"${name}" cannot name a witness.`, 'Give --name without spaces or plus.');
  }
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'raw-public' });
  const keyText = formatCosignerKey(sha256, { name, publicKey: raw });
  writeDurably(path, 'witness.pub', `${keyText}\n`);
  writeDurably(path, 'witness.key', privateKey.export({ format: 'pem', type: 'pkcs8' }));
}

function signerOf(path: string, pem: string, name: string): NoteSigner {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is no Ed25519 key');
    const publicKey = createPublicKey(key).export({ format: 'raw-public' });
    return { name, publicKey, sign: (message) => sign(null, message, key) };
  } catch (cause) {
    throw damaged(path, cause);
  }
}

/** After a loss of power the old content is there, or the new one. */
function writeDurably(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  attempt(path, () => {
    const file = openSync(`${path}.partial`, 'w', 0o600);
    writeSync(file, text);
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.partial`, path);
    const parent = openSync(folder, 'r');
    fsyncSync(parent);
    closeSync(parent);
  });
}

function damaged(path: string, cause?: unknown): Failure {
  return new Failure('E_CLI_FILE', {
    what: `${path} is damaged.`,
    why: 'It is not what a witness writes: it was changed, or half written.',
    fix: 'Restore it from your copy, or begin with another folder and tell the server its key.',
    cause,
  });
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new Failure('E_CLI_FILE', {
      what: `${path} cannot be read or written.`,
      why: systemWhy(cause),
      fix: 'Name a folder of your own with --data.',
      cause,
    });
  }
}
