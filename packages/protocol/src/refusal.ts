/** The typed "no" that every stage of Holdfast gives instead of its result. @module */
import type { RefusalCode } from './refusal-codes.ts';

/**
 * A peer or a person is wrong: a value that is returned, counted, logged and shown to operators.
 * Never thrown, and never shown to the peer: what the peer sees is decided at each edge.
 */
export class Refusal {
  /** Stable machine code, `E_<STAGE>_<CONDITION>`; its meaning stands in `REFUSAL_CODES`. */
  readonly code: RefusalCode;
  /** One sentence for the operator: what was found, and what would have been right. No secrets. */
  readonly detail: string;

  constructor(code: RefusalCode, detail: string) {
    this.code = code;
    this.detail = detail;
  }
}

/** Makes a {@link Refusal}. Reads at the call site as what happens: `return refuse('E_…', '…')`. */
export function refuse(code: RefusalCode, detail: string): Refusal {
  return new Refusal(code, detail);
}
