/** The devices and services of a benchmark, with which every broker is measured alike. @module */
import { readFileSync } from 'node:fs';

/** One identity: a device that publishes, or a back-end service that subscribes. */
export interface Member {
  /** Also the common name of its certificate, and its MQTT client id. */
  readonly id: string;
  /** The certificate and its issuer, PEM. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Key id of its payload key, `epoch.generation`. */
  readonly kid: string;
  /** 32 bytes in hexadecimal. */
  readonly payloadKeyHex: string;
}

/** What brokers and load read: one authority, one server identity, many members. */
export interface Fleet {
  /** The trust anchor of the server certificate. */
  readonly anchorPem: string;
  /** Root and issuing authority of the client certificates. */
  readonly clientAnchorsPem: string;
  /** The identity of a broker: its certificate with the issuer, and its key. */
  readonly server: { readonly certificatePem: string; readonly keyPem: string };
  readonly devices: readonly Member[];
  readonly services: readonly Member[];
}

/** How large a fleet is made. */
export interface FleetSize {
  readonly devices: number;
  readonly services: number;
  /** Spreads the devices over four groups, of which `site-1` has the actuators. */
  readonly isMixed?: boolean;
}

/** Reads a fleet that `seed.ts` wrote. */
export function readFleet(path: string): Fleet {
  return JSON.parse(readFileSync(path, 'utf8')) as Fleet;
}
