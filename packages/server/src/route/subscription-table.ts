/** All subscriptions of the server. @module */
import { parseShared } from '@holdfast/protocol';
import type { Receiver, SubscriptionOptions } from '../session/index.ts';
import { type DeliveryTerms, formOf, termsOf } from './delivery-form.ts';
import { DeliveryPlan } from './delivery-plan.ts';
import { REMEMBERED_PLANS_MAX } from './limits.ts';
import { ShareGroup } from './share-group.ts';
import { TopicTrie } from './topic-trie.ts';

/** Who subscribed to what. Receivers are told apart by identity; filters were checked before. */
export class SubscriptionTable {
  readonly #plain = new TopicTrie<Map<Receiver, DeliveryTerms>>();
  /** The groups of each filter, by share name. */
  readonly #shared = new TopicTrie<Map<string, ShareGroup>>();
  /** By topic; empty after each change, so that it holds nobody who has gone. */
  readonly #plans = new Map<string, DeliveryPlan>();
  #count = 0;
  #groupCount = 0;

  /** Number of subscriptions. */
  get count(): number {
    return this.#count;
  }

  /** Number of shared subscriptions; each has at least one member. */
  get groupCount(): number {
    return this.#groupCount;
  }

  /** Whether nothing is left of anybody. */
  get isEmpty(): boolean {
    return this.#plain.isEmpty && this.#shared.isEmpty;
  }

  /** Adds a subscription, or replaces one [MQTT-3.8.4-3]. @returns whether it is new. */
  add(filter: string, receiver: Receiver, options: SubscriptionOptions): boolean {
    this.#plans.clear();
    const shared = parseShared(filter);
    const isNew =
      shared === undefined
        ? this.#addPlain(filter, receiver, termsOf(options))
        : this.#groupOf(shared).put(receiver, formOf(options));
    if (isNew) this.#count += 1;
    return isNew;
  }

  /** @returns whether it was there. */
  remove(filter: string, receiver: Receiver): boolean {
    this.#plans.clear();
    const shared = parseShared(filter);
    const wasThere =
      shared === undefined
        ? this.#removePlain(filter, receiver)
        : this.#removeMember(shared, receiver);
    if (wasThere) this.#count -= 1;
    return wasThere;
  }

  /** Who gets the messages of a topic. */
  planOf(topic: string): DeliveryPlan {
    const known = this.#plans.get(topic);
    if (known !== undefined) return known;
    // MQTT 5 [MQTT-3.3.2-3] [MQTT-4.5.0-1], MQTT 3.1.1 [MQTT-3.3.2-3] [MQTT-4.5.0-1]
    const found = this.#plain.matching(topic);
    const groups = this.#shared.matching(topic).flatMap((byName) => byName.values().toArray());
    const isNobody = found.length === 0 && groups.length === 0;
    const plan = isNobody ? NOBODY : new DeliveryPlan(found, groups);
    if (this.#plans.size >= REMEMBERED_PLANS_MAX) this.#plans.clear();
    this.#plans.set(topic, plan);
    return plan;
  }

  #addPlain(filter: string, receiver: Receiver, terms: DeliveryTerms): boolean {
    const subscribers = this.#plain.find(filter);
    if (subscribers === undefined) {
      this.#plain.put(filter, new Map([[receiver, terms]]));
      return true;
    }
    const isNew = !subscribers.has(receiver);
    subscribers.set(receiver, terms);
    return isNew;
  }

  #removePlain(filter: string, receiver: Receiver): boolean {
    const subscribers = this.#plain.find(filter);
    const wasThere = subscribers?.delete(receiver) ?? false;
    if (subscribers?.size === 0) this.#plain.delete(filter);
    return wasThere;
  }

  #groupOf({ name, filter }: { name: string; filter: string }): ShareGroup {
    let byName = this.#shared.find(filter);
    if (byName === undefined) {
      byName = new Map();
      this.#shared.put(filter, byName);
    }
    let group = byName.get(name);
    if (group === undefined) {
      group = new ShareGroup();
      byName.set(name, group);
      this.#groupCount += 1;
    }
    return group;
  }

  #removeMember({ name, filter }: { name: string; filter: string }, receiver: Receiver): boolean {
    const byName = this.#shared.find(filter);
    const group = byName?.get(name);
    if (byName === undefined || group?.delete(receiver) !== true) return false;
    if (group.count === 0) {
      byName.delete(name);
      this.#groupCount -= 1;
    }
    if (byName.size === 0) this.#shared.delete(filter);
    return true;
  }
}

const NOBODY = new DeliveryPlan([], []);
