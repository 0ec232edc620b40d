/** `ca crl`. @module */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { CrlView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, systemWhy, usageFailure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { jsonLine, printable } from '../printable.ts';

/** Writes the revocation list for others to publish. */
export const caCrl: Command = defineCommand(
  {
    path: 'ca crl',
    summary: 'write the list of revoked certificates, for others to publish',
    details:
      'Holdfast itself publishes it over HTTPS only, at /crl/devices.crl of the\n' +
      'enrollment port. For software that fetches revocation lists over plain HTTP, let\n' +
      'your own web server publish this file: it is public, and it is signed. Write it\n' +
      'again every hour; it counts for a day.',
    options: {
      out: { type: 'string', value: 'FILE', help: 'where to write it; replaced in one step' },
      pem: { type: 'boolean', help: 'in PEM; otherwise in DER, as web servers publish it' },
      issuer: { type: 'string', value: 'ID', help: 'of another issuer than the present one' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['ca crl --out /var/www/html/devices.crl'],
  },
  async (world, { values }) => {
    const { out } = values;
    if (out === undefined) throw usageFailure('--out is missing.', 'Name a file: --out FILE.');
    const crl = await withClient(world, values.data, (client) => client.crl(values.issuer));
    replaceFile(out, values.pem === true ? pemOf(crl) : Buffer.from(crl.der, 'base64'));
    const { stdout, timeZone } = world;
    const { der: _, ...facts } = crl;
    if (values.json === true) return stdout.write(jsonLine({ ...facts, out }));
    const certificates = crl.count === 1 ? '1 certificate' : `${crl.count} certificates`;
    const until = localTime(crl.nextUpdate, timeZone);
    stdout.write(`${printable(out)} lists ${certificates}; it counts until ${printable(until)}.\n`);
  },
);

/** In one step, so that a web server never publishes half of it. */
function replaceFile(path: string, content: string | Uint8Array): void {
  const partial = `${path}.part`;
  try {
    rmSync(partial, { force: true });
    writeFileSync(partial, content, { mode: 0o644, flag: 'wx' });
    renameSync(partial, path);
  } catch (cause) {
    rmSync(partial, { force: true });
    throw new Failure('E_CLI_FILE', {
      what: `${path} cannot be written.`,
      why: systemWhy(cause) ?? String(cause),
      fix: 'Name a file in a folder in which you may write.',
      cause,
    });
  }
}

function pemOf({ der }: CrlView): string {
  const lines = der.match(/.{1,64}/g) ?? [];
  return ['-----BEGIN X509 CRL-----', ...lines, '-----END X509 CRL-----', ''].join('\n');
}
