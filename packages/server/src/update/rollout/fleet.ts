/** What rollouts know of the devices, and why a device gets nothing. @module */
import type { Release, UpdateReport } from '@holdfast/firmware';
import type { ExclusionCode } from '@holdfast/protocol/api';
import type { Device } from '../../registry/index.ts';
import { compareVersions } from './compare-versions.ts';

/** A device as rollouts see it. */
export interface FleetDevice extends Pick<Device, 'id' | 'class' | 'group' | 'state' | 'boot'> {
  /** Its kind of hardware; undefined while nobody has told. */
  readonly hardware?: string | undefined;
  /** What it runs, as far as it has told. */
  readonly running?: {
    /** `<line>@<version>`. */
    readonly release?: string | undefined;
    readonly counter?: number | undefined;
  };
}

/** What a device told last. */
export interface LatestReport extends Pick<UpdateReport, 'release' | 'state' | 'why'> {
  readonly reportedMs: number;
}

/** The devices, as the rest of the server knows them. */
export interface Fleet {
  devices(): Iterable<FleetDevice>;
  byId(device: string): FleetDevice | undefined;
  hasOwner(device: string): boolean;
  /** When it was heard of last, in milliseconds since 1970. */
  lastSeenMs(device: string): number | undefined;
  /** Its last report about an update, and when it came, in milliseconds since 1970. */
  latestReport(device: string): LatestReport | undefined;
  /** Whether a person may decide what this device runs, as things stand now. */
  mayUpdate(principal: string, device: FleetDevice): boolean;
}

/** Why a device gets nothing. */
export interface Exclusion {
  readonly code: ExclusionCode;
  /** In plain words. */
  readonly why: string;
}

/** Why a release is not for a device as it is now; undefined when it is. */
export function exclusionOf(
  { id, state, hardware, running = {} }: FleetDevice,
  { id: release, custom }: Release,
): Exclusion | undefined {
  if (state === 'quarantined') return { code: 'quarantined', why: `${id} is quarantined` };
  if (state !== 'claimed' && state !== 'active') {
    return { code: 'state', why: `${id} is ${state}` };
  }
  if (hardware === undefined) {
    const fix = `holdfast device set-hardware ${id} --to …`;
    return { code: 'hardware-unknown', why: `nobody has told what hardware ${id} is: ${fix}` };
  }
  if (!custom.hardware.includes(hardware)) {
    const made = custom.hardware.join(', ');
    return { code: 'hardware', why: `${id} is ${hardware}, and it is for ${made}` };
  }
  if (running.release === release) return { code: 'runs-it', why: `${id} runs it already` };
  const { counter } = running;
  if (counter !== undefined && counter > custom.counter) {
    const why = `${id} has the security counter ${counter}, and would refuse ${custom.counter}`;
    return { code: 'counter', why };
  }
  return belowMinimum(id, running.release, custom.minimumVersion);
}

function belowMinimum(
  id: string,
  running: string | undefined,
  minimum: string | undefined,
): Exclusion | undefined {
  if (minimum === undefined) return undefined;
  const code = 'minimum-version';
  const version = running?.split('@')[1];
  if (version === undefined) {
    return { code, why: `what ${id} runs is not known, and it has to be ${minimum} at least` };
  }
  if (compareVersions(version, minimum) >= 0) return undefined;
  return { code, why: `${id} runs ${version}, and has to take ${minimum} first` };
}
