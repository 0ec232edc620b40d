/** `device tpm …`: whether a device proves how it booted. @module */
import type { TpmView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import type { World } from '../world.ts';

const OUTPUT_OPTIONS = { json: JSON_OPTION, data: DATA_OPTION } as const;

/** Shows the TPM of a device. */
export const deviceTpmShow: Command = defineCommand(
  {
    path: 'device tpm show',
    summary: 'show the TPM of a device, and whether it has proven its boot',
    arguments: ['id'],
    options: OUTPUT_OPTIONS,
    examples: ['device tpm show gateway-1'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const tpm = await withClient(world, values.data, (client) => client.tpm(id));
    if (values.json === true) return world.stdout.write(jsonLine(tpm));
    print(world, id, tpm);
  },
);

/** Vouches for the TPM of a device. */
export const deviceTpmAccept: Command = defineCommand(
  {
    path: 'device tpm accept',
    summary: 'vouch for the TPM that a device has shown',
    details:
      'From then on the device has to prove by it how it booted. EK-SHA256 is the SHA-256 of\n' +
      'the public endorsement key (SPKI, DER). Read it on the device itself, or in the list of\n' +
      'its manufacturer, not here: what is shown here came over the network.\n' +
      'The TPM of a known manufacturer (manufacturer add) needs nobody to vouch for it.',
    arguments: ['id', 'ek-sha256'],
    options: OUTPUT_OPTIONS,
    examples: [`device tpm accept gateway-1 ${'5f'.repeat(32)}`],
  },
  async (world, { values, positionals: [id = '', given = ''] }) => {
    const ekSha256 = given.toLowerCase();
    if (!/^[0-9a-f]{64}$/u.test(ekSha256)) {
      throw usageFailure('EK-SHA256 has 64 hexadecimal digits.', 'See: holdfast device tpm --help');
    }
    const accept = withStepUp(world, values.data, (client) => client.acceptTpm(id, ekSha256));
    const tpm = await accept;
    if (values.json === true) return world.stdout.write(jsonLine(tpm));
    print(world, id, tpm);
  },
);

/** Forgets the TPM of a device. */
export const deviceTpmForget: Command = defineCommand(
  {
    path: 'device tpm forget',
    summary: 'let another TPM be bound to a device, after a repair',
    details: 'Until then the device has nothing to prove, and is let in without it.',
    arguments: ['id'],
    options: OUTPUT_OPTIONS,
    examples: ['device tpm forget gateway-1'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    await withStepUp(world, values.data, (client) => client.forgetTpm(id));
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine({ forgotten: id }));
    stdout.write(`No TPM is bound to ${printable(id)} any more.\n`);
  },
);

function print({ stdout, timeZone }: World, id: string, tpm: TpmView): void {
  const paint = paintFor(stdout);
  const { boot, proof, why, trust, trustedBy = '' } = tpm;
  const name = printable(id);
  if (boot === 'proven' && proof !== undefined) {
    const when = localTime(proof.at, timeZone);
    const what = `${name} booted ${printable(proof.release)}`;
    stdout.write(`${paint.good(`Proven: ${what}`)}, ${when}.\n`);
  } else if (boot === 'unproven') {
    stdout.write(`${paint.bad(`${name} has not proven how it booted.`)}\n`);
  } else {
    stdout.write(`Nobody vouches for the TPM of ${name}, so it has nothing to prove.\n`);
  }
  if (why !== undefined) stdout.write(`  why   ${printable(why)}\n`);
  const by = trust === 'nobody' ? 'nobody' : `${trust} ${printable(trustedBy)}`;
  stdout.write(`  TPM   ${tpm.ekSha256}, since ${localTime(tpm.boundAt, timeZone)}\n`);
  stdout.write(`  vouched for by ${by}\n`);
}
