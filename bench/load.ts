/**
 * The load of a benchmark, in a process of its own: devices that publish signed QoS 1 messages,
 * each with a window of unacknowledged ones. Messages are signed before the clock starts, so that
 * the generator does not measure itself. Started by publish.ts with the job on standard input.
 * @module
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TLSSocket, connect } from 'node:tls';
import { Refusal } from '@holdfast/protocol';
import {
  FrameSplitter,
  decodeFromServer,
  encodeConnect,
  encodePublish,
} from '@holdfast/protocol/mqtt';

/** What to do. */
export interface Job {
  readonly port: number;
  /** Folders of device bundles, each named after its device. */
  readonly bundles: readonly string[];
  readonly messagesPerDevice: number;
  readonly windowCount: number;
}

/** What was done. */
export interface LoadResult {
  readonly acknowledged: number;
  readonly seconds: number;
  /** Processor time of this process, in microseconds. */
  readonly cpuUs: number;
  /** Milliseconds from a publish to its PUBACK. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

class LoadDevice {
  readonly #socket: TLSSocket;
  readonly #frames: readonly Uint8Array[];
  readonly #sentAtMs: Float64Array;
  readonly #latencies: number[];
  readonly #windowCount: number;
  readonly ready: Promise<void>;
  readonly done: Promise<void>;
  #sent = 0;
  #acknowledged = 0;
  #markDone: () => void = () => {};

  constructor(folder: string, job: Job, latencies: number[]) {
    const id = folder.split('/').at(-1) ?? '';
    const file = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const key = Buffer.from(file('payload.key').trim(), 'hex');
    this.#frames = Array.from({ length: job.messagesPerDevice }, (_, n) => message(id, key, n));
    this.#sentAtMs = new Float64Array(job.messagesPerDevice + 1);
    this.#latencies = latencies;
    this.#windowCount = job.windowCount;
    this.#socket = connect({
      host: 'localhost',
      port: job.port,
      ca: file('ca.crt'),
      cert: file('client.crt'),
      key: file('client.key'),
      minVersion: 'TLSv1.3',
    });
    this.#socket.setNoDelay(true);
    this.done = new Promise((resolve) => {
      this.#markDone = resolve;
    });
    this.ready = this.#open(id);
  }

  start(): void {
    this.#fill();
  }

  #open(id: string): Promise<void> {
    const splitter = new FrameSplitter({ packetBytesMax: 1_024 });
    return new Promise((resolve, reject) => {
      this.#socket.on('error', reject);
      this.#socket.on('close', () => reject(new Error(`${id} was disconnected`)));
      this.#socket.on('data', (chunk: Buffer) => {
        splitter.push(chunk);
        while (splitter.next() === true) {
          const { first, buf, start, end } = splitter;
          const packet = decodeFromServer(first, buf, start, end);
          if (packet instanceof Refusal) throw new Error(packet.detail);
          if (packet.type === 'connack') resolve();
          if (packet.type === 'puback') this.#acknowledge(packet.packetId);
        }
        this.#fill();
      });
      this.#socket.write(
        encodeConnect({
          clientId: id,
          cleanSession: true,
          keepAliveS: 60,
          will: undefined,
          userName: undefined,
          password: undefined,
        }),
      );
    });
  }

  #acknowledge(packetId: number): void {
    this.#latencies.push(performance.now() - (this.#sentAtMs[packetId] ?? 0));
    this.#acknowledged += 1;
    if (this.#acknowledged < this.#frames.length) return;
    this.#socket.removeAllListeners('close');
    this.#socket.end();
    this.#markDone();
  }

  #fill(): void {
    while (
      this.#sent < this.#frames.length &&
      this.#sent - this.#acknowledged < this.#windowCount
    ) {
      const frame = this.#frames[this.#sent];
      if (frame === undefined) return;
      this.#sent += 1;
      this.#sentAtMs[this.#sent] = performance.now();
      // Each message in a TLS record of its own, as devices send them.
      this.#socket.write(frame);
    }
  }
}

function message(id: string, key: Uint8Array, n: number): Uint8Array {
  const canonical = `{"ctr": ${n + 1}, "humidity": ${40 + (n % 20)}, "temp": ${20 + (n % 100) / 10}, "unit": "celsius"}`;
  const sig = createHmac('sha256', key).update(canonical).digest('hex');
  const payload = Buffer.from(`${canonical.slice(0, -1)}, "sig": "${sig}"}`);
  return encodePublish(`d/${id}/telemetry`, payload, { qos: 1, packetId: n + 1 });
}

async function run(job: Job): Promise<LoadResult> {
  const latencies: number[] = [];
  const devices = job.bundles.map((folder) => new LoadDevice(folder, job, latencies));
  await Promise.all(devices.map(({ ready }) => ready));
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  for (const device of devices) device.start();
  await Promise.all(devices.map(({ done }) => done));
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return {
    acknowledged: latencies.length,
    seconds,
    cpuUs: user + system,
    latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
  };
}

const job = JSON.parse(readFileSync(0, 'utf8')) as Job;
console.log(JSON.stringify(await run(job)));
