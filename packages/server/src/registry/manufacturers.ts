/** Manufacturers whose certificates may enroll devices, and which ones: in memory, written through. @module */
import { X509Certificate } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import { z } from 'zod';
import type { Clock } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import type { Idevid, TrustedManufacturer } from '../pki/index.ts';
import type { Device } from './device-records.ts';
import type { DeviceRegistry } from './device-registry.ts';
import { MANUFACTURERS_MAX } from './limits.ts';

const ManufacturerSchema = z.object({
  name: z.string(),
  /** The authorities, in PEM. */
  certificates: z.array(z.string()),
  addedAtMs: z.int(),
});

const AllowanceSchema = z.object({
  deviceId: z.string(),
  manufacturer: z.string(),
  /** Which serial number: that in the subject, or that of the certificate in hex. */
  kind: z.enum(['serial', 'certificate-serial']),
  serial: z.string(),
  allowedAtMs: z.int(),
  /** Set when it has enrolled: with which public key (SHA-256 of its SPKI), when, what it got. */
  redeemed: z
    .object({ spkiHash: z.string(), atMs: z.int(), certificatePem: z.string() })
    .optional(),
});
/** The one IDevID that may enroll a device, once. */
export type Allowance = Readonly<z.infer<typeof AllowanceSchema>>;
/** Which IDevID is allowed for which device. */
export type AllowedIdevid = Pick<Allowance, 'deviceId' | 'manufacturer' | 'kind' | 'serial'>;

/** A manufacturer that is registered. */
export interface Manufacturer extends TrustedManufacturer {
  readonly addedAtMs: number;
}

/** All manufacturers, and the IDevIDs that are allowed. */
export class Manufacturers {
  readonly #store: SealedStore;
  readonly #clock: Clock;
  readonly #records: Collection<z.infer<typeof ManufacturerSchema>>;
  readonly #allowances: Collection<Allowance>;
  readonly #byName = new Map<string, Manufacturer>();
  readonly #byDevice = new Map<string, Allowance>();
  /** Device ids by what {@link identityOf} makes of an allowance. */
  readonly #deviceIds = new Map<string, string>();

  constructor(store: SealedStore, { clock, registry }: { clock: Clock; registry: DeviceRegistry }) {
    this.#store = store;
    this.#clock = clock;
    this.#records = store.collection('manufacturer', ManufacturerSchema);
    this.#allowances = store.collection('idevid', AllowanceSchema);
    for (const { name, addedAtMs, certificates } of this.#records.all()) {
      const authorities = certificates.map((pem) => new X509Certificate(pem));
      this.#byName.set(name, { name, addedAtMs, certificates: authorities });
    }
    for (const allowance of this.#allowances.all()) {
      if (!hasEnded(registry.byId(allowance.deviceId))) this.#remember(allowance);
    }
    registry.onChange((device) => {
      if (!hasEnded(device)) return;
      try {
        this.disallow(device.id);
      } catch {
        // It is void in memory, and at the next start by the state of the device. A failing disk
        // must not keep the other listeners from closing connections.
      }
    });
  }

