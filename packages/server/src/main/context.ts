import type { AcmeOptions } from '../acme/index.ts';
import type { S3Place } from '../buckets/index.ts';
/** What every part of one server is given. @module */
import {
  type Clock,
  type Log,
  type RandomBytes,
  createLog,
  systemClock,
  systemRandom,
} from '../kernel/index.ts';
import type { UpdateRates } from '../update/index.ts';
import { Proxies } from '../wire/index.ts';
import type { AskPassphrase, AskPin, CustodyChoice } from './keepers.ts';
import { type NetworkNames, networkNames } from './network-names.ts';

/** How to start. */
export interface StartOptions {
  /** Folder for everything that is kept; made when it does not exist. */
  readonly dataDir: string;
  /** Names and addresses under which devices reach this server; none means this machine only. */
  readonly hosts: readonly string[];
  /** Addresses and networks of proxies, which have to say by the PROXY protocol who connects. */
  readonly proxyFrom?: readonly string[] | undefined;
  /** Ports; 0 takes a free one. */
  readonly ports: { readonly broker: number; readonly api: number; readonly enroll: number };
  /** Who is to hold the keys of a new data folder; without it they are in the folder. */
  readonly custody?: CustodyChoice | undefined;
  /** Asks for the PIN of a token, once, when the keys of the data folder are in one. */
  readonly askPin?: AskPin | undefined;
  /** Asks for the passphrase, when the keys of the data folder are under one. */
  readonly askPassphrase?: AskPassphrase | undefined;
  /** A certificate for the public name of the API. */
  readonly acme?: AcmeOptions | undefined;
  /** How buckets of S3 are reached; without it, there are folders only. */
  readonly s3?: S3Place | undefined;
  /** Where artifacts of updates are kept, `s3://bucket/prefix`; else in the data folder. */
  readonly firmwareBucket?: string | undefined;
  /** How fast devices may download updates. */
  readonly updateRates?: UpdateRates | undefined;
  /** Starts although registry or log are older copies; it is put on the log. */
  readonly acceptRollback?: boolean | undefined;
  /** Free bytes of the disk below which no messages are taken; see `DISK_RESERVE_BYTES`. */
  readonly diskReserveBytes?: number | undefined;
  readonly log?: Log | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: RandomBytes | undefined;
  /** Nothing can be stored any more: the process should end. */
  readonly onFatal?: ((error: Error) => void) | undefined;
}

/** Undoes one step of the start. */
export type Undo = () => void | Promise<void>;

/** Time, chance, log and names of one server. */
export interface Context {
  readonly options: StartOptions;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly names: NetworkNames;
  readonly proxies: Proxies | undefined;
  /** Keeps how to undo a step, for a start that fails later on. */
  readonly onUndo: (undo: Undo) => void;
}

const silentLog = createLog({ form: 'json', level: 'silent', write: () => {} });

/** Completes the options with the machine's own clock and chance. */
export function openContext(options: StartOptions, onUndo: Context['onUndo']): Context {
  return {
    options,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    log: options.log ?? silentLog,
    names: networkNames(options.hosts),
    proxies: proxiesOf(options),
    onUndo,
  };
}

function proxiesOf({ proxyFrom = [] }: StartOptions): Proxies | undefined {
  return proxyFrom.length === 0 ? undefined : new Proxies(proxyFrom);
}
