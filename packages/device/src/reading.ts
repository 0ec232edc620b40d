/** Readings: checked when they are given, signed when they are sent. @module */
import { Refusal, checkTopicName, prepareSignedJson } from '@holdfast/protocol';
import { DeviceError } from './device-error.ts';
import { type MacKey, hmacSha256Hex } from './mac-key.ts';

/** Signs a reading together with its counter and time; gives the payload. */
export type SignReading = (
  reading: Readonly<Record<string, unknown>>,
  stamp: { readonly ctr: number; readonly ts: number },
) => Uint8Array;

/** Makes the signer for a payload key: signed JSON with HMAC-SHA256. */
export function readingSigner(payloadKey: MacKey): SignReading {
  return (reading, stamp) => {
    const { signedBytes, finish } = prepareSignedJson({ ...reading, ...stamp });
    return Buffer.from(finish(hmacSha256Hex(payloadKey, signedBytes)), 'ascii');
  };
}

/**
 * Takes a copy of a reading, so that the caller may go on using the object.
 *
 * @returns the copy and the size of its JSON text in bytes, at its largest stamp
 * @throws DeviceError `E_DEVICE_READING` for what signed JSON cannot carry
 */
export function copyReading(reading: object): {
  readonly reading: Readonly<Record<string, unknown>>;
  readonly bytes: number;
} {
  // The members of a Map, a Date or an Error would be lost without a word.
  if (!isPlainObject(reading)) throw readingError('it is no plain object');
  const taken = ADDED_MEMBERS.find((name) => Object.hasOwn(reading, name));
  if (taken !== undefined) {
    throw readingError(`"${taken}" is added when the reading is sent; it may not be in it`);
  }
  try {
    const largest = { ctr: Number.MAX_SAFE_INTEGER, ts: Number.MAX_SAFE_INTEGER };
    const { signedBytes } = prepareSignedJson({ ...reading, ...largest });
    return { reading: structuredClone(reading), bytes: signedBytes.length };
  } catch (cause) {
    throw readingError(
      cause instanceof Error ? cause.message.replace(/\.$/u, '') : 'no JSON',
      cause,
    );
  }
}

/**
 * The whole topic for one of a device: `telemetry`, `telemetry/…`, `state` or `ack/…`.
 * @throws DeviceError `E_DEVICE_READING` for any other
 */
export function deviceTopic(device: string, topic: string): string {
  const name = `d/${device}/${topic}`;
  if (!TOPIC.test(topic)) {
    throw readingError('a device publishes on telemetry, telemetry/…, state or ack/…');
  }
  const refusal = checkTopicName(name);
  if (refusal instanceof Refusal) throw readingError(refusal.detail);
  return name;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function readingError(what: string, cause?: unknown): DeviceError {
  return new DeviceError('E_DEVICE_READING', {
    message: `The reading cannot be sent: ${what}.`,
    fix: 'Give a plain object of JSON values, and a topic such as telemetry/room-1.',
    cause,
  });
}

const ADDED_MEMBERS = ['ctr', 'ts', 'sig'] as const;
const TOPIC = /^(?:telemetry(?:\/.+)?|state|ack\/.+)$/u;
