/** Sequences of others that we answer differently, and the clause that allows it. @module */

/** By title: the clause, and what we do instead. */
export const DEVIATIONS: ReadonlyMap<string, string> = new Map([
  [
    'PUBLISH.json: v5.0 PUBLISH: PUBLISH with $ topic - uptime',
    'It expects 0x87 because Mosquitto keeps this topic for itself. Topics with "$" are left to the ' +
      'server (MQTT 5 §4.7.2), and this test permits every topic, so ours is PUBREC with 0x00.',
  ],
]);
