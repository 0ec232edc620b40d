/** Verifies the data folder of a stopped server, offline. @module */
import { existsSync, readFileSync } from 'node:fs';
import { Problem } from '@holdfast/protocol/merkle';
import { LogFiles, type LogReport, checkpointVerifier, verifyLog } from '../audit/index.ts';
import { Fault, systemClock, systemRandom } from '../kernel/index.ts';
import { Keyring, STORE_VERSION, openDatabaseReadOnly } from '../persistence/index.ts';
import { type AskPin, openCustody } from './custody.ts';
import { type DataFolder, dataFolderAt } from './data-folder.ts';

/** What to verify. */
export interface VerifyDataOptions {
  readonly dataDir: string;
  /** Public key of the log; without it, that of the folder is taken. */
  readonly verifierKey?: string | undefined;
  /** Asks for the PIN of a token, when the keys of the data folder are in one. */
  readonly askPin?: AskPin | undefined;
  /** Told how many entries are done, after each batch. */
  readonly onProgress?: ((entries: number) => void) | undefined;
}

/** What was verified. */
export interface VerifyReport extends LogReport {
  readonly ok: boolean;
  /** The public key that was used. */
  readonly verifierKey: string;
  /** Where that key came from: a folder can only vouch for itself. */
  readonly keySource: 'given' | 'data folder';
  readonly seconds: number;
}

/**
 * Checks every stored entry against the Merkle tree, and the tree against every checkpoint.
 * @throws Fault when the folder, its keys or the log cannot be opened, or a server runs on it.
 */
export async function verifyData(options: VerifyDataOptions): Promise<VerifyReport> {
  const startMs = systemClock.monotonicMs();
  const folder = dataFolderAt(options.dataDir);
  const { text, source } = verifierKeyOf(folder, options.verifierKey);
  const verifier = checkpointVerifier(text);
  if (verifier instanceof Problem) throw keyFault(verifier.problem);
  const { askPin } = options;
  const custody = await openCustody({ ...folder, isNew: false }, { askPin, random: systemRandom });
  const registry = openDatabaseReadOnly(folder.registry, STORE_VERSION);
  const files = LogFiles.openReadOnly(folder.log);
  try {
    const keyring = new Keyring(registry.database, custody.keys);
    const keyOf = (ref: number): Uint8Array | undefined =>
      keyring.isDestroyed(ref) ? undefined : keyring.byRef(ref).key.expose();
    const run = verifyLog({ files, verifier, keyOf });
    const report = finish(run, options.onProgress);
    const seconds = (systemClock.monotonicMs() - startMs) / 1_000;
    const ok = report.findings.length === 0;
    return { ...report, ok, verifierKey: text, keySource: source, seconds };
  } finally {
    files.close();
    registry.close();
    custody.close();
  }
}

function finish(
  run: Generator<number, LogReport>,
  onProgress: ((entries: number) => void) | undefined,
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
