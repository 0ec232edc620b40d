/** `--line NAME=KEYS:THRESHOLD`. @module */
import { LineId, type Signers } from '@holdfast/firmware';
import { usageFailure } from '../failure.ts';
import { readSigner } from './files.ts';

/** Reads `thermo=rel1.pub.json,rel2.pub.json:1`, and the files that it names. */
export function readLine(text: string): [string, Signers] {
  const [, line = '', files = '', threshold = ''] = FORM.exec(text) ?? [];
  if (!LineId.safeParse(line).success) {
    throw usageFailure(
      `--line takes NAME=FILES:THRESHOLD, not "${text}".`,
      'For example: --line thermo=rel1.pub.json,rel2.pub.json:1',
    );
  }
  const keys = files.split(',').map(readSigner);
  return [line, { keys, threshold: thresholdOf(threshold, keys.length) }];
}

/** Reads a threshold of so many keys. */
export function thresholdOf(text: string, keys: number): number {
  const threshold = /^\d{1,2}$/u.test(text) ? Number(text) : 0;
  if (threshold >= 1 && threshold <= keys) return threshold;
  throw usageFailure(
    `A threshold is a number from 1 to ${keys}, which is how many keys there are.`,
    'With two of three, a lost key stops nobody, and a stolen one is not enough.',
  );
}

const FORM = /^([^=]+)=(.+):(\d+)$/u;
