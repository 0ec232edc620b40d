/** Enrolls simulated devices by real claims: those that have no keys here yet. @module */
import { rmSync } from 'node:fs';
import type { Client } from '@holdfast/client';
import type { enroll } from '@holdfast/device';
import { CLAIM_LIFE_MS, DEVICE_IMPORT_MAX, type DeviceView } from '@holdfast/protocol/api';
import { atATime } from './at-a-time.ts';
import { KINDS } from './kinds.ts';
import { ENROLLING_AT_A_TIME } from './limits.ts';
import { type PlannedDevice, SIMULATED_GROUP } from './plan.ts';
import type { SimulationFolder } from './simulation-folder.ts';

/** Registers devices, and makes claims. */
export type ClaimClient = Pick<Client, 'importDevices' | 'claimDevice' | 'actOnDevices'>;

/** A device and the claim that it is going to redeem. Claims are kept nowhere but in memory. */
export interface ClaimedPlan {
  readonly id: string;
  readonly claim: string;
}

/** The claims of devices that are to be enrolled. Whoever was registered before gets a new one. */
export async function claimFleet(
  client: ClaimClient,
  devices: readonly PlannedDevice[],
  known: ReadonlyMap<string, DeviceView>,
): Promise<ClaimedPlan[]> {
  const claimed: ClaimedPlan[] = [];
  const fresh = devices.filter(({ id }) => !known.has(id));
  for (let at = 0; at < fresh.length; at += DEVICE_IMPORT_MAX) {
    const some = fresh.slice(at, at + DEVICE_IMPORT_MAX).map(({ id, kind }) => {
      return { id, class: KINDS[kind].class, group: SIMULATED_GROUP };
    });
    const { claims } = await client.importDevices({
      devices: some,
      claimLifeMs: CLAIM_LIFE_MS.min,
    });
    for (const { id, text } of claims) claimed.push({ id, claim: text });
    await client.actOnDevices({
      act: 'add-tags',
      tags: [SIMULATED_GROUP],
      select: { ids: some.map(({ id }) => id) },
      reason: 'simulated devices',
    });
  }
  for (const { id } of devices.filter((device) => known.has(device.id))) {
    const { claim } = await client.claimDevice(id);
    claimed.push({ id, claim: claim.text });
  }
  return claimed;
}

/** Redeems the claims, a few at a time. Stops early when the signal aborts, between two devices. */
export async function enrollFleet(
  claimed: readonly ClaimedPlan[],
  {
    sdk,
    folder,
    onEnrolled,
    signal,
  }: {
    sdk: { readonly enroll: typeof enroll };
    folder: SimulationFolder;
    onEnrolled: () => void;
    signal: AbortSignal;
  },
): Promise<void> {
  await atATime(claimed, ENROLLING_AT_A_TIME, async ({ id, claim }) => {
    if (signal.aborted) return;
    const out = folder.bundleOf(id);
    // What an interrupted enrollment has left: its claim is void, and with it its key.
    rmSync(`${out}.partial`, { recursive: true, force: true });
    await sdk.enroll({ claim, out });
    onEnrolled();
  });
}
