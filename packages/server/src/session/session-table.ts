/** All live MQTT connections: take-over, time-outs, and the registry's word carried out. @module */
import type { TLSSocket } from 'node:tls';
import type { CancelTimer, Clock, RefusalReport } from '../kernel/index.ts';
import type { DeviceRegistry } from '../registry/index.ts';
import { MqttConnection } from './connection.ts';
import type { AdmittedPeer, Gate } from './gate.ts';
import type { OpenHandler } from './handler.ts';
import { SWEEP_INTERVAL_MS } from './limits.ts';
import { FlushScheduler } from './write-batch.ts';

/** What the table needs. */
export interface SessionTableDeps {
  readonly clock: Clock;
  readonly registry: DeviceRegistry;
  readonly gate: Gate;
  readonly openHandler: OpenHandler;
  readonly report: (report: RefusalReport) => void;
}

/** The connections of the broker. */
export class SessionTable {
  readonly #deps: SessionTableDeps;
  readonly #scheduler = new FlushScheduler();
  readonly #all = new Set<MqttConnection>();
  readonly #open = new Map<string, MqttConnection>();
  readonly #stopWatching: () => void;
  #cancelSweep: CancelTimer = () => {};
  #isPressed = false;

  constructor(deps: SessionTableDeps) {
    this.#deps = deps;
    this.#stopWatching = deps.registry.onChange((device) => this.#recheck(device.id));
    this.#scheduleSweep();
  }

  /** Connections, from the handshake on. */
  get count(): number {
    return this.#all.size;
  }

  /** Whether a device is connected now. */
  isConnected(deviceId: string): boolean {
    return this.#open.has(deviceId);
  }

  /** Takes a connection of an admitted peer. */
  add(peer: AdmittedPeer, socket: TLSSocket): void {
    const connection = new MqttConnection(peer, socket, {
      clock: this.#deps.clock,
      scheduler: this.#scheduler,
      openHandler: this.#deps.openHandler,
      report: this.#deps.report,
      onOpen: (opened) => this.#takeOver(opened),
      onClose: (closed) => this.#forget(closed),
    });
    connection.setPressed(this.#isPressed);
    this.#all.add(connection);
  }

  /** Pauses or resumes reading from all peers. */
  setPressed(isPressed: boolean): void {
    this.#isPressed = isPressed;
    for (const connection of this.#all) connection.setPressed(isPressed);
  }

  /** Closes every connection. */
  close(): void {
    this.#cancelSweep();
    this.#stopWatching();
    for (const connection of this.#all) connection.close();
  }

  /** A newer connection of a device ends the older one. [MQTT-3.1.4-2] */
  #takeOver(connection: MqttConnection): void {
    const { deviceId } = connection.peer;
    const older = this.#open.get(deviceId);
    this.#open.set(deviceId, connection);
    older?.close();
  }

  #forget(connection: MqttConnection): void {
    this.#all.delete(connection);
    const { deviceId } = connection.peer;
    if (this.#open.get(deviceId) === connection) this.#open.delete(deviceId);
  }

  /** The registry changed its mind about a device: its connections obey at once. */
  #recheck(deviceId: string): void {
    for (const connection of this.#all) {
      if (connection.peer.deviceId !== deviceId) continue;
      const refusal = this.#deps.gate.recheck(connection.peer);
      if (refusal !== undefined) connection.expel(refusal);
    }
  }

  #scheduleSweep(): void {
    const { clock } = this.#deps;
    this.#cancelSweep = clock.after(SWEEP_INTERVAL_MS, () => {
      const now = { monotonicMs: clock.monotonicMs(), nowMs: clock.nowMs() };
      for (const connection of this.#all) connection.sweep(now);
      this.#scheduleSweep();
    });
  }
}
