/** Decides which connections of strangers are worth a TLS handshake, and when. @module */
import type { Socket } from 'node:net';
import { Refusal, refuse } from '@holdfast/protocol';
import { type Clock, HoldOff, type ReportRefusal, networkOf } from '../kernel/index.ts';
import { Arrival, type ArrivalEvents, type StartTls } from './arrival.ts';
import { type ConnectionLimits, ConnectionTable, connectionLimits } from './connection-table.ts';
import { HandshakeQueue } from './handshake-queue.ts';
import {
  HANDSHAKE_FAILURES_MAX,
  HANDSHAKE_FORGIVE_MS,
  HANDSHAKE_TIMEOUT_MS,
  HANDSHAKE_WAIT_MS,
  HOLD_OFF_FORGET_MS,
  HOLD_OFF_MS,
  HOLD_OFF_MS_MAX,
  HOLD_OFF_NETWORKS_MAX,
} from './limits.ts';
import { MemoryBudget } from './memory-budget.ts';
import { peerAddress } from './peer-socket.ts';
import type { Proxies } from './proxies.ts';

/** What admission needs. */
export interface AdmissionDeps {
  readonly clock: Clock;
  readonly report: ReportRefusal;
  /** Who has to say whom a connection comes from; without it, nobody is believed that. */
  readonly proxies?: Proxies | undefined;
  /** The limits of this process, unless a test has its own. */
  readonly limits?: ConnectionLimits;
  readonly memory?: MemoryBudget;
}

/** How many are at which stage, for the metrics. */
export interface AdmissionCounts {
  /** Connections of all listeners, at whichever stage. */
  readonly connections: number;
  /** Those that have not said anything. */
  readonly silent: number;
  /** Those that wait for the turn of their handshake. */
  readonly waiting: number;
  /** Handshakes in progress. */
  readonly handshakes: number;
  /** Connections that were closed at once because their network is held off, since the start. */
  readonly turnedAway: number;
}

const SWEEP_MS = 1_000;

