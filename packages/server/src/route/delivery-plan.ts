/** Who gets the messages of one topic, and in which form. @module */
import type { Delivery, Receiver, RoutedMessage } from '../session/index.ts';
import { type DeliveryForm, type DeliveryTerms, deliveryOf, mergeTerms } from './delivery-form.ts';
import type { ShareGroup } from './share-group.ts';

/** Whose messages a receiver gets in a form: those of anyone, of others only, or its own only. */
type Origin = 'anyone' | 'others' | 'self';

/** Receivers that can share one delivery. */
interface Batch {
  readonly form: DeliveryForm;
  readonly origin: Origin;
  readonly receivers: Receiver[];
}

/** What is subscribed under one filter. */
export type Subscribers = ReadonlyMap<Receiver, DeliveryTerms>;

/** Made once for a topic, used for its messages until a subscription changes. */
export class DeliveryPlan {
  readonly #batches: readonly Batch[];
  readonly #groups: readonly ShareGroup[];

  /**
   * @param found - The subscribers of each filter that matches.
   * @param groups - The shared subscriptions that match.
   */
  constructor(found: readonly Subscribers[], groups: readonly ShareGroup[]) {
    this.#batches = batchesOf(merge(found));
    this.#groups = groups;
  }

  /** Whether nobody is subscribed. */
  get isEmpty(): boolean {
    return this.#batches.length === 0 && this.#groups.length === 0;
  }

  /** Whether a receiver of this principal is among those who get a message of somebody else. */
  reaches(principal: string): boolean {
    return this.#batches.some(
      ({ origin, receivers }) =>
        origin !== 'self' && receivers.some((receiver) => receiver.principal === principal),
    );
  }

  /**
   * Hands a message to each receiver once, and to one member of each shared subscription. What
   * receivers change about subscriptions meanwhile counts from the next message on.
   * @returns how many deliveries these were.
   */
  deliver(message: RoutedMessage): number {
    let count = 0;
    let delivery: Delivery | undefined;
    for (const { form, origin, receivers } of this.#batches) {
      delivery = shareOrMake(delivery, deliveryOf(message, form));
      for (const receiver of receivers) {
        if (origin !== 'anyone') {
          const isOwn = receiver.principal === message.principal;
          if (isOwn !== (origin === 'self')) continue;
        }
        receiver.deliver(delivery);
        count += 1;
      }
    }
    for (const group of this.#groups) count += group.deliver(message);
    return count;
  }
}

/** Sessions encode a delivery once for all who get the same object. */
function shareOrMake(last: Delivery | undefined, next: Delivery): Delivery {
  const isSame =
    last !== undefined &&
    last.qos === next.qos &&
    last.retain === next.retain &&
    last.subscriptionIds === next.subscriptionIds;
  return isSame ? last : next;
}

/** Each receiver once, however many of its filters match. */
function merge(found: readonly Subscribers[]): Subscribers {
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const merged = new Map<Receiver, DeliveryTerms>();
  for (const subscribers of found) {
    for (const [receiver, terms] of subscribers) {
      const known = merged.get(receiver);
      merged.set(receiver, known === undefined ? terms : mergeTerms(known, terms));
    }
  }
  return merged;
}

/** Ordered by QoS: so those that come to the same for a message are neighbors. */
function batchesOf(subscribers: Subscribers): Batch[] {
  const byForm = new Map<DeliveryForm, Batch[]>();
  const add = (receiver: Receiver, form: DeliveryForm, origin: Origin): void => {
    const batches = byForm.get(form);
    const batch = batches?.find((other) => other.origin === origin);
    if (batch !== undefined) batch.receivers.push(receiver);
    else if (batches !== undefined) batches.push({ form, origin, receivers: [receiver] });
    else byForm.set(form, [{ form, origin, receivers: [receiver] }]);
  };
  for (const [receiver, { forOthers, forOwn }] of subscribers) {
    if (forOwn === forOthers) add(receiver, forOthers, 'anyone');
    else {
      add(receiver, forOthers, 'others');
      if (forOwn !== undefined) add(receiver, forOwn, 'self');
    }
  }
  return [...byForm.values()].flat().sort((a, b) => a.form.qos - b.form.qos);
}
