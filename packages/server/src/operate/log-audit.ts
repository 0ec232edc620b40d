/** What the API asks of the audit log besides its histories. @module */
import type { FollowTask, LogEvidence, LogReport } from '../audit/index.ts';
import type { Device } from '../registry/index.ts';

/** Verifies the log and proves its entries, in a thread beside the server. */
export interface LogAudit {
  /** Verifies the log as it is now; both are checkpoints of it that were verified. */
  readonly verify: (
    checkpoints: { readonly since?: string | undefined; readonly against?: string | undefined },
    follow: FollowTask,
  ) => Promise<LogReport>;
  /** Proves an entry; undefined when it is no message of the device, or is gone. */
  readonly prove: (wish: {
    readonly device: Device;
    readonly index: number;
    /** A checkpoint to prove by, where it covers the entry. */
    readonly checkpoint?: { readonly size: number; readonly note: string } | undefined;
  }) => Promise<LogEvidence | undefined>;
  /** Why a text is no checkpoint of this log; undefined when it is one. */
  readonly problemOf: (checkpoint: string) => string | undefined;
}
