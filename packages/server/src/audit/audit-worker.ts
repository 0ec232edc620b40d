/** The audit thread: verifies or proves, on connections of its own that only read. @module */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Problem, type Checkpoint, verifyCheckpoint } from '@holdfast/protocol/merkle';
import { goBehindMessages } from '../kernel/index.ts';
import type {
  AuditResults,
  AuditStart,
  AuditTask,
  FromAuditThread,
  KeyAnswer,
  VerifyTask,
} from './audit-task.ts';
import { KEYS_ASKED_MAX, PROGRESS_INTERVAL_MS } from './limits.ts';
import { LogFiles } from './log-files.ts';
import { checkpointVerifier, sha256 } from './log-key.ts';
import { proveEntry } from './prove.ts';
import { verifyLog } from './verify-log.ts';

if (parentPort === null) throw new Error('this file runs in a worker thread only');
const port = parentPort;
goBehindMessages();
// Main and worker are one program: what arrives here was typed when it was sent.
const { path, task, keyPort, keyCount } = workerData as AuditStart;
const answered = new Int32Array(keyCount);
const keys = new Map<number, Uint8Array | undefined>();

/** Sleeps until the keys are there: the verification reads its entries without waiting for turns. */
function askKeys(keyRefs: readonly number[]): void {
  for (let at = 0; at < keyRefs.length; at += KEYS_ASKED_MAX) {
    const before = Atomics.load(answered, 0);
    keyPort.postMessage(keyRefs.slice(at, at + KEYS_ASKED_MAX), []);
    Atomics.wait(answered, 0, before);
    const answer = receiveMessageOnPort(keyPort)?.message as readonly KeyAnswer[] | undefined;
    for (const [keyRef, key] of answer ?? []) keys.set(keyRef, key);
  }
}

function keyOf(keyRef: number): Uint8Array | undefined {
  if (!keys.has(keyRef)) askKeys([keyRef]);
  if (!keys.has(keyRef)) throw new Error(`there is no data key ${keyRef}`);
  return keys.get(keyRef);
}

function reply(message: FromAuditThread): void {
  port.postMessage(message);
}

/** One moment of the log, however long the reading takes. */
function openSnapshot(): LogFiles {
  const files = LogFiles.openLive(path);
  files.database.exec('BEGIN');
  return files;
}

function verify(files: LogFiles, { verifierKey, since, against }: VerifyTask) {
  const verifier = checkpointVerifier(verifierKey);
  if (verifier instanceof Problem) throw new Error(verifier.problem);
  const checked = (note: string | undefined): Checkpoint | undefined => {
    const checkpoint = note === undefined ? undefined : verifyCheckpoint(sha256, note, verifier);
    if (checkpoint instanceof Problem) throw new Error(checkpoint.problem);
    return checkpoint;
  };
  let later: LogFiles | undefined;
  const run = verifyLog({
    files,
    verifier,
    keyOf,
    announceKeys: askKeys,
    since: checked(since),
    against: checked(against),
    later: () => (later = openSnapshot()),
  });
  let toldAtMs = 0;
  try {
    for (;;) {
      const step = run.next();
      if (step.done === true) return step.value;
      const nowMs = performance.now();
      if (nowMs - toldAtMs < PROGRESS_INTERVAL_MS) continue;
      toldAtMs = nowMs;
      reply({ type: 'progress', progress: step.value });
    }
  } finally {
    later?.close();
  }
}

function carryOut(asked: AuditTask): AuditResults[AuditTask['type']] {
  const files = openSnapshot();
  try {
    return asked.type === 'verify' ? verify(files, asked) : proveEntry(asked, { files, keyOf });
  } finally {
    files.close();
  }
}

try {
  reply({ type: 'done', result: carryOut(task) });
} catch (error) {
  reply({ type: 'failed', why: error instanceof Error ? error.message : String(error) });
}
keyPort.close();
