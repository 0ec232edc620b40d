/**
 * What a device's own store costs: signs readings and stores them as `publish` does, reads them
 * back, and is done with them.
 * `node bench/device-store.ts [--messages N] [--together N]`; `--together 1` waits for each one.
 */
import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { copyReading, readingSigner } from '../packages/device/src/reading.ts';
import { MessageStore } from '../packages/device/src/store/message-store.ts';
import { StoreKey } from '../packages/device/src/store/store-key.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '50000' },
    together: { type: 'string', default: '100' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const count = Number(values.messages);
const together = Number(values.together);

const folder = mkdtempSync(join(values.folder, 'holdfast-store-'));
const payloadKey = createSecretKey(randomBytes(32));
const key = StoreKey.derive(payloadKey);
const bounds = { messagesMax: count, bytesMax: 2 ** 40, drop: 'oldest' } as const;
const open = (): MessageStore => new MessageStore(join(folder, 'store'), { key, bounds });

try {
  let store = open();
  await measure('sign, seal and store', () => fill(store));
  await store.close();
  const bytes = readdirSync(join(folder, 'store')).reduce(
    (sum, name) => sum + statSync(join(folder, 'store', name)).size,
    0,
  );
  console.log(`${(bytes / count).toFixed(0)} bytes a message on the disk`);
  await measure('open, and check all', () => {
    store = open();
  });
  await measure('read back, and be done with', () => drain(store));
  await store.close();
} finally {
  rmSync(folder, { recursive: true });
}

async function fill(store: MessageStore): Promise<void> {
  const sign = readingSigner(payloadKey);
  let counter = Date.now();
  for (let n = 0; n < count; n += together) {
    const stored: Promise<void>[] = [];
    for (let at = n; at < Math.min(count, n + together); at += 1) {
      const { reading } = copyReading({ temp: 20 + (at % 100) / 10, humidity: 40 + (at % 7), at });
      counter += 1;
      const payload = sign(reading, { ctr: counter, ts: Date.now() });
      stored.push(store.append({ counter, topic: 'd/pump-1/telemetry', retain: false, payload }));
    }
    await Promise.all(stored);
  }
}

function drain(store: MessageStore): void {
  for (let taken = store.take(); taken !== undefined; taken = store.take()) {
    store.done(taken.message.counter);
  }
}

async function measure(what: string, act: () => Promise<void> | void): Promise<void> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await act();
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  const rate = Math.round((count / ms) * 1_000);
  const cost = ((user + system) / count).toFixed(1);
  console.log(`${what}: ${rate} messages/s, ${cost} us of CPU each`);
}
