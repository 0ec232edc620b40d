/** The devices that exist, and what state each is in: in memory, written through. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import type { Clock } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import { CertificateIndex } from './certificate-index.ts';
import type { DeviceClassName } from './device-classes.ts';
import { DeviceColumns } from './device-columns.ts';
import {
  type BootProof,
  type CertificateRecord,
  CertificateSchema,
  type Claim,
  ClaimSchema,
  type Device,
  DeviceSchema,
  contentKeyRefsOf,
} from './device-records.ts';
import { LIFE_CYCLE, type StateChange, changed } from './life-cycle.ts';
import { CERTIFICATES_PRUNED_MAX, CERTIFICATE_KEPT_MS } from './limits.ts';

/** The records that one change writes together. */
interface DeviceChange {
  readonly device: Device;
  readonly certificates?: readonly CertificateRecord[];
}

/** A device that is to be registered. */
export interface NewDevice {
  readonly id: string;
  readonly class: DeviceClassName;
  /** None, when it is left out. */
  readonly group?: string | undefined;
  /** Principal that adds it; `server`, when it is left out. */
  readonly by?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** What became of a change of many states. */
export interface StateChanges {
  readonly done: readonly { readonly before: Device; readonly after: Device }[];
  readonly refused: readonly { readonly id: string; readonly refusal: Refusal }[];
}

/** Hears of each change to a device or to one of its certificates, after it is on the disk. */
export type DeviceListener = (device: Device) => void;

/** The registry of devices. Reads are look-ups in memory; writes are durable when they return. */
export class DeviceRegistry {
  /** All devices in columns, for those who look through all of them. */
  readonly columns: DeviceColumns;
  readonly #store: SealedStore;
  readonly #clock: Clock;
  readonly #deviceRecords: Collection<Device>;
  readonly #certificateRecords: Collection<CertificateRecord>;
  readonly #claimRecords: Collection<Claim>;
  readonly #devices = new Map<string, Device>();
  readonly #certificates = new CertificateIndex();
  readonly #listeners = new Set<DeviceListener>();

