/** `device list` and `device show`. @module */
import type { DeviceDetail, DeviceView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import type { Paint } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

/** Lists all devices. */
export const deviceList: Command = defineCommand(
  {
    path: 'device list',
    summary: 'list all devices and their states',
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['device list'],
  },
  async (world, { values }) => {
    const devices = await withClient(world, values.data, (client) => client.devices());
    const { stdout, timeZone } = world;
    if (values.json === true) {
      for (const device of devices) stdout.write(jsonLine(device));
      return;
    }
    const paint = paintFor(stdout);
    if (devices.length === 0) {
      const next = paint.command('npx holdfast device add thermostat-1 --class sensor');
      return stdout.write(`There are no devices yet. Add one:\n\n  ${next}\n`);
    }
    const rows = devices.map((device) => [
      paint.strong(printable(device.id)),
      device.class,
      stateText(device, paint),
      localTime(device.createdAt, timeZone).slice(0, -3),
      printable(device.stateReason),
    ]);
    const head = ['DEVICE', 'CLASS', 'STATE', 'ADDED', 'REASON'].map(paint.faint);
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
    ['state', stateText(device, paint)],
    ['reason', printable(device.stateReason)],
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

function stateText({ state }: DeviceView, paint: Paint): string {
  if (state === 'active') return paint.good(state);
  return state === 'revoked' || state === 'quarantined' ? paint.bad(state) : state;
}
