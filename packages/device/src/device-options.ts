/** How a program connects a device and publishes, and what it is told. @module */
import type { DeviceBundle } from './bundle.ts';
import type { Clock, RandomFraction } from './clock.ts';
import type { DeviceError } from './device-error.ts';
import type { DeviceToken } from './device-key.ts';
import type { StoreKey } from './store/store-key.ts';

/** How to connect. */
export interface ConnectOptions {
  /** The bundle, or the folder that it is in. Only one process may use a bundle at a time. */
  readonly bundle: string | DeviceBundle;
  /** The token that has the keys of the bundle, when a folder is given. Default: its files. */
  readonly token?: DeviceToken | undefined;
  /** Longest silence toward the server, in seconds: 5 to 3,600, default 60. */
  readonly keepAliveS?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /**
   * Keeps QoS 1 messages on the disk, sealed, until the server has them. Default: on. `false`: in
   * memory, at most 1,000, and signed only when they are sent.
   */
  readonly buffer?: BufferOptions | false;
  /** Draws the delays of reconnects. Default: the system's generator. */
  readonly random?: RandomFraction;
}

/** The store of messages that wait for the server: `store` in the folder of the bundle. */
export interface BufferOptions {
  /** Most messages: 1 to 10,000,000, default 100,000. */
  readonly messagesMax?: number;
  /** Most bytes of payload: 65,536 to 2^40, default 64 MiB. The disk needs some percent more. */
  readonly bytesMax?: number;
  /**
   * What makes room beyond: `oldest` (default) drops the oldest reading that is not on its way, and
   * rejects its promise; `newest` lets `publish` reject. Both with `E_DEVICE_QUEUE_FULL`.
   */
  readonly drop?: 'oldest' | 'newest';
  /** What seals it. Default: derived from the payload key, also from one in a token. */
  readonly key?: StoreKey;
}

/** How to publish a reading. */
export interface PublishOptions {
  /** `telemetry` (default), `telemetry/…`, `state` or `ack/…`: what follows `d/<id>/`. */
  readonly topic?: string;
  /** 1 (default): sent until acknowledged. 0: sent once, and lost with the connection. */
  readonly qos?: 0 | 1;
  /** Whether the server keeps it for later subscribers. Default: only on `state`. */
  readonly retain?: boolean;
  /**
   * What the promise waits for. `acknowledged` (default): the server. `stored`: the disk of the
   * device, from which the message is sent whatever happens; only with a buffer and QoS 1.
   */
  readonly until?: 'acknowledged' | 'stored';
}

/** The condition of the connection. */
export type DeviceStatus =
  | { readonly state: 'connecting' }
  | { readonly state: 'online' }
  | { readonly state: 'offline'; readonly error: DeviceError; readonly retryInMs: number }
  | { readonly state: 'closed' };