  constructor(store: SealedStore, { clock }: { clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
    this.#deviceRecords = store.collection('device', DeviceSchema);
    this.#certificateRecords = store.collection('certificate', CertificateSchema);
    this.#claimRecords = store.collection('claim', ClaimSchema);
    for (const device of this.#deviceRecords.all()) this.#devices.set(device.id, device);
    this.columns = new DeviceColumns(this.#devices.values());
    for (const certificate of this.#certificateRecords.all()) this.#certificates.set(certificate);
  }

  /** Registers a device. Refuses `E_OPERATE_CONFLICT` when the id is taken. */
  add(device: NewDevice): Device | Refusal {
    if (this.#devices.has(device.id)) return taken(device.id);
    return this.#change(() => ({ device: this.#made(device) }));
  }

  /**
   * Registers many devices with their claims, and gives claims to devices that are there, all in
   * one transaction.
   * @returns the new devices, or `E_OPERATE_CONFLICT` when an id is taken.
   */
  addMany(devices: readonly NewDevice[], claims: readonly Claim[]): Device[] | Refusal {
    const conflict = devices.find(({ id }) => this.#devices.has(id));
    if (conflict !== undefined) return taken(conflict.id);
    const made = this.#store.transaction(() => {
      for (const claim of claims) this.writeClaim(claim);
      return devices.map((device) => {
        const change = { device: this.#made(device) };
        this.#persist(change);
        return change;
      });
    });
    return made.map((change) => this.#apply(change));
  }

  byId(id: string): Device | undefined {
    return this.#devices.get(id);
  }

  /** All devices, in the order of their ids. */
  all(): Device[] {
    return [...this.after('')];
  }

  /** The devices whose ids come after this one, in the order of their ids. */
  after(id: string): Generator<Device> {
    return this.columns.after(id);
  }

  /** The issued certificate with this SHA-256 fingerprint (lower-case hex). */
  certificate(fingerprint: string): CertificateRecord | undefined {
    return this.#certificates.byFingerprint(fingerprint);
  }

  /** The issued certificate with this serial number (lower-case hex). */
  certificateBySerial(serial: string): CertificateRecord | undefined {
    return this.#certificates.bySerial(serial);
  }

  /** All issued certificates, in no particular order. */
  certificates(): Iterable<CertificateRecord> {
    return this.#certificates.all();
  }

  /** All certificates issued to a device, oldest first. */
  certificatesOf(deviceId: string): CertificateRecord[] {
    return this.#certificates.ofDevice(deviceId);
  }

  claimOf(deviceId: string): Claim | undefined {
    return this.#claimRecords.read(deviceId);
  }

  /** Replaces the claim of a device; an earlier one is void from then on. */
  writeClaim(claim: Claim): void {
    this.#claimRecords.write(claim.deviceId, claim);
  }

  /**
   * Changes the state of a device; see {@link changeStates}.
   * @returns the device, or `E_OPERATE_CONFLICT` when its state does not allow it.
   */
  changeState(id: string, change: StateChange): Device | Refusal {
    const { done, refused } = this.changeStates([id], change);
    return done[0]?.after ?? refused[0]?.refusal ?? absent(id);
  }

  /**
   * Changes the states of many devices in one transaction, where the life cycle allows it. What
   * ends the access ends certificates and open claims, too. Listeners run before this returns, so
   * that live connections are closed at once. When the disk fails, what takes something away holds
   * until the next start all the same, and the failure is thrown.
   */
  changeStates(ids: readonly string[], change: StateChange): StateChanges {
    const { endsAccess, takesAway } = LIFE_CYCLE[change.act];
    const { done, refused } = this.judgeStates(ids, change);
    const changes = done.map(({ after }): DeviceChange => {
      if (endsAccess !== true) return { device: after };
      return {
        device: after,
        certificates: this.#endedCertificates(after.id, 'revoked', change.reason),
      };
    });
    let isStored = false;
    try {
      this.#store.transaction(() => {
        for (const one of changes) {
          if (endsAccess === true) this.#claimRecords.remove(one.device.id);
          this.#persist(one);
        }
      });
      isStored = true;
    } finally {
      if (isStored || takesAway === true) {
        for (const one of changes) this.#apply(one);
        for (const { device } of changes) this.#publish(device);
      }
    }
    return { done, refused };
  }

  /** What {@link changeStates} would do, without doing it. */
  judgeStates(ids: readonly string[], change: StateChange): StateChanges {
    const done: { before: Device; after: Device }[] = [];
    const refused: { id: string; refusal: Refusal }[] = [];
    const nowMs = this.#clock.nowMs();
    for (const id of new Set(ids)) {
      const before = this.#devices.get(id);
      const after = before === undefined ? absent(id) : changed(before, change, nowMs);
      if (after instanceof Refusal) refused.push({ id, refusal: after });
      else if (before !== undefined) done.push({ before, after });
    }
    return { done, refused };
  }

  /**
   * Gives devices new data keys for what they send from now on, all in one transaction; those
   * before only open. Listeners run before this returns.
   */
  renewContentKeys(ids: readonly string[]): Device[] {
    const { keyring } = this.#store;
    const changes = this.#store.transaction(() =>
      ids.flatMap((id): DeviceChange[] => {
        const device = this.#devices.get(id);
        if (device === undefined) return [];
        const { ref: contentKeyRef } = keyring.create('device');
        keyring.retire(device.contentKeyRef);
        const formerContentKeyRefs = contentKeyRefsOf(device);
        const change = { device: { ...device, contentKeyRef, formerContentKeyRefs } };
        this.#persist(change);
        return [change];
      }),
    );
    const renewed = changes.map((change) => this.#apply(change));
    for (const device of renewed) this.#publish(device);
    return renewed;
  }

  /**
   * Destroys the data keys of what a device has sent, so that nobody can read it any more, and
   * makes a new one.
   * @param seenUpTo - The highest counter of its messages so far.
   */
  eraseContent(id: string, seenUpTo: number): Device | undefined {
    const device = this.#devices.get(id);
    if (device === undefined) return undefined;
    const { keyring } = this.#store;
    const seenCounters = { generation: device.payloadKeyGeneration, upTo: seenUpTo };
    const facts = { formerContentKeyRefs: [], seenCounters, erasedAtMs: this.#clock.nowMs() };
    const erased = this.#change(() => {
      const { ref: contentKeyRef } = keyring.create('device');
      for (const ref of contentKeyRefsOf(device)) keyring.destroy(ref);
      return { device: { ...device, contentKeyRef, ...facts } };
    });
    this.#store.scrub();
    return this.#publish(erased);
  }

  /** Announces a device of which something has changed that is kept elsewhere: who has it. */
  announce(id: string): void {
    const device = this.#devices.get(id);
    // Another object: what was decided of the one before it is void.
    if (device !== undefined) this.#publish(this.#apply({ device: { ...device } }));
  }

  /** Notes whether a device has proven its boot; undefined: no TPM is bound to it any more. */
  setBoot(id: string, boot: BootProof | undefined): void {
    const device = this.#devices.get(id);
    if (device === undefined || device.boot === boot) return;
    const { boot: _before, ...rest } = device;
    const changed = { ...rest, ...(boot !== undefined && { boot }) };
    this.#publish(this.#change(() => ({ device: changed })));
  }

  /** Puts devices into a group, all in one transaction. Those that are not there are left out. */
  setGroup(ids: readonly string[], group: string): Device[] {
    const moved = [...new Set(ids)].flatMap((id) => {
      const device = this.#devices.get(id);
      return device === undefined ? [] : [{ ...device, group }];
    });
    this.#store.transaction(() => {
      for (const device of moved) this.#persist({ device });
    });
    for (const device of moved) this.#apply({ device });
    for (const device of moved) this.#publish(device);
    return moved;
  }

  /** Gives devices the tags that `tagsOf` says, all in one transaction. */
  setTags(ids: readonly string[], tagsOf: (device: Device) => readonly string[]): Device[] {
    const tagged = [...new Set(ids)].flatMap((id) => {
      const device = this.#devices.get(id);
      return device === undefined ? [] : [withTags(device, tagsOf(device))];
    });
    this.#store.transaction(() => {
      for (const device of tagged) this.#persist({ device });
    });
    // Nothing that a listener decides hangs on them.
    for (const device of tagged) this.#apply({ device });
    return tagged;
  }

