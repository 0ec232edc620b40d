/** How a program connects a device and publishes, and what it is told. @module */
import type { DeviceBundle } from './bundle.ts';
import type { Clock, RandomFraction } from './clock.ts';
import type { DeviceError } from './device-error.ts';
import type { DeviceToken } from './device-key.ts';

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
  /** Draws the delays of reconnects. Default: the system's generator. */
  readonly random?: RandomFraction;
}

/** How to publish a reading. */
export interface PublishOptions {
  /** `telemetry` (default), `telemetry/…`, `state` or `ack/…`: what follows `d/<id>/`. */
  readonly topic?: string;
  /** 1 (default): sent until acknowledged. 0: sent once, and lost with the connection. */
  readonly qos?: 0 | 1;
  /** Whether the server keeps it for later subscribers. Default: only on `state`. */
  readonly retain?: boolean;
}

/** The condition of the connection. */
export type DeviceStatus =
  | { readonly state: 'connecting' }
  | { readonly state: 'online' }
  | { readonly state: 'offline'; readonly error: DeviceError; readonly retryInMs: number }
  | { readonly state: 'closed' };
