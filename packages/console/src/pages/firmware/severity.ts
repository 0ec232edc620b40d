/** How bad a vulnerability is, as a tone. @module */
import type { Tone } from '../../parts/tone.ts';

/** Each severity with its tone. */
export const SEVERITY_TONES: Readonly<
  Record<'none' | 'unknown' | 'low' | 'medium' | 'high' | 'critical', Tone>
> = {
  none: 'calm',
  unknown: 'calm',
  low: 'info',
  medium: 'warn',
  high: 'bad',
  critical: 'bad',
};