  /** Devices that have a certificate that counts, none of which ends at or after a time. */
  certificatesEndingBefore(ms: number): Set<string> {
    return this.#certificates.endingBefore(ms);
  }

  /** When the certificate of a device ends that counts; undefined when it has none. */
  certificateEndMs(deviceId: string): number | undefined {
    return this.#certificates.endOf(deviceId);
  }

  /** Notes of which kind of hardware devices are, all in one transaction. */
  setHardware(ids: readonly string[], hardware: string): void {
    const changed = [...new Set(ids)].flatMap((id) => {
      const device = this.#devices.get(id);
      return device === undefined || device.hardware === hardware ? [] : [{ ...device, hardware }];
    });
    if (changed.length === 0) return;
    this.#store.transaction(() => {
      for (const device of changed) this.#persist({ device });
    });
    for (const device of changed) this.#publish(this.#apply({ device }));
  }

  /**
   * Revokes certificates, and not their devices: those come back with a new claim. As with
   * {@link changeStates}, listeners run before this returns, and it holds when the disk fails.
   */
  revokeCertificates(certificates: readonly CertificateRecord[], reason: string): void {
    const endedAtMs = this.#clock.nowMs();
    const changes = certificates.flatMap((certificate): DeviceChange[] => {
      const device = this.#devices.get(certificate.deviceId);
      const ended = { ...certificate, status: 'revoked' as const, endedAtMs, endReason: reason };
      return device === undefined ? [] : [{ device, certificates: [ended] }];
    });
    try {
      this.#store.transaction(() => {
        for (const change of changes) this.#persist(change);
      });
    } finally {
      for (const change of changes) this.#publish(this.#apply(change));
    }
  }

  /**
   * Records an enrollment: the new certificate becomes the current one, earlier ones are
   * superseded, and the payload keys move on by one generation.
   * @param issued - with the redeemed claim, or what else is to be written in the same transaction.
   */
  completeEnrollment(
    device: Device,
    issued: { certificate: CertificateRecord; claim?: Claim; alsoWrite?: () => void },
  ): Device {
    const reason =
      issued.claim === undefined ? 'enrolled with its IDevID' : 'enrolled with a claim';
    const enrolled = this.#changed(device, { act: 'enroll', by: device.id, reason });
    const claimed = this.#change(() => {
      if (issued.claim !== undefined) this.writeClaim(issued.claim);
      issued.alsoWrite?.();
      return {
        device: {
          ...enrolled,
          payloadKeyGeneration: device.payloadKeyGeneration + 1,
          isPayloadKeyInUse: false,
        },
        certificates: [...this.#endedCertificates(device.id, 'superseded'), issued.certificate],
      };
    });
    return this.#publish(claimed);
  }

  /**
   * Records a renewal: the new certificate is pending until its first use, and the one in use stays
   * so. An earlier pending one is superseded.
   * @param quarantineReason - the device was away for too long: it is to be looked at first.
   */
  renew(
    device: Device,
    {
      certificate,
      quarantineReason,
    }: { certificate: CertificateRecord; quarantineReason?: string },
  ): Device {
    const replaced = this.certificatesOf(device.id).filter(({ status }) => status === 'pending');
    const renewed = this.#change(() => ({
      device:
        quarantineReason === undefined
          ? device
          : this.#changed(device, { act: 'quarantine', by: 'server', reason: quarantineReason }),
      certificates: [...replaced.map((one) => this.#superseded(one)), certificate],
    }));
    return this.#publish(renewed);
  }

  /**
   * Notes that a certificate is used. The first use of a pending one makes it the current one, and
   * supersedes those before it; listeners have closed their connections when this returns.
   * @returns whether it was the first use.
   */
  useCertificate(fingerprint: string): boolean {
    const used = this.#certificates.byFingerprint(fingerprint);
    const device = this.#devices.get(used?.deviceId ?? '');
    if (used?.status !== 'pending' || device === undefined) return false;
    const { pending: _pending, ...rest } = used;
    const before = this.certificatesOf(device.id).filter(({ status }) => status === 'current');
    const changed = this.#change(() => ({
      device,
      certificates: [
        ...before.map((one) => this.#superseded(one)),
        { ...rest, status: 'current' as const },
      ],
    }));
    this.#publish(changed);
    return true;
  }

  /**
   * Forgets certificates that ended `CERTIFICATE_KEPT_MS` ago, at most `CERTIFICATES_PRUNED_MAX`:
   * a CRL names none that has ended (RFC 5280 §3.3), and no class renews one after that.
   * @returns how many.
   */
  pruneCertificates(): number {
    const beforeMs = this.#clock.nowMs() - CERTIFICATE_KEPT_MS;
    const old: CertificateRecord[] = [];
    for (const certificate of this.#certificates.all()) {
      if (certificate.notAfterMs < beforeMs) old.push(certificate);
      if (old.length === CERTIFICATES_PRUNED_MAX) break;
    }
    this.#store.transaction(() => {
      for (const { fingerprint } of old) this.#certificateRecords.remove(fingerprint);
    });
    for (const certificate of old) this.#certificates.delete(certificate);
    return old.length;
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

  #made({ id, class: className, group = '', by = 'server', tags = [] }: NewDevice): Device {
    const nowMs = this.#clock.nowMs();
    const device: Device = {
      id,
      class: className,
      group,
      state: 'registered',
      stateReason: 'added',
      stateBy: by,
      stateAtMs: nowMs,
      statesBefore: [],
      createdAtMs: nowMs,
      contentKeyRef: this.#store.keyring.create('device').ref,
      formerContentKeyRefs: [],
      payloadKeyGeneration: 0,
      isPayloadKeyInUse: false,
    };
    return withTags(device, tags);
  }

  /** The device after a change that its caller has made sure of. */
  #changed(device: Device, change: StateChange): Device {
    const after = changed(device, change, this.#clock.nowMs());
    if (after instanceof Refusal) throw new Error(after.detail);
    return after;
  }

  #endedCertificates(
    deviceId: string,
    status: 'superseded' | 'revoked',
    endReason = '',
  ): CertificateRecord[] {
    const ended: CertificateRecord[] = [];
    const endedAtMs = this.#clock.nowMs();
    for (const { pending: _pending, ...certificate } of this.certificatesOf(deviceId)) {
      // One that was superseded before ended then.
      const change = { endedAtMs, ...certificate, status, ...(endReason && { endReason }) };
      if (certificate.status !== 'revoked') ended.push(change);
    }
    return ended;
  }

  #superseded({ pending: _pending, ...certificate }: CertificateRecord): CertificateRecord {
    return { ...certificate, status: 'superseded', endedAtMs: this.#clock.nowMs() };
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
    this.columns.set(device);
    for (const certificate of certificates) this.#certificates.set(certificate);
    return device;
  }

  #publish(device: Device): Device {
    for (const listener of this.#listeners) listener(device);
    return device;
  }
}

/** The device with these tags, each one once and in their order. */
function withTags({ tags: _tags, ...device }: Device, tags: readonly string[]): Device {
  const sorted = [...new Set(tags)].sort();
  return sorted.length === 0 ? device : { ...device, tags: sorted };
}

function taken(id: string): Refusal {
  return refuse('E_OPERATE_CONFLICT', `device ${id} exists already; choose another id`);
}

function absent(id: string): Refusal {
  return refuse('E_OPERATE_NOT_FOUND', `There is no device ${id}.`);
}
