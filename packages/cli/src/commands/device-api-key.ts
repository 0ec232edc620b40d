/** `device api-key create`, `list` and `remove`. @module */
import {
  DEVICE_API_KEY_LIFE_MS,
  DEVICE_API_KEY_OVERLAP_MS,
  type CreatedDeviceApiKey,
  type DeviceApiKeyView,
} from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, integerOption, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { openSecretFile } from '../secret-file.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

const DAY_MS = 86_400_000;
const DAYS_MAX = {
  overlap: DEVICE_API_KEY_OVERLAP_MS.max / DAY_MS,
  life: DEVICE_API_KEY_LIFE_MS.max / DAY_MS,
};

/** Makes an API key for a device. */
export const deviceApiKeyCreate: Command = defineCommand(
  {
    path: 'device api-key create',
    summary: 'make an API key for a device, its second factor',
    details:
      'It is shown this one time: give it to the device and to nobody else. The key\n' +
      'before it still works for the overlap, so that the device can be told in time.\n' +
      'The SDK reads it from the file api.key in the bundle of the device.',
    arguments: ['id'],
    options: {
      out: { type: 'string', value: 'FILE', help: 'write it there, readable by you alone' },
      'overlap-days': {
        type: 'string',
        value: 'DAYS',
        help: `how long the key before it still works (default 7, at most ${DAYS_MAX.overlap})`,
      },
      'expires-days': {
        type: 'string',
        value: 'DAYS',
        help: 'when it is to end (default: when it is replaced or removed)',
      },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [
      'device api-key create thermostat-1 --out ./thermostat-1/api.key',
      'device api-key create thermostat-1 --overlap-days 0',
    ],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const request = {
      lifeMs: daysOption('expires-days', values['expires-days'], { min: 1, max: DAYS_MAX.life }),
      overlapMs: daysOption('overlap-days', values['overlap-days'], {
        min: 0,
        max: DAYS_MAX.overlap,
      }),
    };
    const file = values.out === undefined ? undefined : openSecretFile(values.out);
    let created: CreatedDeviceApiKey;
    try {
      created = await withStepUp(world, values.data, (client) =>
        client.createDeviceApiKey(id, request),
      );
    } catch (error) {
      file?.drop();
      throw error;
    }
    file?.keep(`${created.key}\n`);
    show(world, { id, created, out: values.out, isJson: values.json === true });
  },
);

/** Lists the API keys of a device. */
export const deviceApiKeyList: Command = defineCommand(
  {
    path: 'device api-key list',
    summary: 'list the API keys of a device that work now',
    arguments: ['id'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['device api-key list thermostat-1'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const keys = await withClient(world, values.data, (client) => client.deviceApiKeys(id));
    const { stdout, timeZone } = world;
    if (values.json === true) {
      for (const key of keys) stdout.write(jsonLine(key));
      return;
    }
    const paint = paintFor(stdout);
    if (keys.length === 0) return stdout.write(`${printable(id)} has no API key.\n`);
    const time = (iso: string | undefined): string =>
      iso === undefined ? '–' : localTime(iso, timeZone).slice(0, -3);
    const rows = keys.map((key) => [
      paint.strong(printable(key.id)),
      time(key.createdAt),
      time(key.usedAt),
      time(key.endsAt),
    ]);
    stdout.write(table([['KEY', 'MADE', 'LAST USED', 'ENDS'].map(paint.faint), ...rows]));
  },
);

/** Ends an API key of a device. */
export const deviceApiKeyRemove: Command = defineCommand(
  {
    path: 'device api-key remove',
    summary: 'end an API key of a device at once',
    details: 'Connections that showed it are closed. See the keys: holdfast device api-key list.',
    arguments: ['id', 'key'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['device api-key remove thermostat-1 0f1e2d3c4b5a6978'],
  },
  async (world, { values, positionals: [id = '', key = ''] }) => {
    await withStepUp(world, values.data, (client) => client.deleteDeviceApiKey(id, key));
    if (values.json === true) return world.stdout.write(jsonLine({ removed: key }));
    world.stdout.write(`The API key ${printable(key)} of ${printable(id)} has ended.\n`);
  },
);

function daysOption(
  name: string,
  text: string | undefined,
  bounds: { readonly min: number; readonly max: number },
): number | undefined {
  return text === undefined ? undefined : integerOption(text, { name, ...bounds }) * DAY_MS;
}

function show(
  { stdout, timeZone }: World,
  shown: {
    readonly id: string;
    readonly created: CreatedDeviceApiKey;
    readonly out: string | undefined;
    readonly isJson: boolean;
  },
): void {
  const { created, out } = shown;
  const { key, apiKey, previous } = created;
  if (shown.isJson) {
    // What stands in a file of its own is not to stand in a pipe, too.
    return stdout.write(jsonLine(out === undefined ? created : { apiKey, previous }));
  }
  const paint = paintFor(stdout);
  const id = printable(shown.id);
  const place =
    out === undefined
      ? `The API key of ${paint.strong(id)}, shown this one time:\n\n  ${paint.strong(printable(key))}\n`
      : `The API key of ${paint.strong(id)} is in ${printable(out)}.\n`;
  stdout.write(`${place}\n${lifeText(apiKey, previous, timeZone)}`);
}

function lifeText(
  { endsAt }: DeviceApiKeyView,
  previous: DeviceApiKeyView | undefined,
  timeZone: string,
): string {
  const end =
    endsAt === undefined
      ? 'It works until it is replaced or removed.\n'
      : `It works until ${localTime(endsAt, timeZone).slice(0, -3)}.\n`;
  if (previous?.endsAt === undefined) return end;
  const until = localTime(previous.endsAt, timeZone).slice(0, -3);
  return `${end}The key before it (${printable(previous.id)}) works until ${until}.\n`;
}
