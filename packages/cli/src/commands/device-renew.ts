/** `device renew`: runs on the device, needs no login. @module */
import { JSON_OPTION, defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { DEVICE_TOKEN_OPTIONS, withDeviceToken } from '../device-token.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';

/** Gives a device bundle a new key and a new certificate. */
export const deviceRenew: Command = defineCommand(
  {
    path: 'device renew',
    summary: 'on the device: renew its certificate, with a new key',
    details:
      'For devices whose program is not the SDK, which renews by itself: run it once a\n' +
      'month, and start the program again after it. The certificate before ends when\n' +
      'the server has accepted the new one. Interrupted, it goes on where it stopped.\n' +
      'Keys that are in a token are renewed in it: name it as for holdfast device enroll.',
    arguments: ['bundle'],
    options: { ...DEVICE_TOKEN_OPTIONS, json: JSON_OPTION },
    examples: ['device renew ./thermostat-1'],
  },
  async (world, { values, positionals: [bundle = ''] }) => {
    const { renew } = await world.device();
    const { device, certificate } = await withDeviceToken(world, values, (token) =>
      renew({ bundle, ...(token && { token }) }),
    );
    const { stdout } = world;
    const notAfter = certificate.validToDate.toISOString();
    if (values.json === true) {
      const { serialNumber: serial } = certificate;
      return stdout.write(jsonLine({ device, serial, notAfter }));
    }
    const paint = paintFor(stdout);
    stdout.write(`${paint.good('✓')} ${printable(device)} has a new key and certificate, `);
    stdout.write(`valid to ${notAfter.slice(0, 10)}.\n`);
  },
);
