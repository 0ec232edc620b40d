/** `pin`: what a client pins, from the server, from whoever answers, or from a device bundle. @module */
import { shownPins } from '@holdfast/client';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { certificatePinText, spkiPinText } from '../pin-text.ts';
import { jsonLine, printable } from '../printable.ts';
import type { World } from '../world.ts';

const SPKI_TEXT =
  'is the public key (curl --pinnedpubkey, RFC 7469). Pin this one: it stays when the\n  certificate is renewed.';
const CERTIFICATE_TEXT =
  'is the certificate (openssl x509 -fingerprint -sha256), for clients that compare\n  nothing else. It changes with each renewal, which is at least yearly.';
const BACKUP_TEXT =
  'is the key that the server will have next. Pin it as well: a change of the key\n  (holdfast server rotate-key) then locks nobody out.';

/** Prints what a client pins. */
export const pin: Command = defineCommand(
  {
    path: 'pin',
    summary: 'print the pins of the server, for clients without our SDK',
    details:
      'In both forms, and the backup pin: that of the key which the server will have\n' +
      'next. With --server it shows what answers there, which proves nothing yet;\n' +
      'with --bundle, what a device accepts.',
    options: {
      server: { type: 'string', value: 'HOST:PORT', help: 'ask who answers there (default local)' },
      bundle: { type: 'string', value: 'FOLDER', help: 'read a device bundle instead' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['pin > server.pin', 'pin --server iot.example.com:8883', 'pin --bundle ./pump-1'],
  },
  async (world, { values: { server, bundle, json, data } }) => {
    if (bundle !== undefined) {
      if (server !== undefined) throw usageFailure('One source at a time.', ONE_SOURCE);
      return printBundle(world, bundle, json);
    }
    if (server !== undefined && server !== 'local') return printShown(world, server, json);
    const { pins } = await withClient(world, data, (client) => client.server());
    if (json === true) return world.stdout.write(jsonLine(pins));
    const backup = spkiPinText({ spki: pins.backupSpki });
    writeLines(world, [spkiPinText(pins), certificatePinText(pins), backup]);
    world.stderr.write(`Line 1 ${SPKI_TEXT}\nLine 2 ${CERTIFICATE_TEXT}\nLine 3 ${BACKUP_TEXT}\n`);
  },
);

async function printShown(world: World, server: string, json: boolean | undefined): Promise<void> {
  const url = URL.parse(`https://${server}`);
  if (url === null || !/:\d+$/u.test(server) || url.pathname !== '/') {
    throw usageFailure(
      `"${server}" is no host and port.`,
      'Such as --server iot.example.com:8883.',
    );
  }
  const pins = await shownPins(url.href);
  if (json === true) world.stdout.write(jsonLine(pins));
  else writeLines(world, [spkiPinText(pins), certificatePinText(pins)]);
  world.stderr.write(
    `Whoever answers at ${printable(server)} shows this; nothing proves yet that it is your server.\n` +
      'Compare with holdfast pin on the server itself, before you pin it.\n',
  );
}

async function printBundle(world: World, folder: string, json: boolean | undefined): Promise<void> {
  const { readPinsOf } = await world.device();
  const { pins, backupPins } = readPinsOf(folder);
  if (json === true) return world.stdout.write(jsonLine({ pins, backupPins }));
  const lines = [...pins, ...backupPins].flatMap(({ spki, certificate }) => [
    spki === undefined ? undefined : spkiPinText({ spki }),
    certificate === undefined ? undefined : certificatePinText({ certificate }),
  ]);
  writeLines(
    world,
    lines.filter((line) => line !== undefined),
  );
  world.stderr.write('The device accepts a server that has any one of these.\n');
}

function writeLines({ stdout }: World, lines: readonly string[]): void {
  for (const line of lines) stdout.write(`${printable(line)}\n`);
}

const ONE_SOURCE = 'Give --server or --bundle, not both.';
