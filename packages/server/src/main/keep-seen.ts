/** Which devices were heard of, and when: those that stay connected are noted now and then. @module */
import type { CancelTimer, Clock } from '../kernel/index.ts';
import type { DeviceRegistry, LastSeen } from '../registry/index.ts';
import type { SessionTable } from '../session/index.ts';
import { LAST_SEEN_STEP_MS } from './limits.ts';

/** Notes them until the returned function is called, which notes them once more. */
export function keepSeen(
  sessions: Pick<SessionTable, 'connectedIds'>,
  {
    clock,
    registry,
    lastSeen,
  }: {
    readonly clock: Clock;
    readonly registry: Pick<DeviceRegistry, 'byId'>;
    readonly lastSeen: Pick<LastSeen, 'note'>;
  },
): () => void {
  let cancel: CancelTimer = () => {};
  const note = (): void => {
    for (const id of sessions.connectedIds) {
      // People and apps have sessions, too.
      if (registry.byId(id) !== undefined) lastSeen.note(id);
    }
  };
  const tick = (): void => {
    cancel = clock.after(LAST_SEEN_STEP_MS, () => {
      note();
      tick();
    });
  };
  tick();
  return () => {
    cancel();
    note();
  };
}