/**
 * What every connection of every listener passes before its TLS handshake: whether its network is
 * held off, the memory, the number of connections, and its turn. One for the whole process.
 *
 * A network is held off at one listener when its handshakes fail faster than one in half a second
 * and more often than they succeed, by {@link HANDSHAKE_FAILURES_MAX} and by the number of its
 * peers that are connected: one broken device does not lock out the site that it belongs to, and a
 * flood at the broker does not lock anybody out of the API. Silence, a broken handshake and a
 * certificate that is refused count as failures; a peer that is let in counts as a success.
 *
 * From a proxy a connection is counted as the proxy's until its header is there, and from then on
 * as that of the client. A proxy is never held off: all its clients would be.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #report: ReportRefusal;
  readonly #proxies: Proxies | undefined;
  readonly #memory: MemoryBudget;
  readonly #table: ConnectionTable;
  readonly #queue: HandshakeQueue;
  readonly #holdOff: HoldOff;
  /** The oldest first. */
  readonly #silent = new Set<Arrival>();
  /** Connections turned away in the current hold-off, by listener and network. */
  readonly #turnedAway = new Map<string, number>();
  #turnedAwayCount = 0;
  #isSweeping = false;

  constructor({ clock, report, proxies, limits, memory }: AdmissionDeps) {
    this.#clock = clock;
    this.#report = report;
    this.#proxies = proxies;
    this.#memory = memory ?? new MemoryBudget(clock);
    this.#table = new ConnectionTable(limits ?? connectionLimits());
    this.#queue = new HandshakeQueue({ clock });
    this.#holdOff = new HoldOff(clock, {
      failuresMax: HANDSHAKE_FAILURES_MAX,
      forgiveMs: HANDSHAKE_FORGIVE_MS,
      holdMs: HOLD_OFF_MS,
      holdMsMax: HOLD_OFF_MS_MAX,
      forgetMs: HOLD_OFF_FORGET_MS,
      keysMax: HOLD_OFF_NETWORKS_MAX,
    });
  }

  get counts(): AdmissionCounts {
    return {
      connections: this.#table.count,
      silent: this.#silent.size,
      waiting: this.#queue.waitingCount,
      handshakes: this.#queue.runningCount,
      turnedAway: this.#turnedAwayCount,
    };
  }

  /** Whether the address of a connection may be another than that of its socket. */
  get hasProxies(): boolean {
    return this.#proxies !== undefined;
  }

  /** Where the refusals of the listeners go. */
  get report(): ReportRefusal {
    return this.#report;
  }

  /**
   * Takes a connection that was just accepted, or closes it.
   * @param options - `door`: name of the listener; `startTls` is called when its turn has come.
   */
  take(raw: Socket, { door, startTls }: { door: string; startTls: StartTls }): Arrival | undefined {
    this.#queue.noteArrival();
    const address = peerAddress(raw);
    const network = networkOf(address);
    const isFromProxy = this.#proxies?.has(address) === true;
    if (!isFromProxy && this.#isTurnedAway(keyOf({ door, network }))) return reset(raw);
    const refusal = this.#memory.check() ?? this.#enter(network);
    if (refusal !== undefined) {
      this.#report({ refusal, address });
      return reset(raw);
    }
    const acceptedAtMs = this.#clock.monotonicMs();
    const facts = { address, isFromProxy, door, acceptedAtMs };
    const arrival = new Arrival(raw, { ...facts, startTls, events: this.#events });
    this.#silent.add(arrival);
    arrival.read();
    this.#startSweeping();
    return arrival;
  }

  /** The handshake of an arrival is done, and its peer was let in or not. */
  finish(arrival: Arrival, { isAdmitted }: { isAdmitted: boolean }): void {
    this.#queue.leave(arrival);
    if (arrival.stage !== 'handshaking') return;
    if (isAdmitted) {
      arrival.stage = 'admitted';
      this.#table.admit(arrival.network);
      this.#holdOff.succeed(keyOf(arrival));
    } else {
      arrival.stage = 'out';
      this.#fail(arrival);
    }
  }

  readonly #events: ArrivalEvents = {
    onHeader: (arrival, header) => {
      if (header instanceof Refusal) this.#refuse(arrival, header);
      else if (header.client === undefined) arrival.origin = 'proxy';
      else this.#announce(arrival, header.client);
    },
    onHello: (arrival) => {
      this.#silent.delete(arrival);
      this.#queue.add(arrival);
    },
    onNonsense: (arrival, what) => {
      this.#refuse(arrival, refuse('E_WIRE_HANDSHAKE', what));
      this.#fail(arrival);
    },
    onGiveUp: (arrival, why) => {
      if (why === 'waited') {
        const detail = `no turn for its handshake within ${HANDSHAKE_WAIT_MS / 1_000} s`;
        return this.#refuse(arrival, refuse('E_WIRE_BUSY', detail));
      }
      this.#refuse(arrival, refuse('E_WIRE_TIMEOUT', 'a slow handshake, and others wait'));
      this.#fail(arrival);
    },
    onClose: (arrival) => {
      const { stage } = arrival;
      if (stage === 'silent' && arrival.hasPartOfHeader) {
        return this.#refuse(arrival, refuse('E_WIRE_PROXY', 'it ends within its header'));
      }
      this.#leave(arrival);
      // Whoever leaves while he waits for us has not failed.
      if (stage === 'silent' || stage === 'handshaking') this.#fail(arrival);
    },
  };

  #enter(network: string): Refusal | undefined {
    const [oldest] = this.#silent;
    // Whoever has said nothing for longest gives way: silence costs a flood nothing.
    if (this.#table.isFull && oldest !== undefined) this.#timeOut(oldest);
    return this.#table.enter(network);
  }

  /** A proxy has said whom an arrival is from: it is judged as if it came from there. */
  #announce(arrival: Arrival, address: string): void {
    const { door } = arrival;
    const network = networkOf(address);
    const isTurnedAway = this.#isTurnedAway(keyOf({ door, network }));
    const refusal = isTurnedAway ? undefined : this.#table.move(arrival.network, network);
    if (refusal !== undefined) this.#report({ refusal, address });
    if (isTurnedAway || refusal !== undefined) {
      arrival.reset();
      return this.#leave(arrival);
    }
    arrival.origin = 'client';
    arrival.address = address;
    arrival.network = network;
  }

  #refuse(arrival: Arrival, refusal: Refusal): void {
    this.#report({ refusal, address: arrival.address });
    arrival.close();
    this.#leave(arrival);
  }

  #leave(arrival: Arrival): void {
    if (!arrival.isCounted) return;
    arrival.isCounted = false;
    this.#silent.delete(arrival);
    this.#queue.leave(arrival);
    this.#table.leave(arrival.network, { wasAdmitted: arrival.stage === 'admitted' });
  }

  #timeOut(arrival: Arrival): void {
    const isAnnounced = arrival.origin !== 'unannounced';
    const refusal = isAnnounced
      ? refuse('E_WIRE_TIMEOUT', 'not a byte of a handshake')
      : refuse('E_WIRE_PROXY', 'no whole header in time');
    this.#refuse(arrival, refusal);
    this.#fail(arrival);
  }

  #fail(arrival: Arrival): void {
    if (arrival.origin === 'unannounced' || arrival.origin === 'proxy') return;
    const allowance = this.#table.admittedCount(arrival.network);
    const heldMs = this.#holdOff.fail(keyOf(arrival), { allowance });
    if (heldMs > 0) this.#reportHoldOff(arrival, heldMs);
  }

  /** Reports a hold-off at its beginning, and at its end how many it has turned away. */
  #reportHoldOff(arrival: Arrival, heldMs: number): void {
    const { address, door } = arrival;
    const key = keyOf(arrival);
    const seconds = heldMs / 1_000;
    const tell = (what: string): void => {
      this.#report({ refusal: refuse('E_WIRE_HELD_OFF', `${door}: ${what}`), address });
    };
    tell(`held off for ${seconds} s, because too many handshakes failed`);
    this.#turnedAway.set(key, 0);
    this.#clock.after(heldMs, () => {
      const count = this.#turnedAway.get(key) ?? 0;
      this.#turnedAway.delete(key);
      if (count > 0) tell(`${count} connections turned away in ${seconds} s`);
    });
  }

  #isTurnedAway(key: string): boolean {
    if (this.#holdOff.heldMs(key) === 0) return false;
    this.#turnedAwayCount += 1;
    const count = this.#turnedAway.get(key);
    if (count !== undefined) this.#turnedAway.set(key, count + 1);
    return true;
  }

  #startSweeping(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#clock.after(SWEEP_MS, () => {
      this.#isSweeping = false;
      this.#sweep();
    });
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const arrival of this.#silent) {
      if (nowMs - arrival.acceptedAtMs < HANDSHAKE_TIMEOUT_MS) break;
      this.#timeOut(arrival);
    }
    this.#queue.sweep();
    const { silent, waiting, handshakes } = this.counts;
    if (silent + waiting + handshakes > 0) this.#startSweeping();
  }
}

function keyOf({ door, network }: { door: string; network: string }): string {
  return `${door} ${network}`;
}

/** Closes without leaving anything behind on this side. */
function reset(raw: Socket): undefined {
  raw.on('error', () => {});
  raw.resetAndDestroy();
}
