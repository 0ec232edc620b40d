/** Tasks that are done one after the other. @module */
import { refuse } from '@holdfast/protocol';
import { RefusedRequest } from '../errors.ts';

/** A queue of a bounded length. */
export class Turns {
  readonly #max: number;
  readonly #ofPersonMax: number;
  #waiting = 0;
  readonly #waitingOf = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param max - tasks that wait or are under way, of everybody and of one. */
  constructor({ max, ofPersonMax }: { readonly max: number; readonly ofPersonMax: number }) {
    this.#max = max;
    this.#ofPersonMax = ofPersonMax;
  }

  /**
   * Does a task of a person when its turn comes.
   * @throws RefusedRequest `E_OPERATE_RATE` when too many wait.
   */
  async take<T>(principal: string, task: () => Promise<T>): Promise<T> {
    const own = this.#waitingOf.get(principal) ?? 0;
    if (this.#waiting >= this.#max || own >= this.#ofPersonMax) {
      const detail = `${this.#waiting} searches are under way, ${own} of them yours.`;
      throw new RefusedRequest(refuse('E_OPERATE_RATE', detail));
    }
    this.#waiting += 1;
    this.#waitingOf.set(principal, own + 1);
    const turn = this.#last.then(task);
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
      const left = (this.#waitingOf.get(principal) ?? 1) - 1;
      if (left > 0) this.#waitingOf.set(principal, left);
      else this.#waitingOf.delete(principal);
    }
  }
}
