/** The state of a device, in its word and color. @module */
import type { DeviceView } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Badge } from './badge.tsx';
import type { Tone } from './tone.ts';

/** How each state is shown. */
export const STATE_TONES: Readonly<Record<DeviceView['state'], Tone>> = {
  registered: 'calm',
  claimed: 'info',
  active: 'good',
  quarantined: 'bad',
  suspended: 'warn',
  revoked: 'bad',
  retired: 'calm',
};

/** A badge with the state. */
export function DeviceState({ state }: Pick<DeviceView, 'state'>): ReactNode {
  return <Badge tone={STATE_TONES[state]}>{state}</Badge>;
}
