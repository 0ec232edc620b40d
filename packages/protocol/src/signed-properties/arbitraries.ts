import * as fc from 'fast-check';
/** Random messages for the tests of signed properties. @module */
import type { MessageProperties, UserProperty } from '../mqtt/packets.ts';
import { SIGNATURE_PROPERTIES, type SignedMessage, type SignedStamp } from './signed-header.ts';

/** A text that MQTT allows: no lone surrogates, control characters or non-characters. */
const mqttText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('', ' ', '=', 'a=b', 'ü', '😀', '\ufeff', 'retain=1', '\u2028'),
  fc.string({ maxLength: 8 }),
);

const topic = fc
  .array(fc.constantFrom('d', 'pump-1', 'telemetry', 'ü', 'a=b', '\u2028', ''), {
    minLength: 1,
    maxLength: 5,
  })
  .map((levels) => levels.join('/'))
  .filter((text) => text !== '');

const userProperty: fc.Arbitrary<UserProperty> = fc
  .tuple(mqttText, mqttText)
  .filter(([name]) => !SIGNATURE_PROPERTIES.includes(name));

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });

/** Properties of a message, without those that sign it and without an expiry. */
const properties: fc.Arbitrary<MessageProperties> = fc.record(
  {
    payloadFormat: optional(fc.constantFrom(0 as const, 1 as const)),
    contentType: optional(mqttText),
    responseTopic: optional(topic),
    correlationData: optional(fc.uint8Array({ maxLength: 4 })),
    userProperties: optional(fc.array(userProperty, { minLength: 1, maxLength: 3 })),
  },
  { noNullPrototype: true },
);

/** A message that can be signed. */
export const anyMessage: fc.Arbitrary<SignedMessage> = fc.record(
  {
    topic,
    retain: fc.boolean(),
    properties,
  },
  { noNullPrototype: true },
);

/** Numbers around the limits. */
const safeNat = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, 10, Number.MAX_SAFE_INTEGER));

/** What a message is signed with. */
export const anyStamp: fc.Arbitrary<SignedStamp> = fc.record(
  {
    kid: fc.constantFrom('1.1', '1.2', '12.345'),
    counter: safeNat,
    timeMs: optional(safeNat),
  },
  { noNullPrototype: true },
);
