/** What subscriptions make of a message on its way to a receiver. @module */
import type { Qos } from '@holdfast/protocol/mqtt';
import type { Delivery, RoutedMessage, SubscriptionOptions } from '../session/index.ts';

/**
 * How a receiver gets a message. Forms without subscription identifiers are the same object when
 * they say the same, so that receivers can share deliveries.
 */
export interface DeliveryForm {
  /** The largest QoS wanted. */
  readonly qos: Qos;
  readonly retainAsPublished: boolean;
  readonly subscriptionIds: readonly number[];
}

/** The forms for what a receiver published itself, and for all else. */
export interface DeliveryTerms {
  readonly forOthers: DeliveryForm;
  /** Undefined when it does not want its own messages back. [MQTT-3.8.3-3] */
  readonly forOwn: DeliveryForm | undefined;
}

/** The form that one subscription asks for. */
export function formOf({
  qos,
  retainAsPublished,
  subscriptionId,
}: SubscriptionOptions): DeliveryForm {
  if (subscriptionId === undefined) return retainAsPublished ? AS_PUBLISHED[qos] : PLAIN[qos];
  return { qos, retainAsPublished, subscriptionIds: [subscriptionId] };
}

/** The terms of one subscription. */
export function termsOf(options: SubscriptionOptions): DeliveryTerms {
  const form = formOf(options);
  return { forOthers: form, forOwn: options.noLocal ? undefined : form };
}

/** The terms of a receiver with several subscriptions that match. */
export function mergeTerms(one: DeliveryTerms, other: DeliveryTerms): DeliveryTerms {
  const forOthers = mergeForms(one.forOthers, other.forOthers);
  if (one.forOwn === one.forOthers && other.forOwn === other.forOthers) {
    return { forOthers, forOwn: forOthers };
  }
  if (one.forOwn === undefined) return { forOthers, forOwn: other.forOwn };
  if (other.forOwn === undefined) return { forOthers, forOwn: one.forOwn };
  return { forOthers, forOwn: mergeForms(one.forOwn, other.forOwn) };
}

/** What becomes of a message in a form. */
export function deliveryOf(message: RoutedMessage, form: DeliveryForm): Delivery {
  return {
    message,
    qos: form.qos < message.qos ? form.qos : message.qos, // [MQTT-3.8.4-8]
    retain: message.retain && form.retainAsPublished, // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    subscriptionIds: form.subscriptionIds,
  };
}

/** One copy with the largest QoS and all identifiers. [MQTT-3.3.4-2] [MQTT-3.3.4-4] */
function mergeForms(one: DeliveryForm, other: DeliveryForm): DeliveryForm {
  const qos = one.qos > other.qos ? one.qos : other.qos;
  const retainAsPublished = one.retainAsPublished || other.retainAsPublished;
  const subscriptionIds = [...one.subscriptionIds, ...other.subscriptionIds];
  if (subscriptionIds.length > 0) return { qos, retainAsPublished, subscriptionIds };
  return retainAsPublished ? AS_PUBLISHED[qos] : PLAIN[qos];
}

function formsWithoutIds(retainAsPublished: boolean): Record<Qos, DeliveryForm> {
  const form = (qos: Qos): DeliveryForm => ({ qos, retainAsPublished, subscriptionIds: NO_IDS });
  return { 0: form(0), 1: form(1), 2: form(2) };
}

const NO_IDS: readonly number[] = [];
const PLAIN = formsWithoutIds(false);
const AS_PUBLISHED = formsWithoutIds(true);
