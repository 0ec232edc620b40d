/** The HTTPS connections of devices, which outlive their requests. @module */
import type { TLSSocket } from 'node:tls';
import { Refusal } from '@holdfast/protocol';
import type { Clock } from '../kernel/index.ts';
import type { DeviceRegistry } from '../registry/index.ts';
import type { AdmittedPeer, Gate } from './gate.ts';
import { SUPERSEDED_GRACE_MS } from './limits.ts';

/** What is needed to close them in time. */
export interface HttpsConnectionsDeps {
  readonly clock: Clock;
  readonly registry: Pick<DeviceRegistry, 'onChange'>;
  readonly gate: Pick<Gate, 'recheck'>;
  /** Decides who a TLS connection is, at each request. */
  readonly identify: (socket: TLSSocket) => AdmittedPeer | Refusal;
}

/**
 * Closes kept-alive connections of a device when it may connect no more. Its requests would be
 * refused anyway, because the gate decides on each one; but nothing of a revoked device stays open.
 */
export class HttpsConnections {
  readonly #deps: HttpsConnectionsDeps;
  readonly #byDevice = new Map<string, Map<TLSSocket, AdmittedPeer>>();

  constructor(deps: HttpsConnectionsDeps) {
    this.#deps = deps;
    deps.registry.onChange(({ id }) => this.#recheck(id));
  }

  /** As the gate's own; remembers the connection of whoever was admitted. */
  readonly identify = (socket: TLSSocket): AdmittedPeer | Refusal => {
    const peer = this.#deps.identify(socket);
    if (!(peer instanceof Refusal)) this.#remember(socket, peer);
    return peer;
  };

  /** An app has lost a right or renewed: what it may not use any more is closed. */
  recheckApp(principal: string): void {
    this.#recheck(principal);
  }

  #remember(socket: TLSSocket, peer: AdmittedPeer): void {
    const { principal } = peer;
    const known = this.#byDevice.get(principal) ?? new Map<TLSSocket, AdmittedPeer>();
    if (known.has(socket) || socket.destroyed) return;
    this.#byDevice.set(principal, known.set(socket, peer));
    socket.once('close', () => {
      known.delete(socket);
      if (known.size === 0 && this.#byDevice.get(principal) === known) {
        this.#byDevice.delete(principal);
      }
    });
  }

  #recheck(deviceId: string): void {
    for (const [socket, peer] of this.#byDevice.get(deviceId) ?? []) {
      const refusal = this.#deps.gate.recheck(peer);
      if (refusal === undefined) continue;
      // Whoever has just enrolled again by its old certificate still waits for the answer.
      if (refusal.code === 'E_SESSION_SUPERSEDED') {
        this.#deps.clock.after(SUPERSEDED_GRACE_MS, () => socket.destroy());
      } else socket.destroy();
    }
  }
}
