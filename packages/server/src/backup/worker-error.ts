/** An error on its way between threads, which keeps no class. @module */
import { Fault } from '../kernel/index.ts';

export interface ErrorMessage {
  readonly message: string;
  /** There when it is a fault. */
  readonly fault?: { readonly code: string; readonly fix: string } | undefined;
}

export function toErrorMessage(error: unknown): ErrorMessage {
  const fault = error instanceof Fault ? { code: error.code, fix: error.fix } : undefined;
  return { message: error instanceof Error ? error.message : String(error), fault };
}

export function fromErrorMessage({ message, fault }: ErrorMessage): Error {
  return fault === undefined ? new Error(message) : new Fault({ ...fault, what: message });
}
