/** What the parts of the update system know of each other. @module */
import type { Release, UpdateReport } from '@holdfast/firmware';
import type { DeviceId } from '@holdfast/protocol';

/** An artifact as it is kept: sealed where it lies, opened as it is read. */
export interface StoredArtifact {
  readonly length: number;
  /** In hexadecimal; also its strong ETag. */
  readonly sha256: string;
  /** The bytes from `start` up to and without `end`, opened and authentic, in order. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** The image repository: what was released. */
export interface Releases {
  list(): readonly Release[];
  byId(id: string): Release | undefined;
  /** The release whose artifact has this hash. */
  bySha256(sha256: string): Release | undefined;
  /** An artifact, delta or SBOM by its hash. */
  artifact(sha256: string): Promise<StoredArtifact | undefined>;
  /** The newest version of a metadata file (`timestamp.json`), or an exact one (`3.root.json`). */
  metadata(name: string): Uint8Array | undefined;
}

/** By whose act a device is assigned something, and why. */
export interface AssignedBy {
  readonly principal: string;
  readonly reason?: string | undefined;
}

/** The director: what each device is to run. Its metadata are signed with keys of the server. */
export interface Director {
  /** Names what a device is to run from now on; durable, and on the log, when this resolves. */
  assign(device: DeviceId, release: Release | undefined, by?: AssignedBy): Promise<void>;
  /** The same for many devices: one write for all of them. */
  assignMany(
    devices: readonly DeviceId[],
    release: Release | undefined,
    by?: AssignedBy,
  ): Promise<void>;
  assigned(device: DeviceId): Release | undefined;
  /** Changes whenever what the device would be told changes: the ETag of its poll. */
  revision(device: DeviceId): string;
  /** A metadata file for this device, as `Releases.metadata`. */
  metadata(device: DeviceId, name: string): Uint8Array | undefined;
}

/** Where reports of devices go: from HTTPS, signed messages, hawkBit DDI and Mender. */
export interface UpdateReports {
  /** Takes a report; durable when this resolves. */
  take(device: DeviceId, report: UpdateReport): Promise<void>;
  /** Hears of each report after it is durable, until the returned function is called. */
  onReport(listener: (device: DeviceId, report: UpdateReport) => void): () => void;
}
