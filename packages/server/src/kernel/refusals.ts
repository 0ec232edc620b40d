/** How a refusal travels from the stage that gave it to the audit log, the metrics and detection. @module */
import type { Refusal } from '@holdfast/protocol';

/** A refusal with all that the operator may want to know of its circumstances. */
export interface RefusalReport {
  readonly refusal: Refusal;
  /** Identity from the verified certificate or the signed-in person; undefined when unknown. */
  readonly principal?: string | undefined;
  /** IP address of the peer. */
  readonly address?: string | undefined;
  /** Topic name or filter, or HTTP path. */
  readonly topic?: string | undefined;
  /** What the peer claimed to be, when that differs from what is proven. Never trusted. */
  readonly claimed?: string | undefined;
}

/** Takes every refusal of every stage. Never throws and never blocks the stage. */
export type ReportRefusal = (report: RefusalReport) => void;
