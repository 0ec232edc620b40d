/** What is known of a device besides its record: connected, seen, owned, and what it runs. @module */
import type { DeviceView } from '@holdfast/protocol/api';
import type { Device } from '../registry/index.ts';
import { toldToRun } from '../update/index.ts';
import type { ApiDeps } from './deps.ts';
import { deviceView, isoTime } from './views.ts';

/** What the facts are made of. */
export type DeviceFactsDeps = Pick<
  ApiDeps,
  'clock' | 'registry' | 'sessions' | 'lastSeen' | 'owners' | 'updates'
>;

/** Looks facts up; one for each request, as it remembers which image is which release. */
export class DeviceFactsReader {
  readonly #deps: DeviceFactsDeps;
  /** Release by the SHA-256 of its image. */
  readonly #releases = new Map<string, string | undefined>();

  constructor(deps: DeviceFactsDeps) {
    this.#deps = deps;
  }

  isOnline(id: string): boolean {
    return this.#deps.sessions.isConnected(id);
  }

  /** When it was heard of last, in milliseconds since 1970; now, while it is connected. */
  seenMs(id: string): number | undefined {
    return this.isOnline(id) ? this.#deps.clock.nowMs() : this.#deps.lastSeen.of(id);
  }

  hasOwner(id: string): boolean {
    return this.#deps.owners.ownerOf(id) !== undefined;
  }

  /** What it told last of its firmware. */
  firmware(id: string): DeviceView['firmware'] {
    const report = this.#deps.updates.reports.of(id);
    if (report === undefined) return undefined;
    const { release, state, reportedMs } = report;
    const runs = this.runs(id);
    return { ...(runs !== undefined && { runs }), release, state, at: isoTime(reportedMs) };
  }

  /** How its last update stands; undefined when it told nothing. */
  updateState(id: string): string | undefined {
    return this.#deps.updates.reports.of(id)?.state;
  }

  /** The release that it runs, as far as that is known here. */
  runs(id: string): string | undefined {
    const report = this.#deps.updates.reports.of(id);
    if (report === undefined) return undefined;
    return this.releaseOf(toldToRun(report));
  }

  /** The release that is meant by what a device tells that it runs. */
  releaseOf(told: string): string | undefined {
    if (!SHA256.test(told)) return told === '' ? undefined : told;
    if (!this.#releases.has(told)) {
      this.#releases.set(told, this.#deps.updates.releases.bySha256(told)?.id);
    }
    return this.#releases.get(told);
  }

  hardware({ id, hardware }: Device): string | undefined {
    return hardware ?? this.#deps.updates.reports.of(id)?.hardware;
  }

  /** Devices whose certificates end before a time. */
  certificatesEndingBefore(ms: number): ReadonlySet<string> {
    return this.#deps.registry.certificatesEndingBefore(ms);
  }

  certificateEndMs(id: string): number | undefined {
    return this.#deps.registry.certificateEndMs(id);
  }

  /** All of it, as the API shows it. */
  view(device: Device): DeviceView {
    const { id } = device;
    const hardware = this.hardware(device);
    const seenMs = this.seenMs(id);
    const firmware = this.firmware(id);
    const assigned = this.#deps.updates.director.assignment(id)?.release;
    const endMs = this.certificateEndMs(id);
    return {
      ...deviceView(device),
      ...(hardware !== undefined && { hardware }),
      online: this.isOnline(id),
      ...(seenMs !== undefined && { lastSeen: isoTime(seenMs) }),
      hasOwner: this.hasOwner(id),
      ...(firmware !== undefined && { firmware }),
      ...(assigned !== undefined && { assigned }),
      ...(endMs !== undefined && { certificateEndsAt: isoTime(endMs) }),
    };
  }
}

/** Of an image, as a device tells it. */
const SHA256 = /^[0-9a-f]{64}$/u;
