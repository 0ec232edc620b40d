/** Lets handshakes begin in order and at a pace that leaves the connected their share. @module */
import type { Clock } from '../kernel/index.ts';
import {
  HANDSHAKES_MAX,
  HANDSHAKES_PER_NETWORK_MAX,
  HANDSHAKE_BURST_MS,
  HANDSHAKE_BURST_MS_MAX,
  HANDSHAKE_PRESSED_MS,
  HANDSHAKE_SHARE,
  HANDSHAKE_WAIT_MS,
} from './limits.ts';

/** A handshake that waits for its turn, or is in progress. */
export interface Handshake {
  /** Those of one network take turns with those of the others. */
  readonly network: string;
  /** Its turn has come. */
  start(): void;
  /** It waited for too long, or it keeps others from theirs for too long. It is out already. */
  giveUp(why: 'waited' | 'stalled'): void;
}

/** What is under the control of a test. */
export interface HandshakeQueueDeps {
  readonly clock: Clock;
  /** Runs a task in a later turn of the event loop, after the input of the others. */
  readonly nextTurn?: (task: () => void) => void;
  /** Runs a task after the consequences of the current one. */
  readonly soon?: (task: () => void) => void;
}

/**
 * The queue of all handshakes of the process. A handshake costs about a millisecond, and nobody has
 * proven anything yet. So there is a limit on how many are in progress, and they are started in
 * short bursts, between which the event loop serves everybody else. Within a network the oldest is
 * first, which is the one whose peer loses its patience next; networks take turns, so that a flood
 * from one of them delays the others by one handshake each.
 */
export class HandshakeQueue {
  readonly #clock: Clock;
  readonly #nextTurn: (task: () => void) => void;
  readonly #soon: (task: () => void) => void;
  /** Who waits, since when; the oldest first. */
  readonly #waiting = new Map<Handshake, number>();
  /** The same by network; the network whose turn is next first. */
  readonly #networks = new Map<string, Set<Handshake>>();
  /** What is in progress, since when; the oldest first. */
  readonly #running = new Map<Handshake, number>();
  readonly #runningByNetwork = new Map<string, number>();
  #isScheduled = false;
  #hasArrival = false;
  #restedSinceMs = 0;

  constructor({ clock, nextTurn, soon }: HandshakeQueueDeps) {
    this.#clock = clock;
    this.#nextTurn = nextTurn ?? ((task) => setImmediate(task));
    this.#soon = soon ?? ((task) => process.nextTick(task));
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Puts a handshake at the end of the line. */
  add(handshake: Handshake): void {
    this.#waiting.set(handshake, this.#clock.monotonicMs());
    const line = this.#networks.get(handshake.network);
    if (line === undefined) this.#networks.set(handshake.network, new Set([handshake]));
    else line.add(handshake);
    this.#schedule();
  }

  /** A handshake has ended, or its peer has gone while it waited. */
  leave(handshake: Handshake): void {
    if (this.#waiting.delete(handshake)) return this.#leaveLine(handshake);
    if (!this.#running.delete(handshake)) return;
    const { network } = handshake;
    const count = (this.#runningByNetwork.get(network) ?? 0) - 1;
    if (count > 0) this.#runningByNetwork.set(network, count);
    else this.#runningByNetwork.delete(network);
    this.#schedule();
  }

  /**
   * Somebody has connected. Node accepts one connection in a turn of the event loop, so turns must
   * stay short while many arrive, or they would be lost in the backlog of the operating system.
   */
  noteArrival(): void {
    this.#hasArrival = true;
  }

  /** Looks at how long everybody takes; called about once a second. */
  sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [handshake, sinceMs] of this.#waiting) {
      if (nowMs - sinceMs < HANDSHAKE_WAIT_MS) break;
      this.leave(handshake);
      handshake.giveUp('waited');
    }
    for (const [handshake, sinceMs] of this.#running) {
      if (nowMs - sinceMs < HANDSHAKE_PRESSED_MS) break;
      if (!this.#isInTheWay(handshake)) continue;
      this.leave(handshake);
      handshake.giveUp('stalled');
    }
  }

  /** Whether somebody waits for the very place that a handshake has. */
  #isInTheWay({ network }: Handshake): boolean {
    if (this.#running.size >= HANDSHAKES_MAX) return this.#waiting.size > 0;
    return this.#isAtLimit(network) && this.#networks.has(network);
  }

  #isAtLimit(network: string): boolean {
    return (this.#runningByNetwork.get(network) ?? 0) >= HANDSHAKES_PER_NETWORK_MAX;
  }

  #leaveLine(handshake: Handshake): void {
    const line = this.#networks.get(handshake.network);
    line?.delete(handshake);
    if (line?.size === 0) this.#networks.delete(handshake.network);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#next() === undefined) return;
    this.#isScheduled = true;
    this.#restedSinceMs = this.#clock.monotonicMs();
    this.#nextTurn(() => this.#turn());
  }

  /** One turn of the event loop: a burst, unless arrivals are to be accepted first. */
  #turn(): void {
    const nowMs = this.#clock.monotonicMs();
    const restMs = nowMs - this.#restedSinceMs;
    const isAccepting = this.#hasArrival && restMs < HANDSHAKE_BURST_MS;
    this.#hasArrival = false;
    if (isAccepting) return this.#nextTurn(() => this.#turn());
    const fairMs = Math.min(HANDSHAKE_BURST_MS_MAX, restMs * HANDSHAKE_SHARE);
    this.#burst(nowMs + Math.max(HANDSHAKE_BURST_MS, fairMs));
  }

  #burst(untilMs: number): void {
    const handshake = this.#next();
    if (handshake === undefined) {
      this.#isScheduled = false;
      return;
    }
    this.#start(handshake);
    // TLS does its work when this returns: what it took is known only afterwards.
    this.#soon(() => {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs < untilMs) return this.#burst(untilMs);
      this.#restedSinceMs = nowMs;
      this.#nextTurn(() => this.#turn());
    });
  }

  /** The handshake whose turn it is, when a place is free for it. */
  #next(): Handshake | undefined {
    if (this.#running.size >= HANDSHAKES_MAX) return undefined;
    for (const [network, line] of this.#networks) {
      if (this.#isAtLimit(network)) continue;
      const [first] = line;
      return first;
    }
    return undefined;
  }

  #start(handshake: Handshake): void {
    const { network } = handshake;
    this.#waiting.delete(handshake);
    this.#leaveLine(handshake);
    const line = this.#networks.get(network);
    if (line !== undefined) {
      this.#networks.delete(network);
      this.#networks.set(network, line);
    }
    this.#running.set(handshake, this.#clock.monotonicMs());
    this.#runningByNetwork.set(network, (this.#runningByNetwork.get(network) ?? 0) + 1);
    handshake.start();
  }
}
