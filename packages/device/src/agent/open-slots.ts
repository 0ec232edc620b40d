/** Makes the slots that a configuration names. @module */
import type { SlotsSettings } from './agent-settings.ts';
import { DirectorySlots } from './directory-slots.ts';
import type { Slots } from './slots.ts';
import { SystemdBootSlots } from './systemd-boot-slots.ts';
import { UBootSlots } from './u-boot-slots.ts';

export function openSlots(settings: SlotsSettings): Slots {
  switch (settings.kind) {
    case 'directory':
      return new DirectorySlots(settings.root);
    case 'u-boot':
      return new UBootSlots(settings);
    case 'systemd-boot':
      return new SystemdBootSlots(settings);
  }
}
