/** The kinds of things that can be simulated. @module */
import type { DeviceView } from '@holdfast/protocol/api';
import { Meter } from './meter.ts';
import { RoomSensor } from './room-sensor.ts';
import { Thermostat } from './thermostat.ts';
import type { Thing, ThingOptions } from './thing.ts';

/** The kinds of simulated devices, with the class that each one is registered as. */
export const KINDS = {
  thermostat: {
    class: 'actuator',
    make: (options: ThingOptions): Thing => new Thermostat(options),
  },
  sensor: { class: 'sensor', make: (options: ThingOptions): Thing => new RoomSensor(options) },
  meter: { class: 'sensor', make: (options: ThingOptions): Thing => new Meter(options) },
} as const satisfies Record<
  string,
  { class: DeviceView['class']; make: (options: ThingOptions) => Thing }
>;

/** Name of a kind. */
export type KindName = keyof typeof KINDS;

/** The names of the kinds, for help and messages. */
export const KIND_NAMES: readonly KindName[] = ['thermostat', 'sensor', 'meter'];
