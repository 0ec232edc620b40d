/** Who asks, and how often: what stands before every route for devices. @module */
import { type DeviceId, Refusal, parseDeviceId, refuse } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import {
  type IdentifiedDeps,
  NOT_IDENTIFIED,
  type QuarantineDeps,
  identified,
  identifiedInQuarantine,
  subjectOf,
} from '../../enroll/index.ts';
import { type Clock, type ReportRefusal, WindowCounter } from '../../kernel/index.ts';
import type { Device } from '../../registry/index.ts';
import { peerAddress } from '../../wire/index.ts';
import {
  DEVICES_COUNTED_MAX,
  REPORTED_PATH_CHARACTERS_MAX,
  REQUESTS_PER_DEVICE_MAX,
  REQUESTS_WINDOW_MS,
  RETRY_AFTER_S,
} from './limits.ts';

/** The bindings of every route for devices: the socket, and whose it is. */
export interface DeviceEnv {
  Bindings: HttpBindings;
  Variables: { readonly device: DeviceId };
}
export type DeviceContext = Context<DeviceEnv>;

/** What the door needs. */
export interface DeviceDoorDeps extends IdentifiedDeps, Pick<QuarantineDeps, 'quarantined'> {
  readonly gate: IdentifiedDeps['gate'] & QuarantineDeps['gate'];
  readonly clock: Clock;
  readonly report: ReportRefusal;
  /** Hears of each device that comes. */
  readonly onSeen?: ((device: DeviceId) => void) | undefined;
}

/** Lets in devices that show a good certificate, as often as they may come. */
export class DeviceDoor {
  readonly #deps: DeviceDoorDeps;
  readonly #requests: WindowCounter;

  constructor(deps: DeviceDoorDeps) {
    this.#deps = deps;
    const limits = { windowMs: REQUESTS_WINDOW_MS, keysMax: DEVICES_COUNTED_MAX };
    this.#requests = new WindowCounter(deps.clock, limits);
  }

  /** Sets `device`, from the certificate alone; everybody else is told the same and no more. */
  readonly admit: MiddlewareHandler<DeviceEnv> = (c, next) => this.#admit(c, next, false);

  /** As {@link admit}, and devices in quarantine as well: they keep the way to their updates. */
  readonly admitQuarantined: MiddlewareHandler<DeviceEnv> = (c, next) => this.#admit(c, next, true);

  async #admit(
    c: DeviceContext,
    next: () => Promise<void>,
    mayBeQuarantined: boolean,
  ): Promise<Response | void> {
    const { socket } = c.env.incoming;
    const device = await this.#deviceOf(c, mayBeQuarantined);
    if (device instanceof Refusal) {
      const circumstances = { address: peerAddress(socket), topic: topicOf(c) };
      this.#deps.report({ refusal: device, claimed: subjectOf(socket), ...circumstances });
      return c.json(NOT_IDENTIFIED, 401, NEVER_KEPT);
    }
    const id = parseDeviceId(device.id);
    if (id instanceof Refusal) throw new TypeError(`no device id: ${device.id}`);
    c.set('device', id);
    this.#deps.onSeen?.(id);
    const count = this.#requests.add(id);
    if (count <= REQUESTS_PER_DEVICE_MAX) return next();
    const detail = `${count} requests for updates within a minute`;
    const headers = { ...NEVER_KEPT, 'retry-after': String(RETRY_AFTER_S) };
    return this.refused(c, refuse('E_UPDATE_RATE', detail), c.text('Too often.\n', 429, headers));
  }

  async #deviceOf(c: DeviceContext, mayBeQuarantined: boolean): Promise<Device | Refusal> {
    const asked = { socket: c.env.incoming.socket, headers: c.req.raw.headers };
    const device = await identified(asked, this.#deps);
    const isStopped = device instanceof Refusal && device.code === 'E_SESSION_STATE';
    if (!isStopped || !mayBeQuarantined) return device;
    const kept = await identifiedInQuarantine(asked, this.#deps);
    return kept instanceof Refusal ? device : kept;
  }

  /** Reports a refusal and gives the answer, which says nothing of it. */
  refused(c: DeviceContext, refusal: Refusal, answer: Response): Response {
    const principal = c.get('device');
    const address = peerAddress(c.env.incoming.socket);
    this.#deps.report({ refusal, principal, address, topic: topicOf(c) });
    return answer;
  }
}

function topicOf(c: DeviceContext): string {
  return c.req.path.slice(0, REPORTED_PATH_CHARACTERS_MAX);
}

/** Headers of every answer that is for one device. */
export const NEVER_KEPT = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const;
