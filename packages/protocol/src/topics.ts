/**
 * The grammar of topic names and topic filters, and how they match and cover each other.
 * @see MQTT 3.1.1 §4.7
 * @module
 */
import { checkText } from './mqtt/utf8.ts';
import { type Refusal, refuse } from './refusal.ts';

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
export function checkTopicName(topic: string): Refusal | undefined {
  if (topic.includes('+') || topic.includes('#')) {
    return refuse('E_WIRE_PACKET', 'a topic name holds a wildcard [MQTT-4.7.1-1] [MQTT-3.3.2-2]');
  }
  return checkForm(topic);
}

/**
 * Checks a topic filter: what is subscribed, with `+` for one level and `#` for all that follow.
 *
 * @returns undefined when it is one; else `E_WIRE_PACKET` (grammar) or `E_WIRE_SIZE` (limits).
 */
export function checkTopicFilter(filter: string): Refusal | undefined {
  const problem = checkForm(filter);
  if (problem !== undefined || !(filter.includes('+') || filter.includes('#'))) return problem;
  const levels = filter.split('/');
  for (const [i, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || i !== levels.length - 1)) {
      return refuse('E_WIRE_PACKET', '"#" is not alone in the last level [MQTT-4.7.1-2]');
    }
    if (level.includes('+') && level !== '+') {
      return refuse('E_WIRE_PACKET', '"+" is not alone in its level [MQTT-4.7.1-3]');
    }
  }
  return undefined;
}

/**
 * Tells whether a message on `topic` goes to a subscriber of `filter`; both are well-formed.
 * The plain reference: routing uses a trie that must agree with it.
 */
export function topicMatches(filter: string, topic: string): boolean {
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

/**
 * Tells whether every topic that `requested` matches is matched by `grant` as well; both are
 * well-formed filters. So a subscription stays within what its subscriber may read.
 */
export function filterCovers(grant: string, requested: string): boolean {
  const granted = grant.split('/');
  const wanted = requested.split('/');
  // Neither "#" nor "+" at the front reaches "$…" topics, so neither covers them. [MQTT-4.7.2-1]
  if (requested.startsWith('$') && isWildcard(granted[0])) return false;
  for (const [i, level] of granted.entries()) {
    if (level === '#') return true;
    // Every topic has a first level, so a lone "#" wants exactly what "+/#" grants.
    if (i === 0 && wanted[0] === '#') return level === '+' && granted[1] === '#';
    if (i >= wanted.length || wanted[i] === '#') return false;
    if (level !== '+' && level !== wanted[i]) return false;
  }
  return granted.length === wanted.length;
}

/** What names and filters have in common: characters, length, number of levels. */
function checkForm(text: string): Refusal | undefined {
  if (text === '') return refuse('E_WIRE_PACKET', 'a topic is empty [MQTT-4.7.3-1]');
  if (isTooLong(text)) {
    return refuse('E_WIRE_SIZE', `a topic is longer than ${TOPIC_BYTES_MAX} bytes`);
  }
  let levels = 1;
  for (let at = text.indexOf('/'); at !== -1; at = text.indexOf('/', at + 1)) levels += 1;
  if (levels > TOPIC_LEVELS_MAX) {
    return refuse('E_WIRE_SIZE', `a topic has more than ${TOPIC_LEVELS_MAX} levels`);
  }
  return checkText(text);
}

/** Each UTF-16 unit takes one to three bytes, so most texts need no count. */
function isTooLong(text: string): boolean {
  if (text.length * 3 <= TOPIC_BYTES_MAX) return false;
  return text.length > TOPIC_BYTES_MAX || encoder.encode(text).length > TOPIC_BYTES_MAX;
}

function isWildcard(level: string | undefined): boolean {
  return level === '+' || level === '#';
}

const encoder = new TextEncoder();
