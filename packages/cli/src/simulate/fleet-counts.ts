/** What a simulated fleet counts of itself. What is refused, only the server can say. @module */

/** The counts of all devices together; each device adds to them. */
export class FleetCounts {
  /** Connected now. */
  connected = 0;
  /** Readings that the server has acknowledged, those below included. */
  acknowledged = 0;
  /** Of these, readings that came from a history or an outage. */
  keptBefore = 0;
  /** Readings that were not sent: this machine was too slow, or too many had no answer yet. */
  passedOver = 0;
  commands = 0;
  reconnects = 0;
  /** Devices that cannot go on, by id, and why. */
  readonly troubles = new Map<string, string>();
}
