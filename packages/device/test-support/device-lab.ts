/** A device, its broker and its enrollment listener; time and chance belong to the test. @module */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Bundle } from '../src/bundle.ts';
import type { BufferOptions, DeviceStatus } from '../src/device-options.ts';
import type { UpkeepEvent } from '../src/device-upkeep.ts';
import { type Device, connect } from '../src/device.ts';
import { type EstScript, type EstServer, startEst } from './est-server.ts';
import { type BrokerScript, type ScriptedBroker, startBroker } from './scripted-broker.ts';
import { testFolder, writeTestBundle } from './test-bundle.ts';
import type { TestPki } from './test-pki.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A device that renews. */
export interface DeviceLab {
  readonly broker: ScriptedBroker;
  readonly est: EstServer;
  readonly bundle: Bundle;
  readonly clock: VirtualClock;
  readonly device: Device;
  readonly events: UpkeepEvent[];
  /** Resolves with the next status of this kind. */
  readonly next: (state: DeviceStatus['state']) => Promise<DeviceStatus>;
  /** Resolves with the first event of this type, now or later. */
  readonly event: <T extends UpkeepEvent['type']>(type: T) => Promise<UpkeepEvent & { type: T }>;
  /** Fingerprint of the certificate of each connection to the broker. */
  readonly shown: () => (string | undefined)[];
}

/** What a test wants of its lab. */
export interface DeviceLabOptions {
  readonly broker?: BrokerScript;
  readonly est?: EstScript;
  readonly apiKey?: string;
  readonly notAfterMs?: number;
  readonly random?: () => number;
  /** Default: none. */
  readonly buffer?: BufferOptions | false;
}

/** Starts everything; the device connects at once. */
export async function deviceLab(
  t: TestContext,
  pki: TestPki,
  options: DeviceLabOptions = {},
): Promise<DeviceLab> {
  const { broker: brokerScript = {}, est: estScript = {}, apiKey, notAfterMs } = options;
  const broker = await startBroker(t, pki, brokerScript);
  const est = await startEst(t, pki, estScript);
  const bundle = writeTestBundle(join(testFolder(t), 'bundle'), {
    pki,
    port: broker.port,
    enrollmentPort: est.port,
    ...(apiKey !== undefined && { apiKey }),
    ...(notAfterMs !== undefined && { notAfterMs }),
  });
  const clock = new VirtualClock();
  // So long that no ping falls due while a test moves the clock on.
  const keepAliveS = 3_600;
  const random = options.random ?? (() => 0.5);
  const device = connect({ bundle, clock, keepAliveS, random, buffer: options.buffer ?? false });
  t.after(() => device.close());
  const events: UpkeepEvent[] = [];
  device.onUpkeep((event) => events.push(event));
  return {
    broker,
    est,
    bundle,
    clock,
    device,
    events,
    next: (state) =>
      new Promise((resolve) => {
        device.onStatus((status) => {
          if (status.state === state) resolve(status);
        });
      }),
    event: (type) =>
      new Promise((resolve) => {
        const look = (event: UpkeepEvent): void => {
          if (event.type === type) resolve(event as UpkeepEvent & { type: typeof type });
        };
        events.forEach(look);
        device.onUpkeep(look);
      }),
    shown: () => broker.connections.map(({ fingerprint }) => fingerprint),
  };
}
