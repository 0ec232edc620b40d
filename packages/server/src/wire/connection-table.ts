/** Counts connections in total and by network, over all listeners. @module */
import { readFileSync } from 'node:fs';
import { type Refusal, refuse } from '@holdfast/protocol';
import { CONNECTIONS_MAX, CONNECTIONS_PER_NETWORK_MAX, DESCRIPTORS_RESERVED } from './limits.ts';

/** How many connections may be open. */
export interface ConnectionLimits {
  readonly total: number;
  readonly perNetwork: number;
}

/** All connections of the process, and how many of them belong to a peer that was let in. */
export class ConnectionTable {
  readonly #limits: ConnectionLimits;
  readonly #byNetwork = new Map<string, { open: number; admitted: number }>();
  #count = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Connections that are open. */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count >= this.#limits.total;
  }

  /** Counts a new connection, or refuses it with `E_WIRE_CONNECTIONS`. */
  enter(network: string): Refusal | undefined {
    const { total, perNetwork } = this.#limits;
    if (this.isFull) return refuse('E_WIRE_CONNECTIONS', `${total} are open`);
    const counts = this.#byNetwork.get(network);
    if (counts === undefined) this.#byNetwork.set(network, { open: 1, admitted: 0 });
    else if (counts.open < perNetwork) counts.open += 1;
    else return refuse('E_WIRE_CONNECTIONS', `${perNetwork} are open from this network`);
    this.#count += 1;
    return undefined;
  }

  /**
   * A counted connection turns out to come from another network. Where that one may have no more,
   * it stays counted as it was, and is refused with `E_WIRE_CONNECTIONS`.
   */
  move(from: string, to: string): Refusal | undefined {
    this.leave(from, { wasAdmitted: false });
    const refusal = this.enter(to);
    if (refusal !== undefined) this.enter(from);
    return refusal;
  }

  /** The peer of a counted connection was let in. */
  admit(network: string): void {
    const counts = this.#byNetwork.get(network);
    if (counts !== undefined) counts.admitted += 1;
  }

  /** Connections of a network whose peers were let in. */
  admittedCount(network: string): number {
    return this.#byNetwork.get(network)?.admitted ?? 0;
  }

  /** A counted connection has ended. */
  leave(network: string, { wasAdmitted }: { wasAdmitted: boolean }): void {
    const counts = this.#byNetwork.get(network);
    if (counts === undefined) return;
    this.#count -= 1;
    counts.open -= 1;
    if (wasAdmitted) counts.admitted -= 1;
    if (counts.open === 0) this.#byNetwork.delete(network);
  }
}

/**
 * The limits of this process.
 * @param processLimits - Text of `/proc/self/limits`; undefined where the system has none.
 */
export function connectionLimits(
  processLimits: string | undefined = readProcessLimits(),
): ConnectionLimits {
  const descriptors = Number(/^Max open files\s+(\d+)/m.exec(processLimits ?? '')?.[1] ?? Infinity);
  // A process that may open very little serves somebody all the same.
  const room = Math.max(descriptors - DESCRIPTORS_RESERVED, Math.floor(descriptors / 2));
  return {
    total: Math.min(CONNECTIONS_MAX, room),
    perNetwork: CONNECTIONS_PER_NETWORK_MAX,
  };
}

function readProcessLimits(): string | undefined {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    // Not Linux.
    return undefined;
  }
}
