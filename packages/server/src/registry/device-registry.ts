/** The devices that exist, and what state each is in: in memory, written through. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Clock } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import type { DeviceClassName } from './device-classes.ts';
import {
  type CertificateRecord,
  CertificateSchema,
  type Claim,
  ClaimSchema,
  type Device,
  DeviceSchema,
  type DeviceState,
} from './device-records.ts';

/** The records that one change writes together. */
interface DeviceChange {
  readonly device: Device;
  readonly certificates?: readonly CertificateRecord[];
}

/** Hears of each change to a device or to one of its certificates, after it is on the disk. */
export type DeviceListener = (device: Device) => void;

/** The registry of devices. Reads are look-ups in memory; writes are durable when they return. */
export class DeviceRegistry {
  readonly #store: SealedStore;
  readonly #clock: Clock;
  readonly #deviceRecords: Collection<Device>;
  readonly #certificateRecords: Collection<CertificateRecord>;
  readonly #claimRecords: Collection<Claim>;
  readonly #devices = new Map<string, Device>();
  readonly #certificates = new Map<string, CertificateRecord>();
  /** Fingerprints of the certificates of each device. */
  readonly #fingerprints = new Map<string, Set<string>>();
  readonly #listeners = new Set<DeviceListener>();

  constructor(store: SealedStore, { clock }: { clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
    this.#deviceRecords = store.collection('device', DeviceSchema);
    this.#certificateRecords = store.collection('certificate', CertificateSchema);
    this.#claimRecords = store.collection('claim', ClaimSchema);
    for (const device of this.#deviceRecords.all()) this.#devices.set(device.id, device);
    for (const certificate of this.#certificateRecords.all()) this.#remember(certificate);
  }

  /** Registers a device. Refuses `E_OPERATE_CONFLICT` when the id is taken. */
  add({ id, class: className }: { id: string; class: DeviceClassName }): Device | Refusal {
    if (this.#devices.has(id)) {
      return refuse('E_OPERATE_CONFLICT', `device ${id} exists already; choose another id`);
    }
    return this.#change(() => ({
      device: {
        id,
        class: className,
        state: 'registered',
        stateReason: 'added',
        createdAtMs: this.#clock.nowMs(),
        contentKeyRef: this.#store.keyring.create('device').ref,
        payloadKeyGeneration: 0,
        isPayloadKeyInUse: false,
      },
    }));
  }

  byId(id: string): Device | undefined {
    return this.#devices.get(id);
  }

  /** All devices, in the order of their ids. */
  all(): Device[] {
    return [...this.#devices.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The issued certificate with this SHA-256 fingerprint (lower-case hex). */
  certificate(fingerprint: string): CertificateRecord | undefined {
    return this.#certificates.get(fingerprint);
  }

  /** All certificates issued to a device, oldest first. */
  certificatesOf(deviceId: string): CertificateRecord[] {
    return [...(this.#fingerprints.get(deviceId) ?? [])]
      .map((fingerprint) => this.#certificates.get(fingerprint))
      .filter((certificate) => certificate !== undefined)
      .sort((a, b) => a.notBeforeMs - b.notBeforeMs);
  }

  claimOf(deviceId: string): Claim | undefined {
    return this.#claimRecords.read(deviceId);
  }

  /** Replaces the claim of a device; an earlier one is void from then on. */
  writeClaim(claim: Claim): void {
    this.#claimRecords.write(claim.deviceId, claim);
  }

  /** Changes the state of a device and says why. */
  changeState(device: Device, state: DeviceState, reason: string): Device {
    return this.#publish(
      this.#change(() => ({ device: { ...device, state, stateReason: reason } })),
    );
  }

  /**
   * Revokes a device with all of its certificates and its open claim. Listeners run before this
   * returns, so that its live connections are closed at once. When the disk fails, the revocation
   * holds until the next start all the same, and the failure is thrown.
   */
  revoke(device: Device, reason: string): Device {
    const change: DeviceChange = {
      device: { ...device, state: 'revoked', stateReason: reason },
      certificates: this.#endedCertificates(device.id, 'revoked'),
    };
    try {
      this.#store.transaction(() => {
        this.#claimRecords.remove(device.id);
        this.#persist(change);
      });
    } finally {
      this.#publish(this.#apply(change));
    }
    return change.device;
  }

  /**
   * Records a redeemed claim: the new certificate becomes the current one, earlier ones are
   * superseded, and the payload keys move on by one generation.
   */
  completeEnrollment(
    device: Device,
    issued: { certificate: CertificateRecord; claim: Claim },
  ): Device {
    const claimed = this.#change(() => {
      this.writeClaim(issued.claim);
      return {
        device: {
          ...device,
          state: 'claimed',
          stateReason: 'enrolled with a claim',
          payloadKeyGeneration: device.payloadKeyGeneration + 1,
          isPayloadKeyInUse: false,
        },
        certificates: [...this.#endedCertificates(device.id, 'superseded'), issued.certificate],
      };
    });
    return this.#publish(claimed);
  }

  /** Notes that a message was verified with the current payload key. */
  markPayloadKeyInUse(device: Device): Device {
    return this.#change(() => ({ device: { ...device, isPayloadKeyInUse: true } }));
  }

  /** Calls `listener` after each change of state or certificates, until the returned function is called. */
  onChange(listener: DeviceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #endedCertificates(deviceId: string, status: 'superseded' | 'revoked'): CertificateRecord[] {
    const ended: CertificateRecord[] = [];
    for (const certificate of this.certificatesOf(deviceId)) {
      if (certificate.status !== 'revoked') ended.push({ ...certificate, status });
    }
    return ended;
  }

  /** Memory follows the disk: when the transaction fails, neither has changed. */
  #change(make: () => DeviceChange): Device {
    const change = this.#store.transaction(() => {
      const made = make();
      this.#persist(made);
      return made;
    });
    return this.#apply(change);
  }

  #persist({ device, certificates = [] }: DeviceChange): void {
    this.#deviceRecords.write(device.id, device);
    for (const certificate of certificates) {
      this.#certificateRecords.write(certificate.fingerprint, certificate);
    }
  }

  #apply({ device, certificates = [] }: DeviceChange): Device {
    this.#devices.set(device.id, device);
    for (const certificate of certificates) this.#remember(certificate);
    return device;
  }

  #remember(certificate: CertificateRecord): void {
    const { fingerprint, deviceId } = certificate;
    this.#certificates.set(fingerprint, certificate);
    const fingerprints = this.#fingerprints.get(deviceId);
    if (fingerprints === undefined) this.#fingerprints.set(deviceId, new Set([fingerprint]));
    else fingerprints.add(fingerprint);
  }

  #publish(device: Device): Device {
    for (const listener of this.#listeners) listener(device);
    return device;
  }
}
