/** The command line of the benchmark. @module */
import { parseArgs } from 'node:util';

/** What was asked for. */
export interface Flags {
  /** Starts of the names of cases; all when empty. */
  readonly only: readonly string[];
  /** Names of brokers, each with all of its ways; all when empty. */
  readonly brokers: readonly string[];
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly publishThreads: number;
  readonly isProfiling: boolean;
  readonly out: string;
  readonly wantsHelp: boolean;
}

/** What `--help` prints. */
export const HELP = `npm run bench -- [options]

  --only fan-in,latency   cases whose names begin so (default: all)
  --brokers holdfast,...  holdfast, mosquitto, aedes, nats, rabbitmq (default: all)
  --rounds N              runs of each case and broker, taken in turns (default: 3)
  --threads N             threads of the load that publish (default: 1)
  --out FOLDER            where the results are written (default: bench/results)
  --profile               processor profiles of the brokers on Node, and where their time went
  --quick                 one short round with fewer devices: does it run at all`;

/** Reads the flags. @throws TypeError for one that is not known. */
export function parseFlags(args: readonly string[], out: string): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      brokers: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      profile: { type: 'boolean', default: false },
      threads: { type: 'string', default: '1' },
      out: { type: 'string', default: out },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    only: list(values.only),
    brokers: list(values.brokers),
    isQuick: values.quick,
    rounds: atLeastOne(values.rounds ?? (values.quick ? '1' : '3')),
    publishThreads: atLeastOne(values.threads),
    isProfiling: values.profile,
    out: values.out,
    wantsHelp: values.help,
  };
}

function list(text: string): string[] {
  return text.split(',').filter((word) => word !== '');
}

/** Reads a count from the command line. @throws TypeError for one below 1. */
export function atLeastOne(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${text} is not a count`);
  return value;
}
