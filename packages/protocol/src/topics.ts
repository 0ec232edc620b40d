/**
 * The grammar of topic names and topic filters, and how they match and cover each other.
 * @see MQTT 3.1.1 §4.7, MQTT 5 §4.7, §4.8.2
 * @module
 */
import { type PacketRefusal, beyondLimit, malformed } from './mqtt/packet-refusal.ts';
import { REASON, type ReasonCode } from './mqtt/reason-codes.ts';
import { checkText } from './mqtt/utf8.ts';

/**
 * Longest topic name or filter, in bytes of UTF-8. The standard allows 65,535; a device's topics
 * need a tenth of this, and each one is kept in every session, index and log entry it touches.
 * [MQTT-4.7.3-3]
 */
export const TOPIC_BYTES_MAX = 1_024;

/**
 * Most levels of a topic name or filter. Matching visits up to two branches a level, so the
 * number of levels bounds the work that one message or one subscription can cause.
 */
export const TOPIC_LEVELS_MAX = 16;

/**
 * Checks a topic name: what a message is published on.
 *
 * @returns undefined when it is one; else `E_WIRE_PACKET` (grammar) or `E_WIRE_SIZE` (limits).
 */
export function checkTopicName(topic: string): PacketRefusal | undefined {
  if (topic.includes('+') || topic.includes('#')) {
    return malformed(WILDCARD_IN_NAME);
  }
  return checkForm(topic, REASON.topicNameInvalid);
}

/**
 * Checks a topic filter: what is subscribed, with `+` for one level and `#` for all that follow,
 * and for a shared subscription with `$share/<name>/` in front.
 *
 * @returns undefined when it is one; else `E_WIRE_PACKET` (grammar) or `E_WIRE_SIZE` (limits).
 */
export function checkTopicFilter(filter: string): PacketRefusal | undefined {
  if (!filter.startsWith(SHARE)) return checkPlainFilter(filter);
  const shared = parseShared(filter);
  if (shared === undefined) {
    return malformed(
      'a shared subscription is not "$share/<name>/<filter>" [MQTT-4.8.2-1] [MQTT-4.8.2-2]',
    );
  }
  if (isTooLong(filter)) return tooLong(REASON.topicFilterInvalid);
  return checkText(shared.name) ?? checkPlainFilter(shared.filter);
}

/**
 * Takes a shared subscription apart.
 *
 * @returns undefined when the filter is not shared, or not of this form.
 * @see MQTT 5 §4.8.2
 */
export function parseShared(filter: string): { name: string; filter: string } | undefined {
  if (!filter.startsWith(SHARE)) return undefined;
  const nameEnd = filter.indexOf('/', SHARE.length);
  if (nameEnd <= SHARE.length || nameEnd === filter.length - 1) return undefined;
  const name = filter.slice(SHARE.length, nameEnd);
  if (name.includes('+') || name.includes('#')) return undefined;
  return { name, filter: filter.slice(nameEnd + 1) };
}

/**
 * Tells whether a message on `topic` goes to a subscriber of `filter`; both are well-formed.
 * The plain reference: routing uses a trie that must agree with it.
 */
export function topicMatches(filter: string, topic: string): boolean {
  // As they are: nothing is normalized. MQTT 5 [MQTT-4.7.3-4], MQTT 3.1.1 [MQTT-4.7.3-4]
  const filterLevels = filter.split('/');
  const topicLevels = topic.split('/');
  // A wildcard at the front does not reach the topics of the system. [MQTT-4.7.2-1]
  if (topic.startsWith('$') && isWildcard(filterLevels[0])) return false;
  for (const [i, level] of filterLevels.entries()) {
    // "a/#" matches "a" too: the parent level is included. MQTT 3.1.1 §4.7.1.2
    if (level === '#') return true;
    if (i >= topicLevels.length) return false;
    if (level !== '+' && level !== topicLevels[i]) return false;
  }
  return filterLevels.length === topicLevels.length;
}

function checkPlainFilter(filter: string): PacketRefusal | undefined {
  const problem = checkForm(filter, REASON.topicFilterInvalid);
  if (problem !== undefined || !(filter.includes('+') || filter.includes('#'))) return problem;
  const levels = filter.split('/');
  for (const [i, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || i !== levels.length - 1)) {
      return malformed(`"#" is not alone in the last level (${HASH_RULE})`);
    }
    if (level.includes('+') && level !== '+') {
      return malformed(`"+" is not alone in its level (${PLUS_RULE})`);
    }
  }
  return undefined;
}

/** What names and filters have in common: characters, length, number of levels. */
function checkForm(text: string, reasonCode: ReasonCode): PacketRefusal | undefined {
  if (text === '') return malformed('a topic is empty [MQTT-4.7.3-1]');
  if (isTooLong(text)) return tooLong(reasonCode);
  let levels = 1;
  for (let at = text.indexOf('/'); at !== -1; at = text.indexOf('/', at + 1)) levels += 1;
  if (levels > TOPIC_LEVELS_MAX) {
    return beyondLimit(`a topic has more than ${TOPIC_LEVELS_MAX} levels`, reasonCode);
  }
  return checkText(text);
}

function tooLong(reasonCode: ReasonCode): PacketRefusal {
  return beyondLimit(`a topic is longer than ${TOPIC_BYTES_MAX} bytes`, reasonCode);
}

/** Each UTF-16 unit takes one to three bytes, so most texts need no count. */
function isTooLong(text: string): boolean {
  if (text.length * 3 <= TOPIC_BYTES_MAX) return false;
  return text.length > TOPIC_BYTES_MAX || encoder.encode(text).length > TOPIC_BYTES_MAX;
}

function isWildcard(level: string | undefined): boolean {
  return level === '+' || level === '#';
}

const SHARE = '$share/';
const WILDCARD_IN_NAME =
  'a topic name holds a wildcard ' +
  '(MQTT 3.1.1 [MQTT-4.7.1-1], MQTT 5 [MQTT-4.7.0-1], [MQTT-3.3.2-2])';
const HASH_RULE = 'MQTT 3.1.1 [MQTT-4.7.1-2], MQTT 5 [MQTT-4.7.1-1]';
const PLUS_RULE = 'MQTT 3.1.1 [MQTT-4.7.1-3], MQTT 5 [MQTT-4.7.1-2]';
const encoder = new TextEncoder();
