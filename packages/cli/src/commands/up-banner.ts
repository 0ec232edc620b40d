/** What `up` says when the server runs: where things are, and what to do next. @module */
import type { RunningServer } from '@holdfast/server';
import type { Paint } from '../paint.ts';
import { certificatePinText, spkiPinText } from '../pin-text.ts';
import { table } from '../table.ts';

/** What the banner is about. */
export interface BannerInput {
  readonly running: Pick<RunningServer, 'isNew' | 'info' | 'firstCode' | 'firstLink'>;
  /** Whether the data folder is another than the default: commands then name it. */
  readonly isElsewhere: boolean;
  /** Whether it listens on this machine only. */
  readonly isLocal: boolean;
}

/** The banner, some lines. */
export function bannerText({ running, isElsewhere, isLocal }: BannerInput, paint: Paint): string {
  const { info, isNew, firstCode, firstLink = '' } = running;
  const data = isElsewhere ? ` --data ${quoted(info.dataDir)}` : '';
  const made = isNew
    ? `Made at this first start, in ${info.dataDir}: keys, a certificate authority, certificates.`
    : `Everything is as it was, in ${info.dataDir}.`;
  const reach = isLocal
    ? 'Only this machine can reach it; for devices elsewhere: --host NAME.'
    : 'It listens on all interfaces.';
  const places = [
    ['broker', info.broker, paint.faint('MQTT over mutual TLS 1.3')],
    ['console', info.api, paint.faint('for people, in a browser; the API as well')],
    ['enrollment', info.enroll, paint.faint('where a device redeems its claim')],
  ];
  const proofs = [
    ['certificate', certificatePinText(info.pins)],
    ['public key', spkiPinText(info.pins)],
    ['audit log', info.verifierKey],
  ];
  const steps: string[] = [];
  if (firstCode !== undefined) {
    steps.push(
      'Become the first operator, in a browser, by this link, which works once. The browser\n' +
        '     does not know your authority yet: compare the certificate with the one above first.\n' +
        `     ${paint.command(firstLink)}\n` +
        `     Or at a terminal; the one-time code is ${paint.strong(firstCode)}:\n` +
        `     ${paint.command(`npx holdfast login${data}`)}\n`,
    );
  }
  steps.push(
    `Add a device:\n` +
      `     ${paint.command(`npx holdfast device add thermostat-1 --class sensor${data}`)}\n` +
      `     Or see it at work with a simulated fleet, which one command takes away again:\n` +
      `     ${paint.command(`npx holdfast simulate --misbehave 4${data}`)}\n`,
  );
  return [
    `\n${paint.good('●')} ${paint.strong(`Holdfast ${info.version} is running.`)} ${reach}\n  ${made}\n`,
    table(places, 2),
    `  ${paint.faint('Pins of the server, and the key that verifies its audit log:')}\n${table(proofs, 2)}`,
    `Next, in another terminal\n\n${steps.map((step, at) => `  ${at + 1}. ${step}`).join('\n')}`,
    `${paint.faint('Ctrl-C stops it.')}\n\n`,
  ].join('\n');
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./-]+$/u.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
