/** The ids that requests are about to give away, while their acts are being recorded. @module */
import { type Refusal, refuse } from '@holdfast/protocol';

/** Keeps two requests from adding the same device. */
export class AddedIds {
  readonly #ids = new Set<string>();

  /**
   * Reserves ids.
   * @returns what ends the reservation, or `E_OPERATE_CONFLICT` when another request has one of them.
   */
  reserve(ids: readonly string[]): (() => void) | Refusal {
    const taken = ids.find((id) => this.#ids.has(id));
    if (taken !== undefined) {
      return refuse('E_OPERATE_CONFLICT', `${taken} is being added by another request.`);
    }
    for (const id of ids) this.#ids.add(id);
    return () => {
      for (const id of ids) this.#ids.delete(id);
    };
  }
}
