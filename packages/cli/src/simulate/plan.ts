/** Who is simulated: ids, and which of them misbehave and how. Pure. @module */
import type { DeviceView } from '@holdfast/protocol/api';
import type { KindName } from './kinds.ts';

/** The group that all simulated devices are in, and the tag that they have. */
export const SIMULATED_GROUP = 'simulated';

/** What a misbehaving device does, in the order in which they are chosen. */
export const MISDEEDS = ['tamper', 'replay', 'spoof', 'flood'] as const;
export type Misdeed = (typeof MISDEEDS)[number];

/** One device of the plan. */
export interface PlannedDevice {
  readonly id: string;
  readonly kind: KindName;
  readonly misdeed: Misdeed | undefined;
}

/** What to plan. */
export interface FleetWish {
  /** Number of the simulation: the id of a retired device is never given again. */
  readonly run: number;
  readonly kind: KindName;
  readonly count: number;
  /** How many misbehave. */
  readonly misbehave: number;
}

/** The devices of a simulation, in the order of their ids. */
export function planFleet({ run, kind, count, misbehave }: FleetWish): PlannedDevice[] {
  const misdeeds = new Map<number, Misdeed>();
  for (let at = 0; at < misbehave; at += 1) {
    // Spread over the fleet, so that they do not stand together at the head of every list.
    const misdeed = MISDEEDS[at % MISDEEDS.length];
    if (misdeed !== undefined) misdeeds.set(Math.floor(((at + 0.5) * count) / misbehave), misdeed);
  }
  return Array.from({ length: count }, (_, at) => ({
    id: deviceIdOf({ run, kind, number: at + 1 }),
    kind,
    misdeed: misdeeds.get(at),
  }));
}

/** `sim-1-thermostat-0001`. */
export function deviceIdOf({ run, kind, number }: SimulatedName): string {
  return `sim-${run}-${kind}-${String(number).padStart(4, '0')}`;
}

/** What the id of a simulated device says. */
export interface SimulatedName {
  readonly run: number;
  readonly kind: string;
  readonly number: number;
}

/** Reads the id of a simulated device; undefined for any other id. */
export function simulatedName(id: string): SimulatedName | undefined {
  const [, run, kind, number] = ID_FORM.exec(id) ?? [];
  if (run === undefined || kind === undefined || number === undefined) return undefined;
  return { run: Number(run), kind, number: Number(number) };
}

/** What a server has, as far as it matters to a simulation. */
export interface Census {
  /** Simulated, and not retired. */
  readonly simulated: readonly DeviceView[];
  /** Not simulated, and not retired. */
  readonly realCount: number;
  /** The highest number that a simulation had, 0 for none; retired devices count. */
  readonly lastRun: number;
}

/**
 * Sorts the devices of a server. To count as simulated, a device needs the id and the group of one,
 * or to have its keys here: a real device that is called alike must not be removed by mistake.
 */
export function takeCensus(
  devices: readonly DeviceView[],
  hasKeysHere: (id: string) => boolean,
): Census {
  const simulated: DeviceView[] = [];
  let [realCount, lastRun] = [0, 0];
  for (const device of devices) {
    const name = simulatedName(device.id);
    const isSimulated =
      name !== undefined && (device.group === SIMULATED_GROUP || hasKeysHere(device.id));
    if (name !== undefined) lastRun = Math.max(lastRun, name.run);
    if (device.state === 'retired') continue;
    if (isSimulated) simulated.push(device);
    else realCount += 1;
  }
  return { simulated, realCount, lastRun };
}

const ID_FORM = /^sim-([1-9]\d{0,5})-([a-z]{1,16})-(\d{4,6})$/u;
