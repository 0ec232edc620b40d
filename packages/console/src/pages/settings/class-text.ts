/** Rules of a class in words. @module */
import type { ClassView } from '@holdfast/protocol/api';
import { bytesText, counted } from '../../parts/number-text.ts';

/** How long what its devices send is kept. */
export function keptText({ retention = {} }: Pick<ClassView, 'retention'>): string {
  const { ageDays, bytesPerDeviceMax } = retention;
  const bounds = [
    ageDays === undefined ? [] : [counted(ageDays, 'day')],
    bytesPerDeviceMax === undefined ? [] : [`${bytesText(bytesPerDeviceMax)} a device`],
  ].flat();
  return bounds.length === 0 ? 'for ever' : bounds.join(', at most ');
}

/** How old a message may be that was held back. */
export function lateText({ lateHours }: Pick<ClassView, 'lateHours'>): string {
  return lateHours === 0 ? 'refused' : `up to ${counted(lateHours, 'hour')}`;
}
