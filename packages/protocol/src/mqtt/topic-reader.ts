/** Reads the topics of PUBLISH packets, and remembers the last few. @module */
import { checkTopicName } from '../topics.ts';
import { TOPICS_REMEMBERED_MAX, TOPIC_REMEMBERED_BYTES_MAX } from './limits.ts';
import type { PacketRefusal } from './packet-refusal.ts';
import { readUtf8 } from './utf8.ts';

/**
 * Reads topic names. A device publishes on few topics, over and over: to compare bytes with those
 * of the last topics costs a fraction of decoding and checking them again. One for each connection.
 */
export class TopicReader {
  readonly #bytes: Uint8Array[] = [];
  readonly #topics: string[] = [];
  #next = 0;

  /** Reads bytes `start` to `end` as a topic name: see `checkTopicName` for what it refuses. */
  read(buf: Uint8Array, start: number, end: number): string | PacketRefusal {
    for (let i = 0; i < this.#bytes.length; i += 1) {
      const bytes = this.#bytes[i];
      if (bytes !== undefined && isSame(bytes, buf, start, end)) return this.#topics[i] ?? '';
    }
    const topic = readTopic(buf, start, end);
    if (typeof topic === 'string') this.#remember(topic, buf.subarray(start, end));
    return topic;
  }

  #remember(topic: string, bytes: Uint8Array): void {
    if (bytes.length > TOPIC_REMEMBERED_BYTES_MAX) return;
    this.#bytes[this.#next] = Uint8Array.from(bytes);
    this.#topics[this.#next] = topic;
    this.#next = (this.#next + 1) % TOPICS_REMEMBERED_MAX;
  }
}

/** Reads one topic name. */
export function readTopic(buf: Uint8Array, start: number, end: number): string | PacketRefusal {
  const topic = readUtf8(buf, start, end);
  return typeof topic === 'string' ? (checkTopicName(topic) ?? topic) : topic;
}

/** The ends differ first: devices' topics share their beginning. */
function isSame(bytes: Uint8Array, buf: Uint8Array, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let i = bytes.length - 1; i >= 0; i -= 1) {
    if (bytes[i] !== buf[start + i]) return false;
  }
  return true;
}
