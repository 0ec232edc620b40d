/** `manufacturer` and `device allow-idevid`: devices that enroll by the certificate of their maker. @module */
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import { readText } from '../text-source.ts';

const OUTPUT_OPTIONS = { json: JSON_OPTION, data: DATA_OPTION } as const;

/** Registers a manufacturer. */
export const manufacturerAdd: Command = defineCommand(
  {
    path: 'manufacturer add',
    summary: 'register a manufacturer whose certificates enroll devices',
    details:
      'FILE holds, in PEM, the authorities that issue to its devices themselves; the\n' +
      'root above them is not enough. No device is let in by this alone: each one is\n' +
      'allowed by holdfast device allow-idevid.',
    arguments: ['name'],
    options: {
      ca: { type: 'string', value: 'FILE', help: 'the authorities, PEM' },
      ...OUTPUT_OPTIONS,
    },
    examples: ['manufacturer add acme --ca ./acme-devices.pem'],
  },
  async (world, { values, positionals: [name = ''] }) => {
    if (values.ca === undefined) {
      throw usageFailure(
        'A manufacturer needs --ca, the file with its authorities.',
        `For example: holdfast manufacturer add ${name} --ca ./devices-ca.pem`,
      );
    }
    const request = { name, certificatesPem: readText(values.ca) };
    const added = await withStepUp(world, values.data, (client) => client.addManufacturer(request));
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(added));
    const rows = added.authorities.map(({ subject, fingerprint, notAfter }) => [
      printable(subject),
      `until ${printable(notAfter.slice(0, 10))}`,
      printable(fingerprint),
    ]);
    stdout.write(`${printable(name)} may enroll the devices that you allow it:\n${table(rows, 2)}`);
    stdout.write('Next: holdfast device allow-idevid <id> --manufacturer … --serial …\n');
  },
);

/** Lists the manufacturers. */
export const manufacturerList: Command = defineCommand(
  {
    path: 'manufacturer list',
    summary: 'list the manufacturers whose certificates enroll devices',
    options: OUTPUT_OPTIONS,
    examples: ['manufacturer list'],
  },
  async (world, { values }) => {
    const manufacturers = await withClient(world, values.data, (client) => client.manufacturers());
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine({ manufacturers }));
    if (manufacturers.length === 0) {
      return stdout.write('There is none. Add one: holdfast manufacturer add\n');
    }
    const rows = manufacturers.map(({ name, authorities, deviceCount }) => [
      name,
      `${deviceCount} devices`,
      authorities.map(({ subject }) => subject).join('; '),
    ]);
    stdout.write(table(rows.map((row) => row.map(printable))));
  },
);

/** Removes a manufacturer. */
export const manufacturerRemove: Command = defineCommand(
  {
    path: 'manufacturer remove',
    summary: 'let a manufacturer enroll no device any more',
    details: 'Devices that have enrolled stay so: holdfast device revoke ends them.',
    arguments: ['name'],
    options: OUTPUT_OPTIONS,
    examples: ['manufacturer remove acme'],
  },
  async (world, { values, positionals: [name = ''] }) => {
    await withStepUp(world, values.data, (client) => client.removeManufacturer(name));
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine({ removed: name }));
    stdout.write(`${printable(name)} enrolls no device any more.\n`);
  },
);

/** Allows the certificate of a manufacturer to enroll a device. */
export const deviceAllowIdevid: Command = defineCommand(
  {
    path: 'device allow-idevid',
    summary: 'let a device enroll by the certificate of its manufacturer, once',
    details:
      '--serial is the serial number of the device, as it stands in the subject of its\n' +
      'certificate and usually on its label; --certificate-serial is that of the\n' +
      'certificate itself, in hex, for makers who put none into the subject.\n' +
      'What was allowed for the device before is void.',
    arguments: ['id'],
    options: {
      manufacturer: { type: 'string', value: 'NAME', help: 'who made it; see manufacturer list' },
      serial: { type: 'string', value: 'TEXT', help: 'serial number in the subject' },
      'certificate-serial': { type: 'string', value: 'HEX', help: 'serial of the certificate' },
      ...OUTPUT_OPTIONS,
    },
    examples: ['device allow-idevid pump-1 --manufacturer acme --serial AC-004711'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const { manufacturer, serial, 'certificate-serial': certificateSerial } = values;
    if (
      manufacturer === undefined ||
      (serial === undefined) === (certificateSerial === undefined)
    ) {
      throw usageFailure(
        'It needs --manufacturer, and either --serial or --certificate-serial.',
        `For example: holdfast device allow-idevid ${id} --manufacturer acme --serial AC-004711`,
      );
    }
    const request = {
      manufacturer,
      ...(serial !== undefined && { serial }),
      ...(certificateSerial !== undefined && { certificateSerial }),
    };
    const allowed = await withStepUp(world, values.data, (client) =>
      client.allowIdevid(id, request),
    );
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine(allowed));
    stdout.write(
      `${printable(id)} may enroll once by its certificate of ${printable(manufacturer)}.\n`,
    );
  },
);
