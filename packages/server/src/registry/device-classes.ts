/** What devices of a class may and must do, as data. @module */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const KILOBYTE = 1_000;
const MEGABYTE = 1_000_000;

/** Whether a sign of a clone is reported only, or stops the device until somebody has looked. */
export const ON_CLONE = ['quarantine', 'report'] as const;
export type OnClone = (typeof ON_CLONE)[number];

/** The rules of one class of devices. */
export interface DeviceClass {
  /** Life of an operational certificate in milliseconds. */
  readonly certificateLifeMs: number;
  /** How far the `ts` of a payload may lie in the past, in milliseconds. */
  readonly ageMaxMs: number;
  /**
   * How far it may lie in the past in a message that was held back: by its device, which kept it
   * during an outage, or on the way. Unless an operator sets it; milliseconds.
   */
  readonly lateMaxMs: number;
  /** How far the `ts` of a payload may lie in the future, in milliseconds. */
  readonly aheadMaxMs: number;
  /** Packets that a device may send in a second, in the long run. */
  readonly messagesPerSecond: number;
  /** Packets that it may send at once, after a silence. */
  readonly messageBurst: number;
  /** Bytes that it may send in a second, in the long run. */
  readonly bytesPerSecond: number;
  /** Bytes that it may send at once, after a silence. */
  readonly byteBurst: number;
  /**
   * How long after its end a certificate can still be renewed, into quarantine, unless an operator
   * sets it; milliseconds.
   */
  readonly renewalGraceMs: number;
  /** What becomes of a device when a superseded certificate is renewed, unless an operator sets it. */
  readonly onClone: OnClone;
  /** Whether it must show an API key beside its certificate, unless an operator sets it. */
  readonly requiresApiKey: boolean;
}

/**
 * A thing that reports at most a few times a second: a hundred a second is a device in a loop. The
 * burst lets it hand over what it kept during an outage, a thousand readings of 2 kB.
 */
const THING: DeviceClass = {
  // Plain MQTT clients cannot renew by themselves: 90 days until a device does it by the SDK.
  certificateLifeMs: 90 * DAY_MS,
  ageMaxMs: 5 * MINUTE_MS,
  // An outage that begins on Friday evening, and is found after a long weekend.
  lateMaxMs: 7 * DAY_MS,
  aheadMaxMs: 5 * MINUTE_MS,
  messagesPerSecond: 100,
  messageBurst: 1_000,
  bytesPerSecond: 256 * KILOBYTE,
  byteBurst: 2 * MEGABYTE,
  // A season in a drawer, and the next one on the wall.
  renewalGraceMs: 180 * DAY_MS,
  onClone: 'quarantine',
  requiresApiKey: false,
};

/** The classes that exist. */
export const DEVICE_CLASSES = {
  sensor: THING,
  actuator: THING,
  /** Speaks for hundreds of things behind it: as much as two hundred of them. */
  gateway: {
    ...THING,
    renewalGraceMs: 30 * DAY_MS,
    messagesPerSecond: 20_000,
    messageBurst: 40_000,
    bytesPerSecond: 16 * MEGABYTE,
    byteBurst: 32 * MEGABYTE,
  },
  /** A program that consumes telemetry: it sends little but acknowledgements. */
  service: {
    ...THING,
    renewalGraceMs: 30 * DAY_MS,
    messagesPerSecond: 1_000,
    messageBurst: 2_000,
    bytesPerSecond: MEGABYTE,
    byteBurst: 4 * MEGABYTE,
  },
} as const satisfies Record<string, DeviceClass>;

/** Name of a device class. */
export type DeviceClassName = keyof typeof DEVICE_CLASSES;

/** The class names, for schemas and help texts. */
export const DEVICE_CLASS_NAMES = [
  'sensor',
  'actuator',
  'gateway',
  'service',
] as const satisfies readonly DeviceClassName[];
