/** `device list` and `device show`. @module */
import {
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
import type { World } from '../world.ts';

/** Lists devices. */
export const deviceList: Command = defineCommand(
  {
    path: 'device list',
    summary: 'list devices and their states',
    options: {
      state: { type: 'string', value: 'STATE', help: `only ${DEVICE_STATE_LIST.join(', ')}` },
      class: { type: 'string', value: 'CLASS', help: 'only those of a class' },
      group: { type: 'string', value: 'GROUP', help: 'only those of a group; "" for no group' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['device list', 'device list --group north --state quarantined'],
  },
  async (world, { values }) => {
    const filter = filterOf(values);
    const devices = await withClient(world, values.data, (client) => client.devices(filter));
    const { stdout, timeZone } = world;
    if (values.json === true) {
      for (const device of devices) stdout.write(jsonLine(device));
      return;
    }
    const paint = paintFor(stdout);
    if (devices.length === 0 && Object.keys(filter).length > 0) {
      return world.stderr.write('There is no such device.\n');
    }
    if (devices.length === 0) {
      const next = paint.command('npx holdfast device add thermostat-1 --class sensor');
      return stdout.write(`There are no devices yet. Add one:\n\n  ${next}\n`);
    }
    const rows = devices.map((device) => [
      paint.strong(printable(device.id)),
      device.class,
      printable(device.group),
      stateText(device, paint),
      localTime(device.createdAt, timeZone).slice(0, -3),
      printable(device.stateReason),
    ]);
    const head = ['DEVICE', 'CLASS', 'GROUP', 'STATE', 'ADDED', 'REASON'].map(paint.faint);
    stdout.write(table([head, ...rows]));
  },
);

/** Shows one device. */
export const deviceShow: Command = defineCommand(
  {
    path: 'device show',
    summary: 'show a device, its state and its certificates',
    arguments: ['id'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['device show thermostat-1'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const detail = await withClient(world, values.data, (client) => client.device(id));
    if (values.json === true) world.stdout.write(jsonLine(detail));
    else show(world, detail);
  },
);

function show({ stdout, timeZone }: World, { device, certificates }: DeviceDetail): void {
  const paint = paintFor(stdout);
  const facts = [
    ['class', device.class],
    ['group', printable(device.group)],
    ['state', stateText(device, paint)],
    ['reason', printable(device.stateReason)],
    ['by', printable(device.stateBy)],
    ['since', device.stateAt === undefined ? '' : localTime(device.stateAt, timeZone)],
    ['added', localTime(device.createdAt, timeZone)],
  ].filter(([, text]) => text !== '');
  stdout.write(`${paint.strong(printable(device.id))}\n${table(facts, 2)}\n`);
  if (certificates.length === 0) return stdout.write('It has no certificate yet.\n');
  const head = ['CERTIFICATE', 'VALID FROM', 'TO', 'SHA-256'].map(paint.faint);
  const rows = certificates.map(({ status, notBefore, notAfter, fingerprint }) => [
    status === 'current' ? paint.good(status) : status,
    localTime(notBefore, timeZone),
    localTime(notAfter, timeZone),
    printable(fingerprint),
  ]);
  stdout.write(table([head, ...rows]));
}

function filterOf({
  state,
  class: className,
  group,
}: {
  readonly state?: string | undefined;
  readonly class?: string | undefined;
  readonly group?: string | undefined;
}): DeviceFilter {
  return {
    ...(state !== undefined && { state: readState(state) }),
    ...(className !== undefined && { class: readDeviceClass(className) }),
    ...(group !== undefined && { group }),
  };
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
