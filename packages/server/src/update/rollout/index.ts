/** Rollouts: a release for many devices, in stages, which stop by themselves. @module */
export type { Finding } from './events.ts';
export type { Fleet, FleetDevice } from './fleet.ts';
export { consentLatestMs } from './offers.ts';
export {
  type DeviceRecord,
  EMPTY_TALLY,
  type RolloutHead,
  type Tally,
  membersOf,
} from './rollout-records.ts';
export {
  type Reason,
  type RightTo,
  type Rollout,
  type RolloutAct,
  type RolloutWish,
  Rollouts,
  type RolloutsDeps,
} from './rollouts.ts';
export { isWithin } from './windows.ts';
