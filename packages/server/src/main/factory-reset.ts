/** Factory reset: nothing of the owner before stays, neither rights nor what the device sent. @module */
import type { EraseDevice, ErasedDevice } from './erase-device.ts';
import type { Flow } from './flow.ts';
import type { Audit, Registries } from './storage.ts';

/** Who resets a device, and why. */
export interface ResetBy {
  /** How the log calls it: a device that is given away is reset, too. */
  readonly action: 'device.reset' | 'device.give-away';
  readonly principal: string;
  readonly reason: string;
}

/**
 * Makes the reset of a device. Rights end first; then its session with the commands that wait in
 * it, then the data key of what it sent. Its certificate and payload keys stay: no owner ever had
 * them, and a device that could not fetch new ones would be lost.
 */
export function factoryReset({
  owners,
  sessions,
  eraseDevice,
  recordAct,
}: Pick<Registries, 'owners'> &
  Pick<Flow, 'sessions'> & { readonly eraseDevice: EraseDevice } & Pick<Audit, 'recordAct'>) {
  return async (
    deviceId: string,
    { action, principal, reason }: ResetBy,
  ): Promise<{ owner: string | undefined }> => {
    const owner = owners.ownerOf(deviceId);
    let erased: ErasedDevice | undefined;
    try {
      owners.release(deviceId);
      sessions.endReset(deviceId);
      erased = await eraseDevice(deviceId);
    } finally {
      // Recorded even when the disk fails: the rights have ended by then.
      const isErased = erased !== undefined;
      const facts = { ...(owner !== undefined && { owner }), isErased, ...erased };
      await recordAct({ action, principal, target: deviceId, reason, facts });
    }
    return { owner };
  };
}
