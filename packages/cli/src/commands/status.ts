/** `status`. @module */
import type { DeviceView, RefusalView, ServerInfo } from '@holdfast/protocol/api';
import { PAGE_LIMIT } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime, spanText } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { spkiPinText } from '../pin-text.ts';
import { jsonLine, printable } from '../printable.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

const DAY_MS = 86_400_000;

/** Shows on one screen how things are. */
export const status: Command = defineCommand(
  {
    path: 'status',
    summary: 'show the server, its devices and recent refusals',
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['status'],
  },
  async (world, { values }) => {
    const { server, devices, refusals } = await withClient(world, values.data, async (client) => ({
      server: await client.server(),
      devices: await client.devices(),
      refusals: await client.refusals({ limit: PAGE_LIMIT.max }),
    }));
    const { stdout } = world;
    const states = countStates(devices);
    const recent = recentRefusals(refusals, world.nowMs() - DAY_MS);
    if (values.json === true) {
      return stdout.write(jsonLine({ server, devices: states, refusalsLastDay: recent }));
    }
    stdout.write(screen(world, { server, devices: states, recent, last: refusals[0] }));
  },
);

interface Recent {
  readonly count: number;
  /** False when there are more than one page can say. */
  readonly isAll: boolean;
}

function recentRefusals(refusals: readonly RefusalView[], sinceMs: number): Recent {
  const recent = refusals.filter(({ at }) => Date.parse(at) >= sinceMs);
  const count = recent.reduce((sum, refusal) => sum + refusal.count, 0);
  return { count, isAll: recent.length < PAGE_LIMIT.max };
}

function countStates(devices: readonly DeviceView[]): Record<string, number> {
  const groups = Object.groupBy(devices, ({ state }) => state);
  return Object.fromEntries(Object.entries(groups).map(([state, group]) => [state, group.length]));
}

function screen(
  { stdout, timeZone, nowMs }: World,
  {
    server,
    devices,
    recent,
    last,
  }: {
    server: ServerInfo;
    devices: Record<string, number>;
    recent: Recent;
    last: RefusalView | undefined;
  },
): string {
  const paint = paintFor(stdout);
  const upFor = spanText(nowMs() - Date.parse(server.startedAt));
  const states = Object.entries(devices).map(([state, count]) => `${count} ${state}`);
  const refused = `${recent.count}${recent.isAll ? '' : ' or more'} in the last 24 hours`;
  const lastText =
    last === undefined ? '' : `, the last ${localTime(last.at, timeZone)} ${printable(last.code)}`;
  const rows = [
    ['broker', printable(server.broker)],
    ['API', printable(server.api)],
    ['enrollment', printable(server.enroll)],
    ['pin', printable(spkiPinText(server.pins))],
    ['devices', states.length === 0 ? 'none yet' : states.join(', ')],
    ['refusals', recent.count > 0 ? paint.bad(refused) + lastText : refused],
  ];
  return `${paint.strong(`Holdfast ${printable(server.version)}`)}, up for ${upFor}\n${table(rows, 2)}`;
}
