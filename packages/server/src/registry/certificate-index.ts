/** The issued certificates in memory, by everything they are asked for. @module */
import type { CertificateRecord } from './device-records.ts';

/** All issued certificates. */
export class CertificateIndex {
  readonly #byFingerprint = new Map<string, CertificateRecord>();
  readonly #fingerprintsBySerial = new Map<string, string>();
  /** Fingerprints of the certificates of each device. */
  readonly #ofDevice = new Map<string, Set<string>>();

  /** Adds a certificate, or what has become of it. */
  set(certificate: CertificateRecord): void {
    const { fingerprint, serial, deviceId } = certificate;
    this.#byFingerprint.set(fingerprint, certificate);
    this.#fingerprintsBySerial.set(serial, fingerprint);
    const fingerprints = this.#ofDevice.get(deviceId);
    if (fingerprints === undefined) this.#ofDevice.set(deviceId, new Set([fingerprint]));
    else fingerprints.add(fingerprint);
  }

  delete({ fingerprint, serial, deviceId }: CertificateRecord): void {
    this.#byFingerprint.delete(fingerprint);
    this.#fingerprintsBySerial.delete(serial);
    const fingerprints = this.#ofDevice.get(deviceId);
    fingerprints?.delete(fingerprint);
    if (fingerprints?.size === 0) this.#ofDevice.delete(deviceId);
  }

  byFingerprint(fingerprint: string): CertificateRecord | undefined {
    return this.#byFingerprint.get(fingerprint);
  }

  bySerial(serial: string): CertificateRecord | undefined {
    return this.#byFingerprint.get(this.#fingerprintsBySerial.get(serial) ?? '');
  }

  /** In no particular order. */
  all(): Iterable<CertificateRecord> {
    return this.#byFingerprint.values();
  }

  /** When the one of a device ends that counts, or will when it is used first. */
  endOf(deviceId: string): number | undefined {
    let endMs: number | undefined;
    for (const fingerprint of this.#ofDevice.get(deviceId) ?? NONE) {
      const certificate = this.#byFingerprint.get(fingerprint);
      const counts = certificate?.status === 'current' || certificate?.status === 'pending';
      if (counts && certificate.notAfterMs > (endMs ?? 0)) endMs = certificate.notAfterMs;
    }
    return endMs;
  }

  /** Devices whose certificates that count all end before a time; those without one are none. */
  endingBefore(ms: number): Set<string> {
    const devices = new Set<string>();
    for (const { deviceId, notAfterMs, status } of this.#byFingerprint.values()) {
      const counts = status === 'current' || status === 'pending';
      if (counts && notAfterMs < ms) devices.add(deviceId);
    }
    for (const id of devices) {
      if ((this.endOf(id) ?? ms) >= ms) devices.delete(id);
    }
    return devices;
  }

  /** Those of a device, oldest first. */
  ofDevice(deviceId: string): CertificateRecord[] {
    return [...(this.#ofDevice.get(deviceId) ?? [])]
      .map((fingerprint) => this.#byFingerprint.get(fingerprint))
      .filter((certificate) => certificate !== undefined)
      .sort((a, b) => a.notBeforeMs - b.notBeforeMs);
  }
}

const NONE: ReadonlySet<string> = new Set();
