/** The messages of the load: signed before the clock starts, each with its device and number. @module */
import { type KeyObject, createHmac, createSecretKey } from 'node:crypto';
import { signedHeader } from '@holdfast/protocol';
import type { Member } from '../fleet/fleet.ts';
import { type Level, type Qos, publishFrame, userProperties } from './frames.ts';

/** How a message is signed; brokers other than Holdfast carry form 1 without looking at it. */
export type MessageForm = 1 | 2;

/** Payload bytes of every message in every form. */
export const PAYLOAD_BYTES = 200;

/** Counters start here, so that all have the same number of digits. */
const COUNTER_BASE = 1_000_000;
const DEVICE_BASE = 100_000;
const COUNTER_DIGITS = 7;
const DEVICE_DIGITS = 6;
/** `{"ctr": ` and `, "from": ` stand before the two numbers. */
const COUNTER_AT = 8;
const DEVICE_AT = COUNTER_AT + COUNTER_DIGITS + 10;
const SIGNATURE_CHARACTERS = 64;
const PACKET_ID_MAX = 65_535;

/** All frames of one device, one after the other in one piece of memory. */
export interface FrameSlab {
  readonly bytes: Buffer;
  /** Bytes of each frame. */
  readonly frameBytes: number;
  readonly count: number;
}

/** What the messages of one device are. */
export interface SlabOptions {
  /** Place of the device in the fleet; it stands in each message. */
  readonly place: number;
  readonly count: number;
  readonly qos: Qos;
  readonly form: MessageForm;
}

/** Topic on which a device publishes. */
export function telemetryTopic({ id }: Pick<Member, 'id'>): string {
  return `d/${id}/telemetry`;
}

/** The protocol level that a form needs. */
export function levelOf(form: MessageForm): Level {
  return form === 2 ? 5 : 4;
}

/** Makes and signs all messages of one device. */
export function makeSlab(device: Member, { place, count, qos, form }: SlabOptions): FrameSlab {
  const key = createSecretKey(Buffer.from(device.payloadKeyHex, 'hex'));
  const topic = telemetryTopic(device);
  let bytes = Buffer.alloc(0);
  let frameBytes = 0;
  for (let number = 0; number < count; number += 1) {
    const counter = COUNTER_BASE + number;
    const packetId = (number % PACKET_ID_MAX) + 1;
    const message = { device, key, topic, counter, place };
    const { payload, properties } = form === 1 ? form1(message) : form2(message);
    const frame = publishFrame(topic, payload, { qos, packetId, properties });
    if (number === 0) {
      frameBytes = frame.length;
      bytes = Buffer.allocUnsafeSlow(frameBytes * count);
    }
    frame.copy(bytes, number * frameBytes);
  }
  return { bytes, frameBytes, count };
}

/** The device place and the number that a payload carries; undefined when it is none of ours. */
export function readPlace(bytes: Buffer, payloadAt: number): number {
  return readDigits(bytes, payloadAt + DEVICE_AT, DEVICE_DIGITS) - DEVICE_BASE;
}

/** The number of a message of its device, from 0. */
export function readNumber(bytes: Buffer, payloadAt: number): number {
  return readDigits(bytes, payloadAt + COUNTER_AT, COUNTER_DIGITS) - COUNTER_BASE;
}

interface Unsigned {
  readonly device: Member;
  readonly key: KeyObject;
  readonly topic: string;
  readonly counter: number;
  readonly place: number;
}

interface Signed {
  readonly payload: Buffer;
  readonly properties: Buffer;
}

/** Form 1: JSON with `sig`, an HMAC-SHA256 over the object without it. */
function form1(message: Unsigned): Signed {
  const canonical = reading(message, PAYLOAD_BYTES - SIGNATURE_CHARACTERS - ', "sig": ""'.length);
  const sig = createHmac('sha256', message.key).update(canonical).digest('hex');
  const payload = Buffer.from(`${canonical.slice(0, -1)}, "sig": "${sig}"}`);
  return { payload, properties: EMPTY };
}

/** Form 2: user properties `kid`, `ctr`, `sig` over the raw payload. */
function form2(message: Unsigned): Signed {
  const { device, counter } = message;
  const payload = Buffer.from(reading(message, PAYLOAD_BYTES));
  const sig = form2Signature(message, payload);
  const properties = userProperties([
    ['kid', device.kid],
    ['ctr', String(counter)],
    ['sig', sig],
  ]);
  return { payload, properties };
}

function form2Signature({ device, key, topic, counter }: Unsigned, payload: Buffer): string {
  const message = { topic, retain: false, properties: {} };
  const header = signedHeader(message, { kid: device.kid, counter, timeMs: undefined });
  return createHmac('sha256', key).update(header, 'utf8').update(payload).digest('hex');
}

/** A reading in canonical form, of exactly so many bytes. */
function reading({ counter, place }: Unsigned, length: number): string {
  const temp = `${20 + (counter % 10)}.${counter % 9}`;
  const head =
    `{"ctr": ${counter}, "from": ${DEVICE_BASE + place}, "humidity": ${40 + (counter % 20)}, ` +
    `"temp": ${temp}, "unit": "celsius", "zone": "`;
  return `${head}${'x'.repeat(length - head.length - 2)}"}`;
}

function readDigits(bytes: Buffer, at: number, count: number): number {
  let value = 0;
  for (let digit = 0; digit < count; digit += 1)
    value = value * 10 + ((bytes[at + digit] ?? 0) - 48);
  return value;
}

const EMPTY = Buffer.alloc(0);
