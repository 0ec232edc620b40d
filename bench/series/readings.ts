/** Generated readings: a fleet over a year, as it would have sent them. @module */
import { createHmac } from 'node:crypto';
import type { Entry } from '@holdfast/protocol';

export const YEAR_MS = 365 * 86_400_000;
export const END_MS: number = Date.UTC(2026, 10, 1);
/** Readings of one message. */
export const PER_MESSAGE = 3;
/** How often the device sends whose week and year are asked for; the others share the rest. */
const FOCUS_INTERVAL_MS = 300_000;
const PAYLOAD_KEY = Buffer.alloc(32, 7);

/** A message of a device, and its device's number from 1 on; 1 is the one that is asked for. */
export interface Message {
  readonly device: number;
  readonly entry: Entry;
}

/** What a fleet of a size sends in a year, in the order of time. */
export function* messages(readings: number, devices: number): Generator<Message> {
  const total = Math.floor(readings / PER_MESSAGE);
  const ofFocus = Math.min(Math.floor(YEAR_MS / FOCUS_INTERVAL_MS), Math.floor(total / 2));
  const others = total - ofFocus;
  const startMs = END_MS - YEAR_MS;
  let focus = 0;
  for (let other = 0; other < others; other += 1) {
    for (; focus * others < other * ofFocus; focus += 1) {
      yield message(1, focus, startMs + Math.floor((focus * YEAR_MS) / ofFocus));
    }
    const device = 2 + (other % (devices - 1));
    yield message(device, other, startMs + Math.floor((other * YEAR_MS) / others));
  }
}

/** Signed JSON as a thermometer sends it: about 190 bytes. */
function message(device: number, n: number, timeMs: number): Message {
  const hour = timeMs / 3_600_000;
  const noise = ((n * 2_654_435_761) >>> 16) / 65_536;
  const temperature = 20 + 5 * Math.sin(hour / 3.8) + device / 1_000 + noise;
  const values =
    `"battery": ${(3.7 - (hour % 1_000) / 5_000).toFixed(3)}, "ctr": ${timeMs}, ` +
    `"humidity": ${(45 + 10 * Math.cos(hour / 5) + 2 * noise).toFixed(1)}, `;
  const rest = `"temperature": ${temperature.toFixed(2)}, "ts": ${timeMs}`;
  const sig = createHmac('sha256', PAYLOAD_KEY).update(`{${values}${rest}}`).digest('hex');
  const principal = `thermometer-${device}`;
  const topic = `d/${principal}/telemetry`;
  const body = Buffer.from(`{${values}"sig": "${sig}", ${rest}}`);
  return {
    device,
    entry: { kind: 'message', atMs: timeMs + 40, principal, topic, kid: '1.1', body },
  };
}
