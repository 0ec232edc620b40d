/** `device list` and `device show`. @module */
import {
  DEVICE_PAGE_LIMIT,
  DEVICE_STATE_LIST,
  type DeviceDetail,
  type DeviceFilter,
  type DeviceView,
} from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { readDeviceClass } from '../device-selection.ts';
import { usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import type { Paint } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { nearest } from '../suggest.ts';
import { table } from '../table.ts';
import { timeOption } from '../time-option.ts';
import { showOrWatch, WATCH_OPTION } from '../watch.ts';
import type { World } from '../world.ts';

/** Lists devices. */
export const deviceList: Command = defineCommand(
  {
    path: 'device list',
    summary: 'list devices and their states',
    details: `With --watch, the first ${DEVICE_PAGE_LIMIT.max} of them.`,
    options: {
      state: { type: 'string', value: 'STATE', help: `only ${DEVICE_STATE_LIST.join(', ')}` },
      class: { type: 'string', value: 'CLASS', help: 'only those of a class' },
      group: { type: 'string', value: 'GROUP', help: 'only those of a group; "" for no group' },
      tag: { type: 'string', value: 'TAG', help: 'only those with a tag, or with all of a,b' },
      q: { type: 'string', value: 'TEXT', help: 'only those with it in id, group, class or tag' },
      online: { type: 'boolean', help: 'only those that are connected now' },
      offline: { type: 'boolean', help: 'only those that are not' },
      'seen-before': { type: 'string', value: 'TIME', help: 'only those not seen since, as -7d' },
      'never-seen': { type: 'boolean', help: 'only those that were not seen yet' },
      firmware: { type: 'string', value: 'LINE@VERSION', help: 'only those that run it' },
      owner: { type: 'string', value: 'yes|no', help: 'only those that somebody has, or nobody' },
      watch: WATCH_OPTION,
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [
      'device list',
      'device list --group north --state quarantined',
      'device list --tag roof --seen-before -7d',
      'device list --offline --watch',
    ],
  },
  async (world, { values }) => {
    const filter = filterOf(world, values);
    await withClient(world, values.data, (client) =>
      showOrWatch(world, values, {
        read: async () => {
          if (values.watch !== true) return client.devices(filter);
          return (await client.devicePage({ ...filter, limit: DEVICE_PAGE_LIMIT.max })).devices;
        },
        text: (devices) => listText(devices, { world, isFiltered: Object.keys(filter).length > 0 }),
        json: (devices) => devices.map(jsonLine).join(''),
      }),
    );
  },
);

function listText(
  devices: readonly DeviceView[],
  { world, isFiltered }: { world: World; isFiltered: boolean },
): string {
  const { stdout, stderr, timeZone } = world;
  const paint = paintFor(stdout);
  if (devices.length === 0 && isFiltered) {
    stderr.write('There is no such device.\n');
    return '';
  }
  if (devices.length === 0) {
    const next = paint.command('npx holdfast device add thermostat-1 --class sensor');
    return `There are no devices yet. Add one:\n\n  ${next}\n`;
  }
  // What no device has would be an empty column.
  const hasTags = devices.some(({ tags }) => tags !== undefined);
  const hasFirmware = devices.some(({ firmware }) => firmware?.runs !== undefined);
  const rowOf = (device: DeviceView): string[] => [
    paint.strong(printable(device.id)),
    device.class,
    printable(device.group),
    ...(hasTags ? [printable((device.tags ?? []).join(' '))] : []),
    stateText(device, paint),
    seenText(device, { paint, timeZone }),
    ...(hasFirmware ? [printable(device.firmware?.runs ?? '')] : []),
    printable(device.stateReason),
  ];
  const named = ['DEVICE', 'CLASS', 'GROUP', ...(hasTags ? ['TAGS'] : [])];
  const told = ['STATE', 'SEEN', ...(hasFirmware ? ['FIRMWARE'] : []), 'REASON'];
  return table([[...named, ...told].map(paint.faint), ...devices.map(rowOf)]);
}

/** Shows one device. */
export const deviceShow: Command = defineCommand(
  {
    path: 'device show',
    summary: 'show a device, its state and its certificates',
    arguments: ['id'],
    options: { watch: WATCH_OPTION, json: JSON_OPTION, data: DATA_OPTION },
    examples: ['device show thermostat-1', 'device show thermostat-1 --watch'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    await withClient(world, values.data, (client) =>
      showOrWatch(world, values, {
        read: () => client.device(id),
        text: (detail) => detailText(world, detail),
      }),
    );
  },
);

function detailText({ stdout, timeZone }: World, { device, certificates }: DeviceDetail): string {
  const paint = paintFor(stdout);
  const facts = [
    ['class', device.class],
    ['group', printable(device.group)],
    ['tags', printable((device.tags ?? []).join(' '))],
    ['hardware', printable(device.hardware ?? '')],
    ['firmware', firmwareText(device)],
    ['owner', device.hasOwner === undefined ? '' : device.hasOwner ? 'yes' : 'none'],
    ['seen', device.online === undefined ? '' : seenText(device, { paint, timeZone })],
    ['state', stateText(device, paint)],
    ['reason', printable(device.stateReason)],
    ['by', printable(device.stateBy)],
    ['since', device.stateAt === undefined ? '' : localTime(device.stateAt, timeZone)],
    ['added', localTime(device.createdAt, timeZone)],
  ].filter(([, text]) => text !== '');
  const about = `${paint.strong(printable(device.id))}\n${table(facts, 2)}\n`;
  if (certificates.length === 0) return `${about}It has no certificate yet.\n`;
  const head = ['CERTIFICATE', 'VALID FROM', 'TO', 'SHA-256'].map(paint.faint);
  const rows = certificates.map(({ status, notBefore, notAfter, fingerprint }) => [
    status === 'current' ? paint.good(status) : status,
    localTime(notBefore, timeZone),
    localTime(notAfter, timeZone),
    printable(fingerprint),
  ]);
  return about + table([head, ...rows]);
}

interface ListValues {
  readonly state?: string | undefined;
  readonly class?: string | undefined;
  readonly group?: string | undefined;
  readonly tag?: string | undefined;
  readonly q?: string | undefined;
  readonly online?: boolean | undefined;
  readonly offline?: boolean | undefined;
  readonly 'seen-before'?: string | undefined;
  readonly 'never-seen'?: boolean | undefined;
  readonly firmware?: string | undefined;
  readonly owner?: string | undefined;
}

function filterOf(world: World, values: ListValues): DeviceFilter {
  const { state, class: className, group, tag, q, firmware, owner, online, offline } = values;
  const before = values['seen-before'];
  const time = { name: 'seen-before', nowMs: world.nowMs(), timeZone: world.timeZone };
  return {
    ...(state !== undefined && { state: readState(state) }),
    ...(className !== undefined && { class: readDeviceClass(className) }),
    ...(group !== undefined && { group }),
    ...(tag !== undefined && { tag }),
    ...(q !== undefined && { q }),
    ...(online === true && { online: 'yes' as const }),
    ...(offline === true && { online: 'no' as const }),
    ...(values['never-seen'] === true && { seen: 'never' as const }),
    ...(before !== undefined && { seenBefore: timeOption(before, time) }),
    ...(firmware !== undefined && { firmware }),
    ...(owner !== undefined && { owner: readOwner(owner) }),
  };
}

function readOwner(text: string): 'yes' | 'no' {
  if (text === 'yes' || text === 'no') return text;
  throw usageFailure(`--owner is yes or no, not "${text}".`, 'For example: --owner no');
}

/** Connected, or when it was heard of last. */
function seenText(
  { online, lastSeen }: DeviceView,
  { paint, timeZone }: { paint: Paint; timeZone: string },
): string {
  if (online === true) return paint.good('online');
  return lastSeen === undefined ? 'never' : localTime(lastSeen, timeZone).slice(0, -3);
}

function firmwareText({ firmware }: DeviceView): string {
  if (firmware === undefined) return '';
  const { runs = 'unknown', release, state } = firmware;
  const update = release === '' ? '' : ` (last update: ${release}, ${state})`;
  return printable(`${runs}${update}`);
}

function readState(text: string): DeviceView['state'] {
  const found = DEVICE_STATE_LIST.find((name) => name === text);
  if (found !== undefined) return found;
  const meant = nearest(text, DEVICE_STATE_LIST);
  throw usageFailure(
    `There is no state "${text}".`,
    meant === undefined ? `One of ${DEVICE_STATE_LIST.join(', ')}.` : `Did you mean ${meant}?`,
  );
}

function stateText({ state }: DeviceView, paint: Paint): string {
  if (state === 'active') return paint.good(state);
  return state === 'revoked' || state === 'quarantined' ? paint.bad(state) : state;
}
