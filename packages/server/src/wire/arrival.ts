/** A TCP connection from its acceptance to the end of its TLS handshake. @module */
import type { Socket } from 'node:net';
import { networkOf } from '../kernel/index.ts';
import type { Handshake } from './handshake-queue.ts';
import { FIRST_BYTES_MAX } from './limits.ts';
import { peerAddress } from './peer-socket.ts';

/** What an arrival tells as it goes on. */
export interface ArrivalEvents {
  /** Its first bytes are there: it may have its turn. */
  onHello(arrival: Arrival): void;
  /** It sent what no TLS client sends. */
  onNonsense(arrival: Arrival, what: string): void;
  /** It had its turn for too long, or waited for it for too long. */
  onGiveUp(arrival: Arrival, why: 'waited' | 'stalled'): void;
  /** The connection is closed, at whichever stage. */
  onClose(arrival: Arrival): void;
}

/** Hands the socket of an arrival over to its TLS server. */
export type StartTls = (arrival: Arrival) => void;

/** First byte of a TLS record that carries a handshake. RFC 8446, section 5.1 */
const TLS_HANDSHAKE_RECORD = 0x16;

/**
 * Holds back a connection until it is its turn, and keeps its first bytes meanwhile. It is read
 * from all the time: so a peer that has gone is known before work is done for it, and all the work
 * of the first half of its handshake is done in its turn.
 */
export class Arrival implements Handshake {
  /** How far it has come; `out` once it is refused. */
  stage: 'silent' | 'waiting' | 'handshaking' | 'admitted' | 'out' = 'silent';
  /** Whether it still counts as an open connection. */
  isCounted = true;
  readonly address: string;
  readonly network: string;
  /** Name of the listener. */
  readonly door: string;
  /** Monotonic time of its acceptance. */
  readonly acceptedAtMs: number;
  readonly #raw: Socket;
  readonly #startTls: StartTls;
  readonly #events: ArrivalEvents;
  #chunks: Buffer[] = [];
  #byteCount = 0;

  constructor(
    raw: Socket,
    options: { door: string; acceptedAtMs: number; startTls: StartTls; events: ArrivalEvents },
  ) {
    this.address = peerAddress(raw);
    this.network = networkOf(this.address);
    this.door = options.door;
    this.acceptedAtMs = options.acceptedAtMs;
    this.#raw = raw;
    this.#startTls = options.startTls;
    this.#events = options.events;
  }

  /** Begins to read. */
  read(): void {
    // A broken connection is an everyday end; 'close' follows.
    this.#raw.on('error', ignore);
    this.#raw.on('data', this.#hear);
    this.#raw.on('close', () => this.#events.onClose(this));
  }

  start(): void {
    // What is destroyed here is closed, and leaves, in this very turn.
    if (this.#raw.destroyed) return;
    this.stage = 'handshaking';
    this.#raw.off('data', this.#hear);
    this.#raw.pause();
    this.#raw.unshift(Buffer.concat(this.#chunks));
    this.#chunks = [];
    this.#startTls(this);
  }

  giveUp(why: 'waited' | 'stalled'): void {
    this.#events.onGiveUp(this, why);
  }

  /** Closes the connection. */
  close(): void {
    this.stage = 'out';
    this.#raw.destroy();
  }

  readonly #hear = (chunk: Buffer): void => {
    if (this.stage === 'out') return;
    this.#chunks.push(chunk);
    this.#byteCount += chunk.length;
    const isFirst = this.#chunks.length === 1;
    if (isFirst && chunk[0] !== TLS_HANDSHAKE_RECORD) {
      this.#events.onNonsense(this, 'its first byte begins no TLS handshake');
    } else if (this.#byteCount > FIRST_BYTES_MAX) {
      this.#events.onNonsense(this, `more than ${FIRST_BYTES_MAX} bytes before its handshake`);
    } else if (isFirst) {
      this.stage = 'waiting';
      this.#events.onHello(this);
    }
  };
}

function ignore(): void {}
