/** The life cycle of a device: which act leads from which state to which. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Device, DeviceState } from './device-records.ts';

/** What changes the state of a device. */
export type LifeCycleAct =
  /** It got a certificate. */
  | 'enroll'
  /** It connected with its certificate for the first time. */
  | 'activate'
  /** A revoked one may enroll again. */
  | 'readmit'
  /** It is stopped until somebody has looked. */
  | 'quarantine'
  | 'release'
  /** It is stopped because its operator wants so. */
  | 'suspend'
  | 'resume'
  /** Its access ends; a new claim brings it back. */
  | 'revoke'
  /** Its access ends for good. */
  | 'retire';

interface Transition {
  readonly from: readonly DeviceState[];
  /** `before` is the state that the device had when it was stopped. */
  readonly to: DeviceState | 'before';
  /** As in "it cannot be released". */
  readonly participle: string;
  /** Certificates and claim end with it. */
  readonly endsAccess?: true;
  /** It takes something away: it holds even when it cannot be stored. */
  readonly takesAway?: true;
}

/** All that can happen to a device. What is not here is refused. */
export const LIFE_CYCLE: Readonly<Record<LifeCycleAct, Transition>> = {
  enroll: { from: ['registered', 'claimed', 'active'], to: 'claimed', participle: 'enrolled' },
  activate: { from: ['claimed'], to: 'active', participle: 'activated' },
  readmit: { from: ['revoked'], to: 'registered', participle: 'readmitted' },
  quarantine: {
    // From `suspended`, too: what was found must not be forgotten when the device is resumed.
    from: ['claimed', 'active', 'suspended'],
    to: 'quarantined',
    participle: 'quarantined',
    takesAway: true,
  },
  release: { from: ['quarantined'], to: 'before', participle: 'released' },
  suspend: {
    from: ['claimed', 'active'],
    to: 'suspended',
    participle: 'suspended',
    takesAway: true,
  },
  resume: { from: ['suspended'], to: 'before', participle: 'resumed' },
  revoke: {
    from: ['registered', 'claimed', 'active', 'quarantined', 'suspended'],
    to: 'revoked',
    participle: 'revoked',
    endsAccess: true,
    takesAway: true,
  },
  retire: {
    from: ['registered', 'claimed', 'active', 'quarantined', 'suspended', 'revoked'],
    to: 'retired',
    participle: 'retired',
    endsAccess: true,
    takesAway: true,
  },
};

/** A change of state, with who makes it and why. */
export interface StateChange {
  readonly act: LifeCycleAct;
  /** Principal: `person:<name>`, `local`, a device id, or `server`. */
  readonly by: string;
  /** In the words of whoever makes it. */
  readonly reason: string;
}

/**
 * The device after a change of state.
 * @returns it, or `E_OPERATE_CONFLICT` when its present state does not allow the change.
 */
export function changed(
  device: Device,
  { act, by, reason }: StateChange,
  nowMs: number,
): Device | Refusal {
  const { from, to } = LIFE_CYCLE[act];
  const { id, state, stateReason } = device;
  if (!from.includes(state)) {
    const why = stateReason === '' ? '' : ` (${stateReason})`;
    return refuse('E_OPERATE_CONFLICT', `${id} is ${state}${why}${cannotBe(act)}`);
  }
  const common = { stateReason: reason, stateBy: by, stateAtMs: nowMs };
  return { ...device, ...common, ...(to === 'before' ? backFrom(device) : onward(device, to)) };
}

/** What devices in a state that an act does not allow have in common. */
export function whyNot(state: DeviceState, act: LifeCycleAct): string {
  return `It is ${state}${cannotBe(act)}`;
}

/** Made once for each act: it is said of a whole fleet. */
const CANNOT_BE = new Map<LifeCycleAct, string>();

function cannotBe(act: LifeCycleAct): string {
  const { from, participle } = LIFE_CYCLE[act];
  const text =
    CANNOT_BE.get(act) ?? ` and cannot be ${participle}: only one that is ${listed(from)} can be.`;
  CANNOT_BE.set(act, text);
  return text;
}

/** Where a stopped device goes back to. One from before that was noted connects anew. */
function backFrom({ statesBefore }: Device): Pick<Device, 'state' | 'statesBefore'> {
  return { state: statesBefore.at(-1) ?? 'claimed', statesBefore: statesBefore.slice(0, -1) };
}

function onward(device: Device, to: DeviceState): Pick<Device, 'state' | 'statesBefore'> {
  const isStopped = to === 'quarantined' || to === 'suspended';
  return { state: to, statesBefore: isStopped ? [...device.statesBefore, device.state] : [] };
}

function listed(states: readonly string[]): string {
  const last = states.at(-1) ?? '';
  return states.length < 2 ? last : `${states.slice(0, -1).join(', ')} or ${last}`;
}
