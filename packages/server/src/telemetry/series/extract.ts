/** The numbers in a message: what becomes of it in series. @module */
import { timeMsOf } from '@holdfast/protocol';
import type { Entry } from '@holdfast/protocol';
import {
  PATH_CHARACTERS_MAX,
  VALUES_PER_MESSAGE_MAX,
  VALUE_AGE_MS_MAX,
  VALUE_AHEAD_MS_MAX,
  VALUE_DEPTH_MAX,
} from './limits.ts';

/** A number, or a truth value as 1 or 0. */
export interface ExtractedValue {
  /** Where it stands in the JSON: the names of the members, joined by `/`. */
  readonly path: string;
  readonly value: number;
  readonly kind: ValueKind;
}
export const VALUE_KINDS = ['number', 'boolean'] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];

/** What a message says of its device. */
export interface Extracted {
  /** What follows `d/<device>/telemetry`, without the slash; of a state, what follows `d/<device>`. */
  readonly topic: string;
  /** The time that the device signed, or else when the server took it in. */
  readonly timeMs: number;
  readonly values: readonly ExtractedValue[];
}

/** What belongs to the form of a signed payload, not to what it reports. */
const FORM_MEMBERS: ReadonlySet<string> = new Set(['sig', 'ctr', 'seq', 'ts']);

/** The name of a series: the topic behind `telemetry`, and the place in the JSON. */
export function seriesName(topic: string, path: string): string {
  if (topic === '') return path === '' ? 'value' : path;
  return path === '' ? topic : `${topic}/${path}`;
}

/** The numbers of an entry; undefined when it is no report of a device, or has none. */
export function extract({ kind, principal, topic, atMs, body }: Entry): Extracted | undefined {
  if (kind !== 'message') return undefined;
  const tail = tailOf(topic, principal);
  if (tail === undefined) return undefined;
  const payload = parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  const values: ExtractedValue[] = [];
  collect(payload, '', VALUE_DEPTH_MAX, values);
  if (values.length === 0) return undefined;
  return { topic: tail, timeMs: signedTime(payload, atMs) ?? atMs, values };
}

/** The part of the topic that names the series; a command to the device is somebody else's. */
function tailOf(topic: string, principal: string): string | undefined {
  const root = `d/${principal}/`;
  if (principal === '' || !topic.startsWith(root)) return undefined;
  const tail = topic.slice(root.length);
  if (tail === 'telemetry') return '';
  if (tail.startsWith('telemetry/')) return tail.slice('telemetry/'.length);
  return tail === 'state' || tail.startsWith('state/') ? tail : undefined;
}

/** Undefined for what is no JSON. NaN and Infinity, which Python writes, are as good as null. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (!PYTHON_NUMBER.test(text)) return undefined;
    try {
      const plain = text.replace(STRING_OR_NUMBER, (part) => (part[0] === '"' ? part : 'null'));
      return JSON.parse(plain);
    } catch {
      return undefined;
    }
  }
}

const PYTHON_NUMBER = /NaN|Infinity/u;
/** A string without an end counts as one: to look for its end from each quote on takes minutes. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"?|-?Infinity|NaN/gsu;

/** Of a message of form 2 nobody has judged the "ts" in its payload, nor that of a will. */
function signedTime(payload: unknown, atMs: number): number | undefined {
  if (typeof payload !== 'object' || payload === null || !('ts' in payload)) return undefined;
  const timeMs = timeMsOf(JSON.stringify(payload.ts) ?? '');
  if (timeMs === undefined) return undefined;
  return timeMs >= atMs - VALUE_AGE_MS_MAX && timeMs <= atMs + VALUE_AHEAD_MS_MAX
    ? timeMs
    : undefined;
}

function collect(value: unknown, path: string, depth: number, found: ExtractedValue[]): void {
  if (found.length >= VALUES_PER_MESSAGE_MAX || path.length > PATH_CHARACTERS_MAX) return;
  if (typeof value === 'number') {
    if (Number.isFinite(value))
      found.push({ path, value: value === 0 ? 0 : value, kind: 'number' });
  } else if (typeof value === 'boolean') {
    found.push({ path, value: value ? 1 : 0, kind: 'boolean' });
  } else if (typeof value === 'object' && value !== null && depth > 0) {
    for (const name in value) {
      if (path === '' && depth === VALUE_DEPTH_MAX && FORM_MEMBERS.has(name)) continue;
      const member: unknown = Reflect.get(value, name);
      collect(member, path === '' ? name : `${path}/${name}`, depth - 1, found);
    }
  }
}
