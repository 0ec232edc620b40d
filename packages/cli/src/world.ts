/** All that a command touches outside itself, so that tests can put a small world in its place. @module */
import type { Client, TransportOptions } from '@holdfast/client';
import type * as Device from '@holdfast/device';
import type * as Server from '@holdfast/server';

/** One of the two output streams. */
export interface Output {
  readonly write: (text: string) => void;
  readonly isTty: boolean;
  readonly hasColor: boolean;
  /** Width of the terminal in characters. */
  readonly columns: number;
  /** Its height in lines. */
  readonly rows: number;
}

/** The person, or the pipe, at standard input. */
export interface Input {
  readonly isTty: boolean;
  readonly readAll: () => Promise<string>;
  readonly ask: (question: string) => Promise<string>;
  /** Asks without an echo. */
  readonly askHidden: (question: string) => Promise<string>;
}

/** The world of one run. */
export interface World {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly input: Input;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Home folder of the user. */
  readonly home: string;
  /** Name of this machine. */
  readonly hostName: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Resolves after so many milliseconds; rejects when it is ended before. */
  readonly pause: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Calls `listener` for each SIGINT, SIGTERM and SIGHUP from now on. */
  readonly onStopSignal: (listener: () => void) => void;
  /** Ends the process at once, whatever is still open. */
  readonly exit: (code: number) => void;
  /** Makes a client; loaded when it is needed: help and completion do without. */
  readonly connect: (options: TransportOptions) => Promise<Client>;
  /** Loads the server: most commands do not need it. */
  readonly server: () => Promise<
    Pick<
      typeof Server,
      | 'start'
      | 'verifyData'
      | 'restoreData'
      | 'bucketPolicies'
      | 'parseS3Name'
      | 'drillRestore'
      | 'createLog'
      | 'installationAt'
      | 'signWithRoot'
      | 'proveExportedRoot'
      | 'makeSignerKey'
      | 'openSignerKey'
      | 'makeBootKey'
      | 'openBootKey'
      | 'changeCustody'
      | 'custodyOfFolder'
      | 'makeEscrow'
      | 'recoverUnsealKey'
    >
  >;
  readonly device: () => Promise<
    Pick<
      typeof Device,
      | 'connect'
      | 'enroll'
      | 'loadBundle'
      | 'renew'
      | 'readPinsOf'
      | 'openToken'
      | 'makeTokenSigner'
      | 'openTokenSigner'
    >
  >;
}
