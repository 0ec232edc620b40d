/** Brings retained messages to new subscriptions, in slices. @module */
import type { Clock } from '../kernel/index.ts';
import type { Receiver, RoutedMessage, SubscriptionOptions } from '../session/index.ts';
import { type DeliveryForm, deliveryOf, formOf } from './delivery-form.ts';
import { RETAINED_PAUSE_MS, RETAINED_SLICE_COUNT } from './limits.ts';
import type { RetainedTable } from './retained.ts';

interface Handover {
  readonly filter: string;
  readonly receiver: Receiver;
  readonly form: DeliveryForm;
  readonly steps: Iterator<RoutedMessage | undefined, void>;
}

/**
 * A subscription may match all retained messages there are. It gets the first ones at once, and
 * the others in slices between which the broker does everything else. While a receiver is not
 * ready, its messages wait here, where they cost nothing, instead of overrunning its queue.
 */
export class RetainedHandovers {
  readonly #clock: Clock;
  readonly #table: RetainedTable;
  /** Unfinished ones; whose turn it was last comes last. */
  readonly #open = new Set<Handover>();
  #isScheduled = false;

  constructor({ clock, table }: { readonly clock: Clock; readonly table: RetainedTable }) {
    this.#clock = clock;
    this.#table = table;
  }

  /** Subscriptions that have not got all their retained messages yet. */
  get count(): number {
    return this.#open.size;
  }

  /** Begins a handover, anew if there is one for this filter already. */
  start(filter: string, receiver: Receiver, options: SubscriptionOptions): void {
    this.stop(filter, receiver);
    const form = formOf({ ...options, retainAsPublished: true });
    const handover = { filter, receiver, form, steps: this.#table.matching(filter) };
    this.#open.add(handover);
    this.#run(handover, RETAINED_SLICE_COUNT);
    this.#schedule();
  }

  /** Ends the handover of a subscription that has gone, if there is one. */
  stop(filter: string, receiver: Receiver): void {
    for (const handover of this.#open) {
      if (handover.receiver === receiver && handover.filter === filter) this.#open.delete(handover);
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#open.size === 0) return;
    this.#isScheduled = true;
    this.#clock.after(RETAINED_PAUSE_MS, () => {
      this.#isScheduled = false;
      let steps = RETAINED_SLICE_COUNT;
      for (const handover of this.#open) {
        steps = this.#run(handover, steps);
        if (steps === 0) break;
      }
      this.#schedule();
    });
  }

  /** @returns how many of the steps are left. */
  #run(handover: Handover, steps: number): number {
    const { receiver, form } = handover;
    let left = steps;
    while (left > 0 && receiver.isReady && this.#open.has(handover)) {
      left -= 1;
      const { done, value } = handover.steps.next();
      if (done === true) this.#open.delete(handover);
      else if (value !== undefined) receiver.deliver(deliveryOf(value, form));
    }
    if (left === 0 && this.#open.delete(handover)) this.#open.add(handover);
    return left;
  }
}
