/** What devices of a class may and must do, as data. @module */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The rules of one class of devices. */
export interface DeviceClass {
  /** Life of an operational certificate in milliseconds. */
  readonly certificateLifeMs: number;
  /** How far the `ts` of a payload may lie in the past, in milliseconds. */
  readonly ageMaxMs: number;
  /** How far the `ts` of a payload may lie in the future, in milliseconds. */
  readonly aheadMaxMs: number;
}

// Plain MQTT clients cannot renew by themselves: 90 days until a device does it through the SDK.
const DEFAULT_CLASS: DeviceClass = {
  certificateLifeMs: 90 * DAY_MS,
  ageMaxMs: 5 * MINUTE_MS,
  aheadMaxMs: 5 * MINUTE_MS,
};

/** The classes that exist. */
export const DEVICE_CLASSES = {
  sensor: DEFAULT_CLASS,
  actuator: DEFAULT_CLASS,
  gateway: DEFAULT_CLASS,
} as const satisfies Record<string, DeviceClass>;

/** Name of a device class. */
export type DeviceClassName = keyof typeof DEVICE_CLASSES;

/** The class names, for schemas and help texts. */
export const DEVICE_CLASS_NAMES = [
  'sensor',
  'actuator',
  'gateway',
] as const satisfies readonly DeviceClassName[];
