/** `status`. @module */
import type { DeviceView, RefusalView, ServerInfo } from '@holdfast/protocol/api';
import { PAGE_LIMIT } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime, spanText } from '../local-time.ts';
import { type Paint, paintFor } from '../paint.ts';
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

/** Said only when something is to be done. */
function diskRows({ disk }: ServerInfo, { bad }: Paint): string[][] {
  if (disk === undefined || disk.condition === 'good') return [];
  const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
  const free = disk.freeBytes === undefined ? '' : `, ${mebibytes(disk.freeBytes)} free`;
  const why = {
    full: `nearly full${free}, and ${mebibytes(disk.reserveBytes)} are kept: no messages are taken`,
    failing: `refuses what is written${free}: nothing is stored`,
    slow: 'slow: a commit has taken seconds',
  }[disk.condition];
  return [['disk', bad(why)]];
}

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
    ...diskRows(server, paint),
    ...backupRow({ stdout, timeZone }, server),
    ...keyRows(server, paint),
    ['devices', states.length === 0 ? 'none yet' : states.join(', ')],
    ...witnessedRow({ stdout, timeZone }, server),
    ['refusals', recent.count > 0 ? paint.bad(refused) + lastText : refused],
  ];
  return `${paint.strong(`Holdfast ${printable(server.version)}`)}, up for ${upFor}\n${table(rows, 2)}`;
}

/** Said only when something is to be done, or under way. */
function keyRows({ keys }: ServerInfo, { bad }: Paint): string[][] {
  if (keys === undefined) return [];
  const rows = keys.isRotating ? [['keys', 'a rotation is under way: holdfast keys status']] : [];
  if (keys.isRecoverable) return rows;
  return [...rows, ['recovery', bad('no recovery shares; make them today: holdfast keys escrow')]];
}

/** The newest backup; no row where nobody has thought of backups. */
function backupRow(
  { stdout, timeZone }: Pick<World, 'stdout' | 'timeZone'>,
  { backups }: ServerInfo,
): string[][] {
  if (backups === undefined) return [];
  const { lastAt, lastDrill, troubles } = backups;
  const paint = paintFor(stdout);
  const drill =
    lastDrill === undefined
      ? 'never restored as a trial'
      : `a restore ${lastDrill.isGood ? 'worked' : paint.bad('FAILED')} ${localTime(lastDrill.at, timeZone)}`;
  const made = lastAt === undefined ? paint.bad('none yet') : localTime(lastAt, timeZone);
  const trouble = troubles === 0 ? '' : `; ${paint.bad('trouble: see holdfast backup status')}`;
  return [['backup', `${made}, ${drill}${trouble}`]];
}

/** What witnesses have seen of the log; no row where there is none. */
function witnessedRow(
  { stdout, timeZone }: Pick<World, 'stdout' | 'timeZone'>,
  { witnessed }: ServerInfo,
): string[][] {
  if (witnessed === undefined) return [];
  const { latest, isBehind } = witnessed;
  const paint = paintFor(stdout);
  if (isBehind) return [['witnessed', paint.bad('ALARM: a witness has seen another log')]];
  if (latest === undefined) return [['witnessed', 'not yet']];
  const count = new Intl.NumberFormat('en').format(latest.size);
  return [['witnessed', `${count} entries, ${localTime(latest.at, timeZone)}`]];
}
