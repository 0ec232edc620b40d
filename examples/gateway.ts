/**
 * A gateway: publishes what it reads from its standard input, one JSON object on each line with
 * `topic` and `payload`, as `mosquitto_sub -F %J` prints it. Each topic becomes a channel.
 *
 *     mosquitto_sub -h 192.168.1.2 -t 'sensors/#' -F %J | node examples/gateway.ts ./gateway-1
 * @module
 */
import { createInterface } from 'node:readline';
import { connect } from '@holdfast/device';

/** A line that can be published; undefined for any other. */
function readLine(line: string): { topic: string; reading: Record<string, unknown> } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { topic, payload } = value as { topic?: unknown; payload?: unknown };
  if (typeof topic !== 'string' || !/^[\w.-]+(?:\/[\w.-]+)*$/u.test(topic)) return undefined;
  const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
  return { topic, reading: isObject ? { ...payload } : { value: payload ?? null } };
}

const device = connect({ bundle: process.argv[2] ?? './gateway-1' });
device.onStatus((status) => {
  if (status.state === 'offline') console.error(`offline: ${status.error.message}`);
});

let count = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const read = readLine(line);
  if (read === undefined) {
    console.error(`passed over: ${JSON.stringify(line.slice(0, 80))}`);
    continue;
  }
  // On this disk it is safe: an outage or a crash loses nothing of it.
  await device.publish(read.reading, { topic: `telemetry/${read.topic}`, until: 'stored' });
  count += 1;
}
await device.delivered();
console.log(`${count} readings are durable on the server`);
await device.close();
