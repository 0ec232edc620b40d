/** Clients that outlive the server: they come back by themselves, and nothing is sent in vain. @module */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Bundle } from '@holdfast/device';
import { DEBIAN_PYTHON, collect, signedPayload } from '@holdfast/testkit';
import { type MqttClient, Store, connect } from 'mqtt';

/** How soon a client tries again. */
const RECONNECT_MS = 50;
/**
 * Messages of {@link Publisher} without their acknowledgement. After each kill MQTT.js sends them
 * again one by one, each when the one before it is acknowledged, and only then new ones.
 */
const IN_FLIGHT = 20;
/** How far its subscriber may be behind it: well below what the queue of a session holds. */
const BEHIND_MAX = 400;
const TICK_MS = 5;

/** A flood of one QoS by paho-python, as fast as it is acknowledged. */
export interface Flood {
  readonly bundle: Bundle;
  /** Counters that were acknowledged. */
  readonly acknowledged: () => readonly number[];
  readonly stop: () => Promise<void>;
}

/** Topic on which a flood publishes this counter, if that is a retained message. */
export function retainedTopic({ device }: Bundle, counter: number): string | undefined {
  return counter % 20 === 0 ? `d/${device}/telemetry/last/${(counter / 20) % 5}` : undefined;
}

/** Starts a flood. */
export function startFlood(t: TestContext, bundle: Bundle, qos: 1 | 2): Flood {
  const { folder, broker, device } = bundle;
  const script = join(import.meta.dirname, 'load.py');
  const args = ['-u', script, folder, String(broker.port), device, String(qos)];
  const child = spawn(DEBIAN_PYTHON, args);
  const output = collect(child);
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
  });
  const stop = (): Promise<void> => {
    child.kill('SIGKILL');
    return ended;
  };
  t.after(stop);
  // Hundreds of thousands of lines, which somebody looks at fifty times a second.
  const acknowledged: number[] = [];
  let read = 0;
  return {
    bundle,
    acknowledged: () => {
      if (child.exitCode !== null) throw new Error(`the load ended: ${output.stderr}`);
      const end = output.stdout.lastIndexOf('\n') + 1;
      const lines = output.stdout.slice(read, Math.max(read, end - 1)).split('\n');
      if (end > read) for (const line of lines) acknowledged.push(Number(line));
      read = end;
      return acknowledged;
    },
    stop,
  };
}

/** A message as a subscriber got it. */
export interface HeardCounter {
  readonly counter: number;
  readonly qos: number;
}

/** MQTT.js with a session that outlives its connections. */
export function openLasting(t: TestContext, bundle: Bundle): MqttClient {
  const client = connect(`mqtts://localhost:${bundle.broker.port}`, {
    clientId: bundle.device,
    protocolVersion: 5,
    clean: false,
    properties: { sessionExpiryInterval: 3_600 },
    reconnectPeriod: RECONNECT_MS,
    // Also after a refusal: a server that just started may be too busy to hear its CONNECT in time.
    reconnectOnConnackError: true,
    // A PUBREL may come while it says goodbye, and MQTT.js throws where it has no store any more.
    incomingStore: new Store({ clean: false }),
    ca: bundle.anchorPem,
    cert: bundle.certificatePem,
    key: bundle.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  });
  // A server that is gone is what this is about.
  client.on('error', () => {});
  t.after(() => client.end(true));
  return client;
}

/** How long a client hears nothing before it may go. */
const QUIET_MS = 500;

/**
 * Ends a client once nothing comes any more: MQTT.js throws when a PUBREL comes while it closes its
 * store.
 */
export async function endQuietly(client: MqttClient): Promise<void> {
  await new Promise<void>((resolve) => {
    let timer = setTimeout(resolve, QUIET_MS);
    client.on('packetreceive', () => {
      clearTimeout(timer);
      timer = setTimeout(resolve, QUIET_MS);
    });
  });
  await client.endAsync();
}

/** Notes what a client hears, from now on. */
export function hearCounters(client: MqttClient): HeardCounter[] {
  const heard: HeardCounter[] = [];
  client.on('message', (_topic, payload, { qos }) => {
    const { ctr: counter } = JSON.parse(payload.toString()) as { ctr: number };
    heard.push({ counter, qos });
  });
  return heard;
}

/**
 * Publishes by turns with QoS 1 and 2, never far ahead of its subscriber. Odd counters have QoS 1,
 * even ones QoS 2.
 */
export class Publisher {
  readonly acknowledged = new Set<number>();
  /** Counters of messages on the topic `kept`, acknowledged or not. */
  readonly kept = new Set<number>();
  readonly #bundle: Bundle;
  readonly #client: MqttClient;
  readonly #heard: readonly HeardCounter[];
  readonly #timer: NodeJS.Timeout;
  #counter = 0;
  #waiting = 0;
  #keptMax = 0;

  constructor(t: TestContext, bundle: Bundle, heard: readonly HeardCounter[]) {
    this.#bundle = bundle;
    this.#client = openLasting(t, bundle);
    this.#heard = heard;
    this.#timer = setInterval(() => this.#publishSome(), TICK_MS);
    t.after(() => this.stop());
  }

  /** Lets so many more messages go to the topic `kept`, every fifth message there is. */
  keepMore(count: number): void {
    this.#keptMax += count;
  }

  /** Publishes nothing more; what is on its way goes on. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Whether all that was published is acknowledged. */
  get isDone(): boolean {
    return this.#waiting === 0;
  }

  #publishSome(): void {
    const isFree = (): boolean =>
      this.#waiting < IN_FLIGHT && this.#counter - this.#heard.length < BEHIND_MAX;
    while (this.#client.connected && isFree()) this.#publish();
  }

  #publish(): void {
    this.#counter += 1;
    const counter = this.#counter;
    const isKept = counter % 5 === 0 && this.kept.size < this.#keptMax;
    if (isKept) this.kept.add(counter);
    const topic = `d/${this.#bundle.device}/telemetry/${isKept ? 'kept' : 'live'}`;
    const payload = signedPayload(this.#bundle, { ctr: counter, ts: Date.now() });
    this.#waiting += 1;
    this.#client.publish(topic, payload, { qos: counter % 2 === 0 ? 2 : 1 }, (error) => {
      this.#waiting -= 1;
      if (!error) this.acknowledged.add(counter);
    });
  }
}
