/** What is asked for on the command line of `simulate`. @module */
import { type OptionSet, type Values, integerOption } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { nearest } from '../suggest.ts';
import { KIND_NAMES, type KindName } from './kinds.ts';
import {
  BACKFILL_MS,
  READINGS_PER_MINUTE,
  READINGS_PER_SECOND,
  SIMULATED_DEVICES,
} from './limits.ts';
import { spanOption } from './span-option.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** The options that say what is simulated. */
export const WISH_OPTIONS = {
  devices: {
    type: 'string',
    value: 'N',
    help: `how many, 1 to ${SIMULATED_DEVICES.max} (default ${SIMULATED_DEVICES.default})`,
  },
  class: {
    type: 'string',
    value: 'KIND',
    help: `what they are: ${KIND_NAMES.join(', ')} (default ${KIND_NAMES[0]})`,
  },
  misbehave: {
    type: 'string',
    value: 'N',
    help: 'how many misbehave: tamper, replay, spoof, flood, in turn (default 0)',
  },
  rate: {
    type: 'string',
    value: 'N',
    help: `readings of each device in a minute (default ${READINGS_PER_MINUTE.default})`,
  },
  'readings-per-second': {
    type: 'string',
    value: 'N',
    help: `of the whole fleet instead, up to ${READINGS_PER_SECOND.max}; without outages`,
  },
  backfill: {
    type: 'string',
    value: 'SPAN',
    help: 'give new devices a history, such as 24h; the server marks it late',
  },
  for: { type: 'string', value: 'SPAN', help: 'end by itself, such as 10m' },
  seed: { type: 'string', value: 'TEXT', help: 'another text, other readings (default 1)' },
  mixed: { type: 'boolean', help: 'do not ask, although the server has real devices' },
} as const satisfies OptionSet;

/** What is to be simulated, and for how long. */
export interface Wish {
  readonly kind: KindName;
  readonly count: number;
  readonly misbehave: number;
  readonly periodMs: number;
  readonly hasOutages: boolean;
  readonly backfillMs: number | undefined;
  readonly forMs: number | undefined;
  readonly seed: string;
  readonly isMixed: boolean;
}

/** Reads the options. @throws Failure when one of them is out of its bounds. */
export function readWish(values: Values<typeof WISH_OPTIONS>): Wish {
  const count = integerOption(values.devices ?? String(SIMULATED_DEVICES.default), {
    name: 'devices',
    ...SIMULATED_DEVICES,
  });
  const misbehave = integerOption(values.misbehave ?? '0', {
    name: 'misbehave',
    min: 0,
    max: count,
  });
  const { backfill, for: length } = values;
  return {
    kind: readKind(values.class ?? 'thermostat'),
    count,
    misbehave,
    periodMs: readPeriod(values, count),
    hasOutages: values['readings-per-second'] === undefined,
    backfillMs:
      backfill === undefined
        ? undefined
        : spanOption(backfill, { name: 'backfill', ...BACKFILL_MS, example: '24h' }),
    forMs:
      length === undefined
        ? undefined
        : spanOption(length, { name: 'for', min: 1_000, max: 30 * DAY_MS, example: '10m' }),
    seed: values.seed ?? '1',
    isMixed: values.mixed === true,
  };
}

function readPeriod(
  { rate, 'readings-per-second': total }: Values<typeof WISH_OPTIONS>,
  count: number,
): number {
  if (total === undefined) {
    const perMinute = rate ?? String(READINGS_PER_MINUTE.default);
    return MINUTE_MS / integerOption(perMinute, { name: 'rate', ...READINGS_PER_MINUTE });
  }
  if (rate !== undefined) {
    throw usageFailure(
      '--rate is for each device, --readings-per-second for all of them: only one can count.',
      'Leave one of them out.',
    );
  }
  const perSecond = integerOption(total, { name: 'readings-per-second', ...READINGS_PER_SECOND });
  const periodMs = (count * 1_000) / perSecond;
  if (periodMs >= MINUTE_MS / READINGS_PER_MINUTE.max) return periodMs;
  const fewest = Math.ceil((perSecond * 60) / READINGS_PER_MINUTE.max);
  throw usageFailure(
    `${count} devices may not send ${perSecond} readings a second.`,
    `Simulate more devices: --devices ${fewest}.`,
  );
}

function readKind(text: string): KindName {
  const found = KIND_NAMES.find((name) => name === text);
  if (found !== undefined) return found;
  const meant = nearest(text, KIND_NAMES);
  throw usageFailure(
    `There is no "${text}" to simulate.`,
    meant === undefined ? `One of ${KIND_NAMES.join(', ')}.` : `Did you mean ${meant}?`,
  );
}