  /** In the order of their names. */
  all(): Manufacturer[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Registers a manufacturer. Refuses `E_OPERATE_CONFLICT` for a name that is taken. */
  add({ name, certificates }: TrustedManufacturer): Manufacturer | Refusal {
    if (this.#byName.has(name)) return refuse('E_OPERATE_CONFLICT', `${name} exists already.`);
    if (this.#byName.size >= MANUFACTURERS_MAX) {
      return refuse('E_OPERATE_CONFLICT', `There are ${MANUFACTURERS_MAX} already; remove one.`);
    }
    const added = { name, certificates, addedAtMs: this.#clock.nowMs() };
    const pems = certificates.map((certificate) => certificate.toString());
    this.#records.write(name, { ...added, certificates: pems });
    this.#byName.set(name, added);
    return added;
  }

  /** Removes a manufacturer, with all that was allowed of it. @returns whether there was one. */
  remove(name: string): boolean {
    if (!this.#byName.delete(name)) return false;
    const ids = [...this.#byDevice.values()]
      .filter(({ manufacturer }) => manufacturer === name)
      .map(({ deviceId }) => deviceId);
    for (const id of ids) this.#forget(id);
    this.#store.transaction(() => {
      this.#records.remove(name);
      for (const id of ids) this.#allowances.remove(id);
    });
    return true;
  }

  /** How many devices a manufacturer may enroll, or has enrolled. */
  countOf(name: string): number {
    let count = 0;
    for (const { manufacturer } of this.#byDevice.values()) count += manufacturer === name ? 1 : 0;
    return count;
  }

  /** Why an IDevID cannot be allowed; undefined when it can. */
  whyNotAllow(allowed: AllowedIdevid): Refusal | undefined {
    const { manufacturer, deviceId } = allowed;
    if (!this.#byName.has(manufacturer)) {
      return refuse('E_OPERATE_NOT_FOUND', `There is no manufacturer ${manufacturer}.`);
    }
    const other = this.#deviceIds.get(identityOf(allowed));
    if (other === undefined || other === deviceId) return undefined;
    return refuse('E_OPERATE_CONFLICT', `This serial number is allowed for ${other} already.`);
  }

  /** Allows an IDevID to enroll a device, once; what was allowed for it before is void. */
  allow(allowed: AllowedIdevid): Allowance | Refusal {
    const refusal = this.whyNotAllow(allowed);
    if (refusal !== undefined) return refusal;
    const { deviceId, manufacturer, kind, serial } = allowed;
    const allowedAtMs = this.#clock.nowMs();
    const allowance = { deviceId, manufacturer, kind, serial, allowedAtMs };
    this.#allowances.write(deviceId, allowance);
    this.#forget(deviceId);
    this.#remember(allowance);
    return allowance;
  }

  /** Takes back what is allowed for a device. It holds until the next start when the disk fails. */
  disallow(deviceId: string): void {
    if (!this.#byDevice.has(deviceId)) return;
    this.#forget(deviceId);
    this.#allowances.remove(deviceId);
  }

  allowanceOf(deviceId: string): Allowance | undefined {
    return this.#byDevice.get(deviceId);
  }

  /** Which device an IDevID may enroll; undefined when none, or when it names two. */
  find({ manufacturer, serial, certificateSerial }: Idevid): Allowance | undefined {
    const ids = [
      { manufacturer, kind: 'serial' as const, serial: serial ?? '' },
      { manufacturer, kind: 'certificate-serial' as const, serial: certificateSerial },
    ]
      .map((identity) => this.#deviceIds.get(identityOf(identity)))
      .filter((id) => id !== undefined);
    const [id, other] = ids;
    return other === undefined || other === id ? this.#byDevice.get(id ?? '') : undefined;
  }

  /**
   * Notes that an IDevID has enrolled its device.
   * @returns what to write within the transaction of the enrollment, and what to do after it.
   */
  redemption(
    allowance: Allowance,
    redeemed: NonNullable<Allowance['redeemed']>,
  ): { readonly write: () => void; readonly apply: () => void } {
    const used = { ...allowance, redeemed };
    return {
      write: () => this.#allowances.write(used.deviceId, used),
      apply: () => this.#remember(used),
    };
  }

  #remember(allowance: Allowance): void {
    this.#byDevice.set(allowance.deviceId, allowance);
    this.#deviceIds.set(identityOf(allowance), allowance.deviceId);
  }

  #forget(deviceId: string): void {
    const allowance = this.#byDevice.get(deviceId);
    if (allowance === undefined) return;
    this.#byDevice.delete(deviceId);
    this.#deviceIds.delete(identityOf(allowance));
  }
}

/** No name of a manufacturer holds a line break. */
function identityOf({ manufacturer, kind, serial }: Omit<AllowedIdevid, 'deviceId'>): string {
  return `${manufacturer}\n${kind}\n${serial}`;
}

function hasEnded(device: Device | undefined): boolean {
  return device === undefined || device.state === 'revoked' || device.state === 'retired';
}
