/** Administrative acts: who did what to what, and why. @module */
import type { ActName, Entry } from '@holdfast/protocol';

/** One act of a person, of an app, or of the server itself. */
export interface Act {
  /** What was done, `noun.verb`: `device.add`, `device.revoke`, `person.sign-in`. */
  readonly action: ActName;
  /** Who did it: `person:<name>`, `local` (who holds the data folder), a device id, or `server`. */
  readonly principal: string;
  /** What it was done to, such as a device id. */
  readonly target?: string | undefined;
  /** Why, in the words of whoever did it. */
  readonly reason?: string | undefined;
  /** What else matters, such as states before and after. No secrets. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

/** Puts an act on the audit log; resolves once it is durable. Rejects when the journal fails. */
export type RecordAct = (act: Act) => Promise<void>;

/** The audit entry of an act, with how often the registry had been changed by then. */
export function actEntry(act: Act, atMs: number, generation?: number): Entry {
  const { action, principal, ...rest } = act;
  const body = Buffer.from(JSON.stringify({ ...rest, registry: generation }), 'utf8');
  return { kind: 'act', atMs, principal, topic: action, kid: '', body };
}
