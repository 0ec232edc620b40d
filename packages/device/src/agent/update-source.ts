/** Where updates come from: the updater, as the agent uses it. @module */
import type { FirmwareUpdater, VerifiedUpdate } from '../update/updater.ts';

export type { VerifiedUpdate };

/** How to download. */
export interface SourceDownload {
  /** File to write to; what an interrupted download left there is gone on with. */
  readonly path: string;
  /** The running image, to start a delta from. */
  readonly from?: { readonly path: string; readonly sha256: string };
}

/** Names updates that both repositories agree on, and fetches them. */
export interface UpdateSource {
  check: FirmwareUpdater['check'];
  /** Resolves only when length and hash are right, and the file is durable. */
  download(update: VerifiedUpdate, options: SourceDownload): Promise<void>;
}
