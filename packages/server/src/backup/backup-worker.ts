/** The thread of a backup: reads the databases, cuts, names and seals chunks. @module */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { goBehindMessages, systemRandom } from '../kernel/index.ts';
import { destroyedKeyRefs, readKeyTables } from '../persistence/index.ts';
import { type ChunkRef, backupKeyFrom } from './backup-key.ts';
import { DatabaseSnapshot } from './database-snapshot.ts';
import { CHUNKS_IN_FLIGHT_MAX } from './limits.ts';
import { BACKED_UP, type Snapshot } from './manifest.ts';
import { toErrorMessage } from './worker-error.ts';
import { type BackupStart, type FromBackup, GATE, type ToBackup } from './worker-messages.ts';

if (parentPort === null) throw new Error('the thread of a backup is started by the server only');
const port = parentPort;
// The thread is started with nothing else, see start-snapshot.ts.
const start = workerData as BackupStart;
const key = backupKeyFrom(start.key.ref, start.key.root);
const gate = new Int32Array(start.gate);
const snapshots = openAll();
const taken = new Set<string>();
const credit = { left: CHUNKS_IN_FLIGHT_MAX };
let wake = (): void => {};

function reply(message: FromBackup, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** Names a chunk, and sends it unless the destination has it. */
async function take(content: Buffer): Promise<ChunkRef> {
  const chunk = { name: key.nameOf(content), bytes: content.length };
  while (credit.left === 0) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  credit.left -= 1;
  const isThere = start.known.get(chunk.name) === chunk.bytes || taken.has(chunk.name);
  taken.add(chunk.name);
  if (isThere) {
    reply({ type: 'chunk', chunk, sealed: undefined });
    return chunk;
  }
  // Memory of its own, to be sent to the other thread.
  const sealed = new Uint8Array(key.sealChunk(chunk.name, content, systemRandom));
  reply({ type: 'chunk', chunk, sealed }, [sealed.buffer]);
  return chunk;
}

/** Opens the databases, before the server holds still for their beginning. */
function openAll(): DatabaseSnapshot[] {
  return BACKED_UP.filter((name) => name !== 'series' || hasSeries()).map(
    (name) => new DatabaseSnapshot(name, start.paths[name]),
  );
}

/** Series that are not there, or are no database, are made anew of the log: no backup fails of them. */
function hasSeries(): boolean {
  try {
    const database = new DatabaseSync(start.paths.series, { readOnly: true });
    const { user_version: version } = database.prepare('PRAGMA user_version').get() ?? {};
    database.close();
    return Number(version) > 0;
  } catch {
    return false;
  }
}

/** While the server holds still: all databases begin at the same moment. */
function beginAll(): boolean {
  try {
    // The log last: what was saved of the broker must not speak of entries that are not in it.
    for (const snapshot of snapshots) snapshot.begin();
    open(GATE.begun);
    return true;
  } catch (error) {
    open(GATE.failed);
    reply({ type: 'failed', error: toErrorMessage(error) });
    return false;
  }
}

function open(state: number): void {
  Atomics.store(gate, 0, state);
  Atomics.notify(gate, 0);
}

async function copyAll(): Promise<void> {
  const databases: Snapshot['databases'] = [];
  let destroyed: number[] = [];
  let checkpoint = '';
  for (const snapshot of snapshots) {
    const { name, database } = snapshot;
    if (name === 'registry') destroyed = destroyedKeyRefs(readKeyTables(database));
    if (name === 'log') checkpoint = newestCheckpoint(snapshot);
    databases.push(await snapshot.copy(take));
    // Whoever waits to overwrite what was erased need not wait for the rest.
    snapshot.close();
  }
  reply({ type: 'done', snapshot: { databases, destroyedKeyRefs: destroyed }, checkpoint });
}

function newestCheckpoint({ database }: DatabaseSnapshot): string {
  const sql = 'SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1';
  return String(database.prepare(sql).get()?.['note'] ?? '');
}

port.on('message', (message: ToBackup) => {
  if (message.type === 'credit') {
    credit.left += 1;
    wake();
    return;
  }
  if (!beginAll()) return;
  // Not before: the server stands still until it has begun, and must not wait for one behind others.
  goBehindMessages();
  copyAll().catch((error: unknown) => {
    reply({ type: 'failed', error: toErrorMessage(error) });
  });
});
reply({ type: 'ready' });
