/** Verifies the data folder of a stopped server, offline. @module */
import { existsSync, readFileSync, statSync } from 'node:fs';
import {
  type Checkpoint,
  type CheckpointVerifier,
  Problem,
  verifyCheckpoint,
} from '@holdfast/protocol/merkle';
import {
  LogFiles,
  type LogFinding,
  type LogProgress,
  type LogReport,
  checkpointVerifier,
  compareLogs,
  sha256,
  verifyLog,
} from '../audit/index.ts';
import { Fault, systemClock, systemRandom } from '../kernel/index.ts';
import {
  Keyring,
  STORE_FORMAT,
  openDatabaseReadOnly,
  requireUnlocked,
} from '../persistence/index.ts';
import { openCustody } from './custody.ts';
import { type DataFolder, dataFolderAt } from './data-folder.ts';
import type { AskSecrets } from './keepers.ts';
import { verifyRollback } from './verify-rollback.ts';

/** What to verify. */
export interface VerifyDataOptions extends AskSecrets {
  readonly dataDir: string;
  /** Public key of the log; without it, that of the folder is taken. */
  readonly verifierKey?: string | undefined;
  /** File with a checkpoint at which the last good verification ended: only the rest is checked. */
  readonly since?: string | undefined;
  /** File with a checkpoint that was kept elsewhere, or another copy of the data folder. */
  readonly against?: string | undefined;
  /** Told how far it is, after each batch. */
  readonly onProgress?: ((progress: LogProgress) => void) | undefined;
}

/** What was verified. */
export interface VerifyReport extends LogReport {
  readonly ok: boolean;
  /** The public key that was used. */
  readonly verifierKey: string;
  /** Where that key came from: a folder can only vouch for itself. */
  readonly keySource: 'given' | 'data folder';
  /** The newest checkpoint, a signed note; undefined where there is none or something was found. */
  readonly checkpoint: string | undefined;
  /** Entries of the other copy, when it was compared with one. */
  readonly otherSize?: number | undefined;
  readonly seconds: number;
}

/**
 * Checks every stored entry against the Merkle tree, and the tree against every checkpoint.
 * @throws Fault when the folder, its keys or the log cannot be opened, or a server runs on it.
 */
export async function verifyData(options: VerifyDataOptions): Promise<VerifyReport> {
  const startMs = systemClock.monotonicMs();
  const folder = dataFolderAt(options.dataDir);
  requireUnlocked(folder.path);
  const { text, source } = verifierKeyOf(folder, options.verifierKey);
  const verifier = checkpointVerifier(text);
  if (verifier instanceof Problem) throw keyFault(verifier.problem);
  const { askPin, askPassphrase } = options;
  const custody = await openCustody(
    { ...folder, isNew: false },
    { askPin, askPassphrase, random: systemRandom },
  );
  const registry = openDatabaseReadOnly(folder.registry, STORE_FORMAT);
  const files = LogFiles.openReadOnly(folder.log);
  try {
    const keyring = new Keyring(registry.database, custody.keys);
    const keyOf = (ref: number): Uint8Array | undefined =>
      keyring.isDestroyed(ref) ? undefined : keyring.byRef(ref).key.expose();
    const isCopy = options.against !== undefined && isFolder(options.against);
    const run = verifyLog({
      files,
      verifier,
      keyOf,
      since: checkpointIn(options.since, verifier),
      against: isCopy ? undefined : checkpointIn(options.against, verifier),
    });
    const report = finish(run, options.onProgress);
    const other = isCopy ? compareWith(options.against ?? '', { files, verifier }) : undefined;
    const rollback = orFinding('how far registry and log know each other', () =>
      verifyRollback(registry.database, { keyring, files }),
    );
    const findings = [...rollback, ...report.findings, ...(other?.findings ?? [])];
    return {
      ...report,
      findings,
      ok: findings.length === 0,
      verifierKey: text,
      keySource: source,
      checkpoint: findings.length === 0 ? files.latestCheckpoint()?.note : undefined,
      otherSize: other?.size,
      seconds: (systemClock.monotonicMs() - startMs) / 1_000,
    };
  } finally {
    files.close();
    registry.close();
    custody.close();
  }
}

/** Damage is something found, not something that went wrong. */
function orFinding(what: string, read: () => readonly LogFinding[]): readonly LogFinding[] {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ what: `${what} cannot be read: ${why}` }];
  }
}

function compareWith(
  path: string,
  { files, verifier }: { files: LogFiles; verifier: CheckpointVerifier },
): { size: number; findings: LogFinding[] } {
  const other = LogFiles.openReadOnly(dataFolderAt(path).log);
  try {
    const { size, finding } = compareLogs(files, other, verifier);
    return { size, findings: finding === undefined ? [] : [finding] };
  } finally {
    other.close();
  }
}

function checkpointIn(
  path: string | undefined,
  verifier: CheckpointVerifier,
): Checkpoint | undefined {
  if (path === undefined) return undefined;
  let note: string;
  try {
    note = readFileSync(path, 'utf8');
  } catch (cause) {
    throw checkpointFault(`${path} cannot be read: ${String(cause)}`, cause);
  }
  const checkpoint = verifyCheckpoint(sha256, note, verifier);
  if (!(checkpoint instanceof Problem)) return checkpoint;
  throw checkpointFault(`${path} holds no checkpoint of this log: ${checkpoint.problem}`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function checkpointFault(problem: string, cause?: unknown): Fault {
  return new Fault({
    code: 'E_MAIN_CHECKPOINT',
    what: `${problem}.`,
    fix: 'Name a file that holdfast audit checkpoint wrote, as it was written.',
    cause,
  });
}

function finish(
  run: Generator<LogProgress, LogReport>,
  onProgress: ((progress: LogProgress) => void) | undefined,
): LogReport {
  for (;;) {
    const step = run.next();
    if (step.done === true) return step.value;
    onProgress?.(step.value);
  }
}

function verifierKeyOf(
  folder: DataFolder,
  given: string | undefined,
): { text: string; source: 'given' | 'data folder' } {
  if (given !== undefined) return { text: given.trim(), source: 'given' };
  if (!existsSync(folder.verifierKey)) {
    throw new Fault({
      code: 'E_MAIN_NO_DATA',
      what: `There is no ${folder.verifierKey}: this is no data folder of Holdfast.`,
      fix: 'Name the folder with --data, or the public key of the log with --key.',
    });
  }
  return { text: readFileSync(folder.verifierKey, 'utf8').trim(), source: 'data folder' };
}

function keyFault(problem: string): Fault {
  return new Fault({
    code: 'E_MAIN_VERIFIER_KEY',
    what: `The public key of the log is damaged: ${problem}.`,
    fix: 'Take the key from the data folder (log.pub) or from what the server printed at its start.',
  });
}
