/** The condition of a device in words that an owner understands. @module */
import type { OwnedDevice } from '@holdfast/protocol/api';
import type { Tone } from '../../parts/tone.ts';

/** A word with its color, and what it means for the owner where that is not plain. */
export interface Condition {
  readonly word: string;
  readonly tone: Tone;
  readonly meaning?: string;
}

const STOPPED: Readonly<Record<string, Condition>> = {
  registered: {
    word: 'not set up yet',
    tone: 'calm',
    meaning: 'The device has not been connected to the server for the first time.',
  },
  quarantined: {
    word: 'cut off',
    tone: 'bad',
    meaning:
      'The operator of the server has cut it off, to protect it or others: it sends nothing and takes no commands. It can still be updated and repaired. Ask the operator.',
  },
  suspended: {
    word: 'paused',
    tone: 'warn',
    meaning: 'The operator of the server has paused it. Ask them when it goes on.',
  },
  revoked: {
    word: 'locked out',
    tone: 'bad',
    meaning: 'The operator of the server trusts this device no more. Ask them for a new one.',
  },
  retired: {
    word: 'out of service',
    tone: 'calm',
    meaning: 'The operator of the server has taken it out of service.',
  },
};

/** What is told of a device; `isReached` is false while nobody knows how it is now. */
export function conditionOf({ state, online }: OwnedDevice, isReached: boolean): Condition {
  const stopped = STOPPED[state];
  if (stopped !== undefined) return stopped;
  if (!isReached) return { word: 'unknown', tone: 'calm' };
  if (online === true) return { word: 'online', tone: 'good' };
  return {
    word: 'away',
    tone: 'warn',
    meaning:
      'It is not connected now. It may be switched off, or without network. What it measures meanwhile comes later, if it keeps it.',
  };
}

const KINDS: Readonly<Record<string, string>> = {
  sensor: 'Sensor',
  actuator: 'Actuator',
  gateway: 'Gateway',
  service: 'Service',
};

/** The class of a device as a word. */
export function kindOf({ class: name }: OwnedDevice): string {
  return KINDS[name] ?? name;
}
