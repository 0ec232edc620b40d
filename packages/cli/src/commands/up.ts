/** `up`: starts the server, says how to go on, and stops it cleanly. @module */
import { REFUSAL_CODES } from '@holdfast/protocol';
import type { RunningServer } from '@holdfast/server';
import { dataFolder } from '../access.ts';
import { defineCommand, integerOption } from '../command.ts';
import type { Command } from '../command.ts';
import { EXIT, Failure, usageFailure } from '../failure.ts';
import { paintFor } from '../paint.ts';
import { printFailure } from '../print-failure.ts';
import type { World } from '../world.ts';
import { ACME_OPTIONS, acmeOf } from './acme-options.ts';
import { CUSTODY_OPTIONS, askSecrets, custodyOf } from './custody-options.ts';
import { PORTS } from './ports.ts';
import { S3_OPTIONS, s3Of } from './s3-options.ts';
import { bannerText } from './up-banner.ts';

/**
 * Signals this close together are one: Ctrl-C reaches the whole process group, and npm, which is in
 * it, passes the signal on to us a second time. In milliseconds.
 */
const ECHO_MS = 500;

/** Starts the server. */
export const up: Command = defineCommand(
  {
    path: 'up',
    summary: 'start the server',
    details:
      'Everything is made at the first start: keys, authority, certificates. Without\n' +
      '--host it listens on this machine only. Ctrl-C stops it.',
    options: {
      data: {
        type: 'string',
        value: 'FOLDER',
        help: 'where it keeps everything (default ./data, or HOLDFAST_DATA)',
      },
      host: {
        type: 'string',
        multiple: true,
        value: 'NAME',
        help: 'name or address by which devices reach it; listens on all interfaces',
      },
      'proxy-from': {
        type: 'string',
        multiple: true,
        value: 'ADDRESS',
        help: 'proxy whose PROXY header (version 2) says who connects: an address or network',
      },
      'broker-port': { type: 'string', value: 'PORT', help: `MQTT (default ${PORTS.broker})` },
      'api-port': { type: 'string', value: 'PORT', help: `HTTP API (default ${PORTS.api})` },
      'enroll-port': {
        type: 'string',
        value: 'PORT',
        help: `enrollment (default ${PORTS.enroll})`,
      },
      ...ACME_OPTIONS,
      ...CUSTODY_OPTIONS,
      ...S3_OPTIONS,
      'firmware-bucket': {
        type: 'string',
        value: 'BUCKET',
        help: 'keep artifacts of updates in s3://bucket/prefix, not in the data folder',
      },
      'disk-reserve': {
        type: 'string',
        value: 'MIB',
        help: 'free space below which no messages are taken, in MiB (default 64)',
      },
      'update-rate-total': {
        type: 'string',
        value: 'KIB',
        help: 'how fast all devices together download updates, in KiB/s (default 65536)',
      },
      'update-rate-device': {
        type: 'string',
        value: 'KIB',
        help: 'how fast one of them does (default 8192)',
      },
      'accept-rollback': {
        type: 'boolean',
        help: 'start although the data folder is an older copy; it is put on the log',
      },
      log: { type: 'string', value: 'FORM', help: 'text or json (default text)' },
    },
    examples: [
      'up',
      'up --host iot.example.com --host 192.0.2.10',
      'up --host iot.example.com --proxy-from 10.0.0.5',
    ],
  },
  async (world, { values }) => {
    const form = logForm(values.log);
    const port = (name: keyof typeof PORTS, text: string | undefined) =>
      integerOption(text ?? PORTS[name], { name: `${name}-port`, min: 0, max: 65_535 });
    const dataDir = values.data ?? dataFolder(world.env);
    const hosts = values.host ?? [];
    const ports = {
      broker: port('broker', values['broker-port']),
      api: port('api', values['api-port']),
      enroll: port('enroll', values['enroll-port']),
    };
    const reserve = values['disk-reserve'];
    const diskReserveBytes = reserve === undefined ? undefined : mebibytes(reserve);
    const updateRates = {
      totalBytesPerSecond: kibibytes(values['update-rate-total'], 'update-rate-total'),
      deviceBytesPerSecond: kibibytes(values['update-rate-device'], 'update-rate-device'),
    };
    const s3 = s3Of(values);
    const custody = { custody: custodyOf(values), ...askSecrets(world, values) };
    const acme = await acmeOf(world, values, hosts);
    const { createLog, start } = await world.server();
    const { stdout, stderr } = world;
    const log = createLog({ form, level: 'info', write: (line) => stdout.write(line) });
    const running = await start({
      dataDir,
      hosts,
      proxyFrom: values['proxy-from'],
      ports,
      log,
      onFatal: giveUp(world),
      acceptRollback: values['accept-rollback'],
      acme,
      s3,
      diskReserveBytes,
      firmwareBucket: values['firmware-bucket'],
      updateRates,
      ...custody,
    });
    // With a log for programs, standard output is theirs alone.
    const screen = form === 'json' ? stderr : stdout;
    // Whoever reads that it runs may stop it at once.
    const stopped = untilStopped(world, () => running.stop());
    const isElsewhere = values.data !== undefined;
    screen.write(
      bannerText({ running, isElsewhere, isLocal: hosts.length === 0 }, paintFor(screen)),
    );
    await stopped;
  },
);

/** @returns bytes; a terabyte is more than anybody keeps free. */
function mebibytes(text: string): number {
  return integerOption(text, { name: 'disk-reserve', min: 1, max: 2 ** 20 }) * 2 ** 20;
}

/**
 * @returns bytes; below 16 KiB a second clients give up, as a piece takes longer than they wait.
 */
function kibibytes(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  return integerOption(text, { name, min: 16, max: 2 ** 24 }) * 1_024;
}

function logForm(text: string | undefined): 'text' | 'json' {
  if (text === undefined || text === 'text' || text === 'json') return text ?? 'text';
  throw usageFailure(`There is no log form "${text}".`, 'Give --log text or --log json.');
}

/** What to do when nothing can be stored any more: end, so that whoever watches over us sees it. */
function giveUp(world: World): (error: Error) => void {
  return ({ message }) => {
    const { what, fix } = REFUSAL_CODES.E_JOURNAL_UNAVAILABLE;
    printFailure(world, new Failure('E_JOURNAL_UNAVAILABLE', { what, why: message, fix }));
    world.exit(EXIT.failed);
  };
}

function incompleteStop(): Failure {
  return new Failure('E_JOURNAL_UNAVAILABLE', {
    what: 'Stopped, but the disk did not take all that was pending.',
    why: 'It fails or is too slow. Everything that was acknowledged is stored.',
    fix: REFUSAL_CODES.E_JOURNAL_UNAVAILABLE.fix,
  });
}

/** Stops at the first signal; a second one does not wait for it to end. */
async function untilStopped(world: World, stop: RunningServer['stop']): Promise<void> {
  const first = Promise.withResolvers<void>();
  let firstMs: number | undefined;
  world.onStopSignal(() => {
    if (firstMs === undefined) {
      firstMs = world.nowMs();
      world.stderr.write('\nStopping. Once more to stop at once.\n');
      first.resolve();
    } else if (world.nowMs() - firstMs >= ECHO_MS) {
      world.stderr.write('Stopped at once; everything that was acknowledged is stored.\n');
      world.exit(EXIT.failed);
    }
  });
  await first.promise;
  const { isComplete } = await stop();
  if (!isComplete) throw incompleteStop();
  world.stderr.write('Stopped.\n');
}
