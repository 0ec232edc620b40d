/** Gathers what is written to a connection in one turn of the event loop into one TLS record. @module */
import type { PeerSocket } from '../wire/index.ts';
import { WRITE_BATCH_BYTES } from './limits.ts';

/** Outgoing bytes of one connection. */
export class WriteBatch {
  readonly #socket: PeerSocket;
  readonly #scheduler: FlushScheduler;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(socket: PeerSocket, scheduler: FlushScheduler) {
    this.#socket = socket;
    this.#scheduler = scheduler;
  }

  /** Bytes that the peer has not taken yet. */
  get pendingBytes(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (this.#chunks.length === 0) this.#scheduler.schedule(this);
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    // Under load a turn can be long: what is many records anyway need not wait for its end.
    if (this.#bytes >= WRITE_BATCH_BYTES) this.flush();
  }

  flush(): void {
    const chunks = this.#chunks;
    const [only] = chunks;
    if (only === undefined) return;
    this.#chunks = [];
    this.#bytes = 0;
    if (!this.#socket.writable) return;
    this.#socket.write(chunks.length === 1 ? only : Buffer.concat(chunks));
  }
}

/** Flushes all connections that were written to, once a turn. */
export class FlushScheduler {
  #dirty: WriteBatch[] = [];

  schedule(batch: WriteBatch): void {
    if (this.#dirty.length === 0) setImmediate(() => this.#flushAll());
    this.#dirty.push(batch);
  }

  #flushAll(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const batch of dirty) batch.flush();
  }
}
