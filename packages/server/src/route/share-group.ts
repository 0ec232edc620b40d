/** The members of a shared subscription. @module */
import type { Receiver, RoutedMessage } from '../session/index.ts';
import { type DeliveryForm, deliveryOf } from './delivery-form.ts';

interface Member {
  readonly receiver: Receiver;
  readonly form: DeliveryForm;
}

/**
 * All who subscribed under one share name and filter: each message goes to one of them, by turns.
 * @see MQTT 5 §4.8.2
 */
export class ShareGroup {
  /** Who waits longest for a message comes first. */
  readonly #members: Member[] = [];

  get count(): number {
    return this.#members.length;
  }

  has(receiver: Receiver): boolean {
    return this.#indexOf(receiver) !== -1;
  }

  /** Adds a member, or replaces what it asked for. @returns whether it is new. */
  put(receiver: Receiver, form: DeliveryForm): boolean {
    const at = this.#indexOf(receiver);
    this.#members[at === -1 ? this.#members.length : at] = { receiver, form };
    return at === -1;
  }

  /** @returns whether it was a member. */
  delete(receiver: Receiver): boolean {
    const at = this.#indexOf(receiver);
    if (at === -1) return false;
    this.#members.splice(at, 1);
    return true;
  }

  /**
   * Gives a message to the first member that is ready, or if none is, to the first one: its session
   * queues it. A member that has the message on record from before a restart is left out.
   * @returns how many members got it, 0 or 1.
   */
  deliver(message: RoutedMessage): number {
    const mayGet = ({ receiver }: Member): boolean => !hasOnRecord(receiver, message.index);
    let at = this.#members.findIndex((member) => member.receiver.isReady && mayGet(member));
    if (at === -1) at = this.#members.findIndex(mayGet);
    const [member] = at === -1 ? [] : this.#members.splice(at, 1);
    if (member === undefined) return 0;
    this.#members.push(member);
    // In its own QoS, and it is its own from now on: nobody else gets it, whatever becomes of it.
    // MQTT 5 [MQTT-4.8.2-3] [MQTT-4.8.2-4] [MQTT-4.8.2-5] [MQTT-4.8.2-6]
    member.receiver.deliver(deliveryOf(message, member.form));
    return 1;
  }

  #indexOf(receiver: Receiver): number {
    return this.#members.findIndex((member) => member.receiver === receiver);
  }
}

function hasOnRecord({ recordedIndex }: Receiver, index: number): boolean {
  return recordedIndex !== undefined && index >= 0 && index <= recordedIndex;
}
