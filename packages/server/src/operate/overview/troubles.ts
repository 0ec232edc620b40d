/** What is wrong, in plain words, the worst first. @module */
import { TROUBLE_SEVERITIES, type Trouble } from '@holdfast/protocol/api';
import type { ArtifactTotal } from '../../update/index.ts';
import { fleetTroubles } from './fleet-troubles.ts';
import type { OverviewFacts } from './overview-view.ts';
import type { RefusedDevice } from './refused-devices.ts';
import { serverTroubles } from './server-troubles.ts';
import type { PublicNameEnd } from './server-watch.ts';
import { trustTroubles } from './trust-troubles.ts';

/** Besides what is shown: what only finding troubles needs. */
export interface TroubleFacts extends OverviewFacts {
  readonly nowMs: number;
  /** Since when verifications of the log are noted. */
  readonly logSinceMs: number;
  /** The certificate of the public name; undefined where none is wanted. */
  readonly publicName: PublicNameEnd | undefined;
  /** How often backups are made by schedule; undefined without one. */
  readonly backupEveryMs: number | undefined;
  /** The first authority to end that issues certificates. */
  readonly authorityEndsMs: number;
  /** Metadata of updates that end soon or have ended; empty for those who may not see them. */
  readonly metadata: readonly {
    readonly repository: string;
    readonly role: string;
    readonly expiresMs: number;
  }[];
  /** Artifacts that nothing needs; undefined for who may not see them. */
  readonly unneeded: ArtifactTotal | undefined;
  /** Refusals of the last `SURGE_MS`, and of the day before; undefined for who may not see them. */
  readonly recent:
    | { readonly lately: number; readonly before: number; readonly beforeMs: number }
    | undefined;
  /** Active devices that were refused again and again; empty for who may not see refusals. */
  readonly refused: readonly RefusedDevice[];
}

/** All troubles. Those of one severity stand in the order in which they are looked for. */
export function troublesOf(facts: TroubleFacts): Trouble[] {
  const found = [...serverTroubles(facts), ...trustTroubles(facts), ...fleetTroubles(facts)];
  return TROUBLE_SEVERITIES.flatMap((severity) =>
    found.filter((trouble) => trouble.severity === severity),
  );
}
