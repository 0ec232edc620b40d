/** What the API needs from the rest of the server. @module */
import type { Refusal } from '@holdfast/protocol';
import type { Pins } from '@holdfast/protocol/api';
import type { HttpBindings } from '@hono/node-server';
import type { Registry } from 'prom-client';
import type { RecordAct } from '../audit/index.ts';
import type { IssuedClaim } from '../enroll/index.ts';
import type { Clock, Log, ReportRefusal } from '../kernel/index.ts';
import type { Caller, Device, DeviceRegistry, People } from '../registry/index.ts';
import type { Histories } from '../telemetry/index.ts';

/** Facts about the running server. */
export interface ServerStatus {
  readonly version: string;
  readonly broker: string;
  readonly api: string;
  readonly enroll: string;
  readonly pins: Pins;
  readonly verifierKey: string;
  readonly startedAtMs: number;
}

/** What the API needs. */
export interface ApiDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly report: ReportRefusal;
  readonly recordAct: RecordAct;
  readonly registry: DeviceRegistry;
  readonly people: People;
  readonly histories: Histories;
  readonly issueClaim: (device: Device) => IssuedClaim | Refusal;
  readonly sendCommand: (command: {
    readonly deviceId: string;
    readonly name: string;
    readonly body: Readonly<Record<string, unknown>>;
    readonly principal: string;
  }) => Promise<{ readonly index: number; readonly receivers: number } | Refusal>;
  /** The latest signed checkpoint of the audit log. */
  readonly checkpoint: () => string;
  readonly server: () => ServerStatus;
  /** False while the server cannot store what it is sent. */
  readonly isReady: () => boolean;
  readonly metrics: Registry;
}

/** What Hono carries with each request. */
export interface ApiEnv {
  readonly Bindings: HttpBindings;
  readonly Variables: {
    /** Who makes the request; there on every route that is not public. */
    caller: Caller;
  };
}
