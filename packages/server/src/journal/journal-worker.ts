/** The journal's worker thread: seals, hashes, signs and stores, one batch at a time. @module */
import { parentPort, workerData } from 'node:worker_threads';
import { SealedLog } from '../audit/index.ts';
import { softwareKeyHandle } from '../crypto/index.ts';
import { Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { readBatch } from './batch-buffer.ts';
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts';

if (parentPort === null) throw new Error('this file runs in a worker thread only');
const port = parentPort;
// Main and worker are one program: what arrives here was typed when it was sent.
const start = workerData as WorkerStart;

const keys = new Map<number, Uint8Array>();
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
});

function reply(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function append({ memory, length, keys: newKeys }: Extract<ToWorker, { type: 'append' }>): void {
  for (const [keyRef, key] of newKeys) keys.set(keyRef, key);
  try {
    const { first, checkpoint } = log.append(readBatch(memory, length));
    reply({ type: 'appended', first, checkpoint, memory }, [memory]);
  } catch (error) {
    reply({ type: 'failed', why: String(error), memory, length }, [memory]);
  }
}

function read({ id, key, before, limit }: Extract<ToWorker, { type: 'read' }>): void {
  keys.set(...key);
  try {
    reply({ type: 'read', id, entries: log.readBackwards(key[0], { before, limit }) });
  } catch (error) {
    reply({ type: 'readFailed', id, why: String(error) });
  }
}

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'append':
      append(message);
      break;
    case 'read':
      read(message);
      break;
    case 'close':
      log.close();
      reply({ type: 'closed' });
      port.close();
      break;
  }
});
reply({ type: 'opened', checkpoint: log.checkpoint, size: log.size });
