/** A TCP connection from its acceptance to the end of its TLS handshake. @module */
import type { Socket } from 'node:net';
import { Refusal } from '@holdfast/protocol';
import { networkOf } from '../kernel/index.ts';
import type { Handshake } from './handshake-queue.ts';
import { FIRST_BYTES_MAX } from './limits.ts';
import { type ProxyHeader, beginsProxyHeader, parseProxyHeader } from './proxy-header.ts';

/** What an arrival tells as it goes on. */
export interface ArrivalEvents {
  /** A proxy has said whom it is from, or failed to. */
  onHeader(arrival: Arrival, header: ProxyHeader | Refusal): void;
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
  /**
   * Whose address it has: that of its own peer; that of a proxy, which has not said yet whom it is
   * from, or has said that it speaks for itself; or that of a client of a proxy.
   */
  origin: 'peer' | 'unannounced' | 'proxy' | 'client';
  /** Whether it still counts as an open connection. */
  isCounted = true;
  address: string;
  network: string;
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
    options: {
      address: string;
      isFromProxy: boolean;
      door: string;
      acceptedAtMs: number;
      startTls: StartTls;
      events: ArrivalEvents;
    },
  ) {
    this.address = options.address;
    this.network = networkOf(this.address);
    this.origin = options.isFromProxy ? 'unannounced' : 'peer';
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
    this.#raw.on('data', this.origin === 'unannounced' ? this.#hearHeader : this.#hear);
    this.#raw.on('close', () => this.#events.onClose(this));
  }

  /** Whether something has come of a header, but not all. */
  get hasPartOfHeader(): boolean {
    return this.origin === 'unannounced' && this.#chunks.length > 0;
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

  /** Closes the connection without leaving anything behind on this side. */
  reset(): void {
    this.stage = 'out';
    this.#raw.resetAndDestroy();
  }

  readonly #hearHeader = (chunk: Buffer): void => {
    if (this.stage === 'out') return;
    const bytes = Buffer.concat([...this.#chunks, chunk]);
    const header = parseProxyHeader(bytes);
    this.#chunks = header === undefined ? [bytes] : [];
    if (header === undefined) return;
    this.#events.onHeader(this, header);
    if (header instanceof Refusal) return;
    this.#raw.off('data', this.#hearHeader);
    this.#raw.on('data', this.#hear);
    const rest = bytes.subarray(header.byteCount);
    if (rest.length > 0) this.#hear(rest);
  };

  readonly #hear = (chunk: Buffer): void => {
    if (this.stage === 'out') return;
    this.#chunks.push(chunk);
    this.#byteCount += chunk.length;
    const isFirst = this.#chunks.length === 1;
    if (isFirst && chunk[0] !== TLS_HANDSHAKE_RECORD) {
      this.#events.onNonsense(this, nonsense(chunk));
    } else if (this.#byteCount > FIRST_BYTES_MAX) {
      this.#events.onNonsense(this, `more than ${FIRST_BYTES_MAX} bytes before its handshake`);
    } else if (isFirst) {
      this.stage = 'waiting';
      this.#events.onHello(this);
    }
  };
}

function nonsense(bytes: Buffer): string {
  return beginsProxyHeader(bytes)
    ? 'a PROXY header, from an address that is not named by --proxy-from'
    : 'its first byte begins no TLS handshake';
}

function ignore(): void {}
