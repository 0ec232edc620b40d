/** What a signed JSON payload may cost its receiver. @module */

/** The limits that {@link SIGNED_JSON_LIMITS} sets by default. */
export interface SignedJsonLimits {
  readonly bytesMax: number;
  readonly depthMax: number;
  readonly timeBytesMax: number;
}

/** Limits of signed JSON payloads, each with its unit and its reason. */
export const SIGNED_JSON_LIMITS = {
  /** Bytes of payload. Telemetry takes hundreds; whoever sends more wants an upload, not MQTT. */
  bytesMax: 65_536,
  /** Objects and arrays inside one another, the outermost counted. The scanner recurses so far. */
  depthMax: 32,
  /** Bytes of the value of "ts". RFC 3339 with nanoseconds takes 37, the longest float 24. */
  timeBytesMax: 64,
} as const satisfies SignedJsonLimits;
