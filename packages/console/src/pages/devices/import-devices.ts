/** Imports devices in requests of as many as one takes: checks them all, then registers them. @module */
import type { ImportDevicesRequest, ImportedDevices } from '@holdfast/protocol/api';
import type { CsvDevice, CsvProblem } from './device-csv.ts';

/** As many as one request takes; `DEVICE_IMPORT_MAX` of the API. */
export const IMPORT_MAX = 500;
/** Below the largest body of a request. */
const BYTES_MAX = 60_000;

/** Sends one request. */
export type SendImport = (request: ImportDevicesRequest) => Promise<ImportedDevices>;

/** What an import would do. */
export interface ImportCheck {
  readonly added: number;
  readonly claimedAgain: number;
  readonly problems: readonly CsvProblem[];
}

/** How it is done. */
export interface ImportWish {
  readonly again: boolean;
  readonly claimLifeMs: number;
}

/** Asks what would come of it; nothing is done. */
export async function checkImport(
  devices: readonly CsvDevice[],
  wish: ImportWish,
  send: SendImport,
): Promise<ImportCheck> {
  const lines = new Map(devices.map(({ line, device }) => [device.id, line]));
  const problems: CsvProblem[] = [];
  let [added, claimedAgain] = [0, 0];
  for (const some of batches(devices)) {
    const found = await send({ ...wish, devices: some.map(({ device }) => device), dryRun: true });
    added += found.added;
    claimedAgain += found.claimedAgain;
    for (const { id, why } of found.conflicts) {
      problems.push({ line: lines.get(id) ?? 0, what: `${id} ${why}.` });
    }
  }
  return { added, claimedAgain, problems };
}

/**
 * Registers them, request by request; `onClaims` gets the claims of each one at once, so that they
 * are not lost when a later one fails.
 */
export async function importAll(
  devices: readonly CsvDevice[],
  wish: ImportWish,
  { send, onClaims }: { send: SendImport; onClaims: (claims: ImportedDevices['claims']) => void },
): Promise<void> {
  for (const some of batches(devices)) {
    const { claims } = await send({ ...wish, devices: some.map(({ device }) => device) });
    onClaims(claims);
  }
}

/** As many as fit in one request. */
export function* batches(devices: readonly CsvDevice[]): Generator<readonly CsvDevice[]> {
  let [some, bytes]: [CsvDevice[], number] = [[], 0];
  for (const one of devices) {
    const size = JSON.stringify(one.device).length + 1;
    if (some.length === IMPORT_MAX || (some.length > 0 && bytes + size > BYTES_MAX)) {
      yield some;
      [some, bytes] = [[], 0];
    }
    some.push(one);
    bytes += size;
  }
  if (some.length > 0) yield some;
}
