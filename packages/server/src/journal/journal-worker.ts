/** The journal's worker thread: seals, hashes, signs and stores, one batch at a time. @module */
import { parentPort, workerData } from 'node:worker_threads';
import { type AppendedBatch, SealedLog } from '../audit/thread.ts';
import { softwareKeyHandle } from '../crypto/thread.ts';
import { type CancelTimer, Fault, Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { readBatch } from './batch-buffer.ts';
import { EXPIRY_PAUSE_MS, EXPIRY_SLICE_BYTES, READ_PAGE_BYTES } from './limits.ts';
import { StateStore } from './state-store.ts';
import type {
  AppendMessage,
  FromWorker,
  KeyMessage,
  ReadAnswers,
  ReadRequest,
  ReadType,
  ToWorker,
  WorkerStart,
} from './worker-messages.ts';

if (parentPort === null) throw new Error('this file runs in a worker thread only');
const port = parentPort;
// Main and worker are one program: what arrives here was typed when it was sent.
const start = workerData as WorkerStart;

const keys = new Map<number, Uint8Array>();
let layoutKeyRef = 0;
let cancelExpiry: CancelTimer = () => {};
const log = new SealedLog(start.path, {
  clock: systemClock,
  random: systemRandom,
  origin: start.origin,
  signer: softwareKeyHandle('Ed25519', new Secret(start.signingKey)),
  keyOf(keyRef) {
    const key = keys.get(keyRef);
    if (key === undefined) throw new Error(`data key ${keyRef} was not sent to the worker`);
    return key;
  },
  layoutKeyRef: () => layoutKeyRef,
});
const state = new StateStore(start.statePath, {
  key: new Secret(start.stateKey),
  random: systemRandom,
  logSize: log.size,
});

function reply(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function learn(newKeys: readonly KeyMessage[]): void {
  for (const [keyRef, key] of newKeys) keys.set(keyRef, key);
}

/** First the log, then the state: what is saved never speaks of an entry that is not stored. */
function append(batch: AppendMessage): void {
  learn(batch.keys);
  ({ layoutKeyRef } = batch);
  const { entries, state: changes } = batch;
  const transfer = entries === undefined ? [] : [entries.memory];
  let stored: AppendedBatch | undefined = batch.stored;
  try {
    if (stored === undefined && entries !== undefined) {
      stored = log.append(readBatch(entries.memory, entries.length));
    }
    if (changes.length > 0) state.save(changes, { logSize: log.size });
    reply({ type: 'appended', stored, memory: entries?.memory }, transfer);
  } catch (error) {
    reply({ type: 'failed', why: String(error), entries, stored }, transfer);
  }
}

/** What is asked and can be answered at once. */
function answer(request: Exclude<ReadRequest, { type: 'doExpiries' }>): ReadAnswers[ReadType] {
  switch (request.type) {
    case 'read': {
      const [keyRef, key] = request.key;
      return log.reader.readBackwards({ keyRef, key }, request);
    }
    case 'fetch':
      learn(request.keys);
      return log.reader.readAt(request.places, (keyRef) => keys.get(keyRef));
    case 'scan':
      learn(request.keys);
      return scan(request);
    case 'loadState':
      return state.load({ after: request.after, bytesMin: READ_PAGE_BYTES });
    case 'foreseeExpiries':
      return log.foreseeExpiries(request.expiries);
    case 'planExpiries':
      return log.planExpiries(request.expiries);
  }
}

function scan({
  from,
  to,
  destroyed,
}: Extract<ReadRequest, { type: 'scan' }>): ReadAnswers['scan'] {
  const wanted = new Set<number>();
  const page = log.reader.readForwards({ from, to, bytesMin: READ_PAGE_BYTES }, (keyRef) => {
    const key = keys.get(keyRef);
    if (key === undefined && !destroyed.includes(keyRef)) wanted.add(keyRef);
    return key;
  });
  if (wanted.size === 0) return { ...page, wantedKeys: [] };
  return { entries: [], problems: [], next: from, wantedKeys: [...wanted] };
}

function answerOrFail(id: number, request: ReadRequest): void {
  try {
    if (request.type === 'doExpiries') expire(id, log.beginExpiries());
    else reply({ type: 'answer', id, answer: answer(request) });
  } catch (error) {
    fail(id, error);
  }
}

function fail(id: number, error: unknown): void {
  const fault = error instanceof Fault ? { code: error.code, fix: error.fix } : undefined;
  const message = error instanceof Error ? error.message : String(error);
  reply({ type: 'unanswered', id, error: { message, fault } });
}

/** Does a slice, and leaves the thread to the messages before the next one. */
function expire(id: number, next: (bytes: number) => boolean): void {
  cancelExpiry = systemClock.after(EXPIRY_PAUSE_MS, () => {
    try {
      if (next(EXPIRY_SLICE_BYTES)) expire(id, next);
      else reply({ type: 'answer', id, answer: undefined });
    } catch (error) {
      fail(id, error);
    }
  });
}

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'append':
      append(message);
      break;
    case 'request':
      answerOrFail(message.id, message.request);
      break;
    case 'close':
      cancelExpiry();
      state.close();
      log.close();
      reply({ type: 'closed' });
      port.close();
      break;
  }
});
reply({
  type: 'opened',
  checkpoint: log.checkpoint,
  size: log.size,
  hasPendingExpiries: log.pendingExpiries.length > 0,
});
