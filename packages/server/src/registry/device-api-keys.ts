/** API keys of devices: what a device shows beside its certificate. @module */
import { createHmac } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import { DEVICE_API_KEY_PREFIX } from '@holdfast/protocol/api';
import { type CancelTimer, type Clock, type RandomBytes, Secret } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import {
  type ApiKeySet,
  ApiKeySetSchema,
  type DeviceApiKey,
  type DeviceVerifiers,
  type KnownVerifier,
  type MadeDeviceApiKey,
} from './device-api-key-records.ts';
import type { Device } from './device-records.ts';
import type { DeviceRegistry } from './device-registry.ts';
import {
  API_KEYS_PER_DEVICE,
  API_KEY_USE_FLUSH_COUNT,
  API_KEY_USE_FLUSH_MS,
  SCRAM_ITERATIONS,
} from './limits.ts';
import { deriveVerifier } from './scram-verifier.ts';

const KEY_BYTES = 32;
const ID_BYTES = 8;
const SALT_BYTES = 16;

/** Hears that a key of this device no longer counts. */
export type ApiKeyListener = (deviceId: string) => void;

/** What the keys need. */
export interface DeviceApiKeysDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly registry: Pick<DeviceRegistry, 'byId' | 'onChange'>;
}

/**
 * The API keys that exist: in memory, written through. A device has at most two: a new key lets the
 * one before it count for an overlap, and ends any older one at once.
 */
export class DeviceApiKeys {
  readonly #deps: DeviceApiKeysDeps;
  readonly #store: SealedStore;
  readonly #records: Collection<ApiKeySet>;
  readonly #sets = new Map<string, ApiKeySet>();
  readonly #listeners = new Set<ApiKeyListener>();
  /** Devices whose removed keys the disk did not let go of yet. */
  readonly #leftovers = new Set<string>();
  /** Devices with a time of last use that is not stored. */
  readonly #used = new Set<string>();
  readonly #decoy: { readonly secret: Uint8Array; readonly known: readonly KnownVerifier[] };
  #cancelFlush: CancelTimer | undefined;

