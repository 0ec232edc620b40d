/** What the audit thread is asked, and what it says. @module */
import type { MessagePort } from 'node:worker_threads';
import type { LogEvidence, ProofWish } from './prove.ts';
import type { LogProgress, LogReport } from './verify-log.ts';

/** Asks for a verification of the log as it is now, on a server that runs. */
export interface VerifyTask {
  readonly type: 'verify';
  /** Public key of the log, as text. */
  readonly verifierKey: string;
  /** Signed checkpoints, see `VerifyLogOptions`. */
  readonly since?: string | undefined;
  readonly against?: string | undefined;
}

/** Asks for the evidence of one entry. */
export interface ProveTask extends ProofWish {
  readonly type: 'prove';
}

export type AuditTask = VerifyTask | ProveTask;

/** Results, by the type of the task. */
export interface AuditResults {
  readonly verify: LogReport;
  readonly prove: LogEvidence | undefined;
}

/** A data key, undefined when it was destroyed. A number that is not there stands for no key. */
export type KeyAnswer = readonly [keyRef: number, key: Uint8Array | undefined];

/** What the thread is started with. */
export interface AuditStart {
  readonly path: string;
  readonly task: AuditTask;
  /** Here it asks for keys, as lists of numbers, and gets lists of {@link KeyAnswer}. */
  readonly keyPort: MessagePort;
  /** One 32-bit number, which counts the answers: the thread sleeps until it changes. */
  readonly keyCount: SharedArrayBuffer;
}

export type FromAuditThread =
  | { readonly type: 'progress'; readonly progress: LogProgress }
  | { readonly type: 'done'; readonly result: AuditResults[AuditTask['type']] }
  | { readonly type: 'failed'; readonly why: string };
