/** What stands in a payload, for a first look; the exact bytes are shown beside it. @module */

import { timeMsOf } from '@holdfast/protocol';
import { exactText } from '../../../parts/time-text.ts';

/** Members that every signed message has, and that say nothing of the device. */
const OF_MESSAGE: ReadonlySet<string> = new Set(['ctr', 'ts', 'sig', 'cmd', 'of']);
const TEXT_MAX = 160;

/** On one line: "temperature 21.5, door true". */
export function contentText(payload: string): string {
  const content = objectIn(payload);
  if (content === undefined) return shortened(payload.trim());
  const members = Object.entries(content).filter(([name]) => !OF_MESSAGE.has(name));
  const texts = members.map(([name, value]) => {
    return `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
  return shortened(texts.join(', '));
}

/** The counter that the message carries; undefined when it carries none. */
export function counterOf(payload: string): number | undefined {
  const content = objectIn(payload);
  const counter = content?.['ctr'] ?? content?.['seq'];
  return typeof counter === 'number' ? counter : undefined;
}

/** The time that the device signed, for people; undefined when there is none. */
export function signedTimeOf(payload: string): string | undefined {
  const time = objectIn(payload)?.['ts'];
  const ms = time === undefined ? undefined : timeMsOf(JSON.stringify(time));
  if (ms !== undefined) return `${exactText(new Date(ms))}, written as ${String(time)}`;
  return typeof time === 'string' || typeof time === 'number' ? String(time) : undefined;
}

/** Bytes in rows of sixteen, with their place in front and what is text behind. */
export function hexDump(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    rows.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text.join('')}`);
  }
  return rows.join('\n');
}

/** The part of a topic that tells devices apart no more: `telemetry/kitchen`. */
export function topicBehind(topic: string, device: string): string {
  const prefix = `d/${device}/`;
  return topic.startsWith(prefix) ? topic.slice(prefix.length) : topic;
}

function objectIn(payload: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const content: unknown = JSON.parse(payload);
    const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
    return isObject ? { ...content } : undefined;
  } catch {
    return undefined;
  }
}

function shortened(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text;
}
