/** What `bench/fleet.ts` and the processes that hold its devices say to each other. @module */
import type { Quantiles } from '../load/job.ts';

/** Which devices a process holds, and of which server. */
export interface Crew {
  /** Path of what `seed.ts` wrote. */
  readonly fleet: string;
  readonly port: number;
  /** Places in the fleet, from the first up to, not including, the last. */
  readonly from: number;
  readonly to: number;
  /** Addresses that the devices come from, as if they were behind so many routers. */
  readonly networks: number;
  /** How far below others in priority the process runs. */
  readonly nice: number;
}

/** What a process is told to do; each one is answered when it is done. */
export type Order =
  /** Connect all devices at once, and again and again those that do not get in. */
  | { readonly what: 'connect' }
  /** From now on each device publishes so often, spread evenly; 0 ends it. */
  | { readonly what: 'publish'; readonly everyMs: number }
  /** Report the latencies since the last report. */
  | { readonly what: 'report' }
  /** Cut all connections, as if the network went away. */
  | { readonly what: 'drop' };

/** How it went to connect all devices. */
export interface Connected {
  readonly devices: number;
  readonly resumed: number;
  /** Connections that ended before CONNACK, and were tried again. */
  readonly retries: number;
  /** From the order until a device had its CONNACK. */
  readonly connackMs: Quantiles;
  readonly loadCpuUs: number;
  readonly problems: readonly string[];
}

/** What became of the messages. */
export interface Published {
  readonly acknowledged: number;
  /** Due while the one before was not acknowledged, or while the device was not connected. */
  readonly skipped: number;
  /** From when a message was due until its PUBACK. */
  readonly pubackMs: Quantiles;
  /** How late the load itself was with sending; part of the above. */
  readonly latenessMs: Quantiles;
  /** Devices that lost their connection. */
  readonly lost: number;
}

/** The answer to an order; of another kind than the order asks for, it says nothing. */
export interface Answer {
  readonly connected?: Connected;
  readonly published?: Published;
}
