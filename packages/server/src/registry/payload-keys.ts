/** The keys with which payloads are signed: derived, never stored. @module */
import { deriveKey } from '../crypto/index.ts';
import type { SecretBytes } from '../kernel/index.ts';
import type { Keyring } from '../persistence/index.ts';
import type { Device } from './device-records.ts';

/** The only epoch so far: a rotation of the tenant's root starts the next one. */
const EPOCH = 1;

/** The two payload keys of a device: each direction has its own, so nothing can be reflected. */
export interface PayloadKeys {
  /** Key id, `epoch.generation`. */
  readonly kid: string;
  /** Signs what the device sends. 32 bytes. */
  readonly payloadKey: SecretBytes;
  /** Signs what is sent to the device. 32 bytes. */
  readonly commandKey: SecretBytes;
}

/** Derives payload keys from the root of the tenant. */
export class PayloadKeySource {
  readonly #root: SecretBytes;
  readonly #tenant: string;

  constructor(keyring: Keyring, { tenant }: { tenant: string }) {
    this.#root = keyring.only(`payload-root-${EPOCH}`).key;
    this.#tenant = tenant;
  }

  /** The keys of a device's current generation. HKDF-SHA256, 2 to 5 µs each. */
  of(device: Device): PayloadKeys {
    const place = `${this.#tenant}/${device.id}/${device.payloadKeyGeneration}`;
    return {
      kid: `${EPOCH}.${device.payloadKeyGeneration}`,
      payloadKey: deriveKey(this.#root, `holdfast/payload-key/v1/from-device/${place}`),
      commandKey: deriveKey(this.#root, `holdfast/payload-key/v1/to-device/${place}`),
    };
  }
}
