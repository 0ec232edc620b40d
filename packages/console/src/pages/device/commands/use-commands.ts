/** The commands to a device, page by page. @module */
import type { DeviceCommandList, DeviceCommandView } from '@holdfast/protocol/api';
import { pathOf } from '../use-device.ts';
import { type PagesState, usePages } from '../use-pages.ts';

const EVERY_MS = 30_000;

/** What the panel shows. */
export interface CommandsState extends PagesState {
  /** The newest first; undefined before the first answer. */
  readonly commands: readonly DeviceCommandView[] | undefined;
}

/** Asks for the commands. */
export function useCommands(id: string): CommandsState {
  const path = `${pathOf(id)}/commands`;
  const { items, ...state } = usePages(path, ({ commands }: DeviceCommandList) => commands, {
    everyMs: EVERY_MS,
  });
  return { ...state, commands: items };
}
