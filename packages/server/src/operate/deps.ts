/** What the API needs from the rest of the server. @module */
import type { Refusal } from '@holdfast/protocol';
import type { Pins } from '@holdfast/protocol/api';
import type { HttpBindings } from '@hono/node-server';
import type { Registry } from 'prom-client';
import type { LogTiles, RecordAct, RecordEvent, Witnesses } from '../audit/index.ts';
import type { Backups } from '../backup/index.ts';
import type { Buckets } from '../buckets/index.ts';
import type {
  AuthorityKeeper,
  Identify,
  IssuedClaim,
  IssuedCrl,
  Pairing,
  PreparedClaim,
  PreparedPairCode,
} from '../enroll/index.ts';
import type { DiskFigures } from '../journal/index.ts';
import type { Clock, Log, RandomBytes, ReportRefusal } from '../kernel/index.ts';
import type { Policies } from '../policy/index.ts';
import type {
  Caller,
  ClassSettings,
  Device,
  DeviceApiKeys,
  DeviceRegistry,
  LastSeen,
  Manufacturers,
  OwnerApp,
  Owners,
  People,
} from '../registry/index.ts';
import type { AppSessions, Gate, SessionTable } from '../session/index.ts';
import type { CommandsPage, Histories, Page, SeriesStore, TargetActs } from '../telemetry/index.ts';
import type { Rollouts, UpdateParts } from '../update/index.ts';
import type { RequestAccess } from './access.ts';
import type { AppAccess } from './app-guard.ts';
import type { ConsoleFiles } from './console-files.ts';
import type { KeyCare } from './key-care.ts';
import type { LogAudit } from './log-audit.ts';
import type { ServerWatch } from './overview/server-watch.ts';

/** Facts about the running server. */
export interface ServerStatus {
  readonly version: string;
  readonly broker: string;
  readonly api: string;
  /** `https://host[:port]` at which browsers reach the API: passkeys are bound to it. */
  readonly site: string;
  readonly enroll: string;
  readonly pins: Pins;
  readonly verifierKey: string;
  readonly startedAtMs: number;
  /** How the disk is that has the data. */
  readonly disk?: DiskFigures | undefined;
}

/** What the API needs. */
export interface ApiDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly report: ReportRefusal;
  readonly recordAct: RecordAct;
  readonly recordEvent: RecordEvent;
  readonly registry: DeviceRegistry;
  readonly apiKeys: DeviceApiKeys;
  readonly classSettings: ClassSettings;
  readonly manufacturers: Manufacturers;
  readonly people: People;
  /** Who may do what. */
  readonly policies: Policies;
  readonly histories: Histories;
  /** What was done to one device. */
  readonly targetActs: Pick<TargetActs, 'of'>;
  /** The commands to a device, newest first. */
  readonly deviceCommands: (deviceId: string, page: Page) => Promise<CommandsPage>;
  readonly series: Pick<SeriesStore, 'list' | 'points' | 'buckets' | 'latest'>;
  readonly issueClaim: (device: Device, by: string) => IssuedClaim | Refusal;
  /** Makes a claim that counts once its record is written. */
  readonly prepareClaim: (deviceId: string, lifeMs: number) => PreparedClaim;
  /** Who has which device, and by which apps. */
  readonly owners: Owners;
  /** When devices were heard of last. */
  readonly lastSeen: Pick<LastSeen, 'of'>;
  /** Who is connected. */
  readonly sessions: Pick<SessionTable, 'isConnected' | 'connectionOf' | 'sessionOf' | 'endedOf'>;
  readonly pairing: Pairing;
  /** Makes a pairing code that counts once it is kept. */
  readonly preparePairCode: (of: string, lifeMs?: number) => PreparedPairCode;
  /** Ends the rights of a device's owner and erases what it has sent; puts it on record. */
  readonly resetDevice: (
    deviceId: string,
    by: {
      readonly action: 'device.reset' | 'device.give-away';
      readonly principal: string;
      readonly reason: string;
    },
  ) => Promise<{ readonly owner: string | undefined }>;
  /** Backups, where they go, and which of them an erasure has not reached. */
  readonly backups: Backups;
  /** Where objects are kept elsewhere, and what was found there. */
  readonly buckets: Pick<Buckets, 'judgements' | 'check' | 'prepareAcceptance'>;
  /** Destroys the keys of what a device has sent, here and at all destinations of backups. */
  readonly eraseDevice: (deviceId: string) => Promise<{
    readonly keyRefs: readonly number[];
    readonly pending: readonly string[];
    readonly isScrubbed: boolean;
  }>;
  /** Whose certificate a connection shows. */
  readonly identify: Identify;
  /** What the registry says now of a certificate that was admitted. */
  readonly gate: Pick<Gate, 'recheck'>;
  /** The sessions of owners' pages. */
  readonly appSessions: Pick<AppSessions, 'challenge' | 'start' | 'use' | 'isLive'>;
  /** Whether this is a name of the server: of its certificate, or the public one. */
  readonly isOwnName: (hostname: string) => boolean;
  readonly sendCommand: (command: {
    readonly deviceId: string;
    readonly name: string;
    readonly body: Readonly<Record<string, unknown>>;
    readonly principal: string;
  }) => Promise<{ readonly index: number; readonly receivers: number } | Refusal>;
  /** The complete CRL of an issuer; undefined when there is none of that name. */
  readonly crl: (issuer?: string) => IssuedCrl | undefined;
  /** The tree of the audit log. */
  readonly tiles: Pick<LogTiles, 'read'>;
  readonly witnesses: Witnesses;
  /** The latest signed checkpoint of the audit log. */
  readonly checkpoint: () => string;
  /** Verifies the log and proves its entries, beside the server. */
  readonly logAudit: LogAudit;
  /** The keys of the data folder. */
  readonly keyCare: KeyCare;
  /** Firmware: the repository, the director, what devices told. */
  readonly updates: UpdateParts;
  /** Releases for many devices, in stages. */
  readonly rollouts: Rollouts;
  readonly server: () => ServerStatus;
  readonly authority: AuthorityKeeper;
  readonly tenant: string;
  /** False while the server cannot store what it is sent. */
  readonly isReady: () => boolean;
  readonly metrics: Registry;
  /** What the overview and the live stream look at. */
  readonly watch: ServerWatch;
  /** The web console. */
  readonly consoleFiles: ConsoleFiles;
}

/** What Hono carries with each request. */
export interface ApiEnv {
  readonly Bindings: HttpBindings;
  readonly Variables: {
    /** Who makes the request; there on every route that is not public. */
    caller: Caller;
    /** Fields of the body that are secret. */
    secrets: readonly string[];
    /** What the caller may do; there on every route that is not public. */
    access: RequestAccess;
    /** The app that makes the request; there on every route of apps. */
    app: OwnerApp;
    /** What that app may do. */
    appAccess: AppAccess;
    /** The device of the path, decided already; there on routes on one device. */
    device: Device;
  };
}
