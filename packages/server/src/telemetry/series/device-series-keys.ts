/** Which data keys are those of devices. @module */
import type { Keyring } from '../../persistence/index.ts';
import { type DeviceRegistry, contentKeyRefsOf } from '../../registry/index.ts';

/** Finds the data keys of devices by their numbers, as the worker meets them in the log. */
export class DeviceKeys {
  readonly #keyring: Pick<Keyring, 'byRef' | 'isDestroyed'>;
  readonly #refs = new Set<number>();

  constructor({
    registry,
    keyring,
  }: {
    readonly registry: Pick<DeviceRegistry, 'all' | 'onChange'>;
    readonly keyring: Pick<Keyring, 'byRef' | 'isDestroyed'>;
  }) {
    this.#keyring = keyring;
    const note = (device: Parameters<typeof contentKeyRefsOf>[0]): void => {
      for (const ref of contentKeyRefsOf(device)) this.#refs.add(ref);
    };
    for (const device of registry.all()) note(device);
    registry.onChange(note);
  }

  /** Undefined for a key of the server's own, and for one that was destroyed. */
  readonly keyOf = (keyRef: number): Uint8Array | undefined => {
    if (!this.#refs.has(keyRef) || this.#keyring.isDestroyed(keyRef)) return undefined;
    return this.#keyring.byRef(keyRef).key.expose();
  };
}