  constructor(store: SealedStore, deps: DeviceApiKeysDeps) {
    this.#deps = deps;
    this.#store = store;
    this.#records = store.collection('device-api-keys', ApiKeySetSchema);
    this.#decoy = makeDecoy(deps.random);
    for (const set of this.#records.all()) {
      this.#sets.set(set.deviceId, set);
      if (isEnded(deps.registry.byId(set.deviceId))) this.#forget(set.deviceId);
    }
    deps.registry.onChange((device) => {
      if (isEnded(device) || this.#leftovers.has(device.id)) this.#forget(device.id);
    });
  }

  /** The keys of a device that count now, oldest first. */
  of(deviceId: string): readonly DeviceApiKey[] {
    return (this.#sets.get(deviceId)?.keys ?? []).filter((key) => this.#isLive(key));
  }

  /** Whether this key of this device counts now. */
  isLive(deviceId: string, keyId: string): boolean {
    const key = this.#sets.get(deviceId)?.keys.find(({ id }) => id === keyId);
    return key !== undefined && this.#isLive(key);
  }

  /** What a key of this device is checked against; as much, and as good as random, without one. */
  verifiersOf(deviceId: string): DeviceVerifiers {
    const set = this.#sets.get(deviceId);
    const known = this.of(deviceId).map(({ id, storedKey, serverKey }) => ({
      keyId: id,
      storedKey: Buffer.from(storedKey, 'base64'),
      serverKey: Buffer.from(serverKey, 'base64'),
    }));
    return {
      salt: set === undefined ? this.#decoySalt(deviceId) : Buffer.from(set.salt, 'base64'),
      iterations: set?.iterations ?? SCRAM_ITERATIONS,
      known: [...known, ...this.#decoy.known].slice(0, API_KEYS_PER_DEVICE),
    };
  }

  /**
   * Makes a key, which counts once it is kept.
   * @param lifeMs - Undefined for a key that ends only when it is replaced or removed.
   */
  async make(
    deviceId: string,
    { lifeMs }: { lifeMs?: number | undefined },
  ): Promise<MadeDeviceApiKey> {
    const { clock, random } = this.#deps;
    const key = DEVICE_API_KEY_PREFIX + Buffer.from(random(KEY_BYTES)).toString('base64url');
    const set = this.#sets.get(deviceId);
    const salt = set?.salt ?? Buffer.from(random(SALT_BYTES)).toString('base64');
    const iterations = set?.iterations ?? SCRAM_ITERATIONS;
    const parameters = { salt: Buffer.from(salt, 'base64'), iterations };
    const { storedKey, serverKey } = await deriveVerifier(key, parameters);
    const createdAtMs = clock.nowMs();
    const record = {
      id: Buffer.from(random(ID_BYTES)).toString('hex'),
      storedKey: Buffer.from(storedKey).toString('base64'),
      serverKey: Buffer.from(serverKey).toString('base64'),
      createdAtMs,
      ...(lifeMs === undefined ? {} : { endsAtMs: createdAtMs + lifeMs }),
    };
    return { deviceId, key: new Secret(key), record, salt };
  }

  /**
   * Keeps a key that was made: it counts from now on. The one before it counts for `overlapMs`
   * more, and any older one no longer. Refuses `E_OPERATE_CONFLICT` when the first key of the device
   * was made at the same time elsewhere.
   */
  keep({ deviceId, record, salt }: MadeDeviceApiKey, overlapMs: number): Refusal | undefined {
    const set = this.#sets.get(deviceId);
    if (set !== undefined && set.salt !== salt) {
      return refuse('E_OPERATE_CONFLICT', `${deviceId} got another key at this moment; ask again.`);
    }
    const iterations = set?.iterations ?? SCRAM_ITERATIONS;
    const before = this.of(deviceId).slice(1 - API_KEYS_PER_DEVICE);
    const endsAtMs = this.#deps.clock.nowMs() + overlapMs;
    const ending = before.map((key) => endingBy(key, endsAtMs));
    this.#write({ deviceId, salt, iterations, keys: [...ending, record] });
    this.#leftovers.delete(deviceId);
    this.#tell(deviceId);
    return undefined;
  }

  /**
   * Ends a key at once, before the disk knows: when that fails, it has ended until the next start.
   * @returns false when the device has no such key.
   */
  remove(deviceId: string, keyId: string): boolean {
    const set = this.#sets.get(deviceId);
    if (set === undefined || !this.isLive(deviceId, keyId)) return false;
    const keys = set.keys.filter(({ id }) => id !== keyId);
    if (keys.length > 0) this.#sets.set(deviceId, { ...set, keys });
    else this.#sets.delete(deviceId);
    try {
      this.#store.transaction(() => this.#persist(deviceId));
    } finally {
      this.#tell(deviceId);
    }
    return true;
  }

  /** Notes that a key was shown. The disk gets to know within a minute. */
  markUsed(deviceId: string, keyId: string): void {
    const set = this.#sets.get(deviceId);
    if (set === undefined) return;
    const usedAtMs = this.#deps.clock.nowMs();
    const keys = set.keys.map((key) => (key.id === keyId ? { ...key, usedAtMs } : key));
    this.#sets.set(deviceId, { ...set, keys });
    this.#used.add(deviceId);
    this.#scheduleFlush();
  }

  /** Calls `listener` when a key stopped counting by an act, until the returned function is called. */
  onChange(listener: ApiKeyListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #isLive({ endsAtMs }: DeviceApiKey): boolean {
    return endsAtMs === undefined || this.#deps.clock.nowMs() < endsAtMs;
  }

  /** The same at each asking, as that of a device with a key. */
  #decoySalt(deviceId: string): Uint8Array {
    const digest = createHmac('sha256', this.#decoy.secret).update(deviceId, 'utf8').digest();
    return digest.subarray(0, SALT_BYTES);
  }

  #write(set: ApiKeySet): void {
    this.#records.write(set.deviceId, set);
    this.#sets.set(set.deviceId, set);
  }

  #persist(deviceId: string): void {
    const set = this.#sets.get(deviceId);
    if (set === undefined) this.#records.remove(deviceId);
    else this.#records.write(deviceId, set);
  }

  /**
   * The device is revoked, and its keys with it: it may come back by a claim, but not with these.
   * A disk that fails is asked again at the next change and at the next start, for the listener of
   * a revocation must not stop it.
   */
  #forget(deviceId: string): void {
    if (!this.#sets.delete(deviceId) && !this.#leftovers.has(deviceId)) return;
    try {
      this.#records.remove(deviceId);
      this.#leftovers.delete(deviceId);
    } catch {
      this.#leftovers.add(deviceId);
    }
  }

  #tell(deviceId: string): void {
    for (const listener of this.#listeners) listener(deviceId);
  }

  #scheduleFlush(): void {
    this.#cancelFlush ??= this.#deps.clock.after(API_KEY_USE_FLUSH_MS, () => {
      this.#cancelFlush = undefined;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#store.isOpen) return;
    const some = [...this.#used].slice(0, API_KEY_USE_FLUSH_COUNT);
    for (const deviceId of some) this.#used.delete(deviceId);
    try {
      this.#store.transaction(() => {
        for (const deviceId of some) this.#persist(deviceId);
      });
    } catch {
      // Nobody depends on it; the next minute tries again.
      for (const deviceId of some) this.#used.add(deviceId);
    }
    if (this.#used.size > 0) this.#scheduleFlush();
  }
}

function endingBy(key: DeviceApiKey, endsAtMs: number): DeviceApiKey {
  return { ...key, endsAtMs: Math.min(endsAtMs, key.endsAtMs ?? Number.POSITIVE_INFINITY) };
}

function isEnded(device: Device | undefined): boolean {
  return device === undefined || device.state === 'revoked' || device.state === 'retired';
}

function makeDecoy(random: RandomBytes): {
  secret: Uint8Array;
  known: readonly KnownVerifier[];
} {
  const known = Array.from({ length: API_KEYS_PER_DEVICE }, () => ({
    keyId: '',
    storedKey: random(KEY_BYTES),
    serverKey: random(KEY_BYTES),
  }));
  return { secret: random(KEY_BYTES), known };
}
