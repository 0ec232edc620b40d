/** Decodes the properties of MQTT 5. @see MQTT 5 §2.2.2 @module */
import { checkTopicName } from '../topics.ts';
import { REPEATED_PROPERTIES_MAX } from './limits.ts';
import {
  PacketRefusal,
  type RefusePacket,
  beyondLimit,
  malformed,
  protocolError,
} from './packet-refusal.ts';
import type { UserProperty } from './packets.ts';
import {
  type AnyProperties,
  PLACE,
  PROPERTIES,
  type Place,
  type Property,
  SUBSCRIPTION_ID_ID,
  USER_PROPERTY_ID,
} from './property-table.ts';
import type { Reader } from './reader.ts';
import { REASON } from './reason-codes.ts';

/** What a packet without properties has: one object for all of them. */
export const NO_PROPERTIES: AnyProperties = Object.freeze({});

/** Reads the length of the properties, and so many of them. [MQTT-2.2.2-1] */
export function readProperties(reader: Reader, place: Place): AnyProperties | PacketRefusal {
  const bytes = reader.variable('property length', '[MQTT-2.2.2-1]');
  if (typeof bytes !== 'number') return bytes;
  if (bytes === 0) return NO_PROPERTIES;
  const part = reader.part(bytes, 'properties', 'MQTT 5 §2.2.2.1');
  return part instanceof PacketRefusal ? part : readPropertyList(part, place);
}

/** Reads properties up to the end of the reader. */
export function readPropertyList(reader: Reader, place: Place): AnyProperties | PacketRefusal {
  const found: Found = {};
  while (!reader.isAtEnd) {
    const id = reader.variable('property identifier', 'MQTT 5 §2.2.2.2');
    if (typeof id !== 'number') return id;
    const problem =
      id === USER_PROPERTY_ID ? readUserProperty(reader, found) : readOne(id, reader, place, found);
    if (problem !== undefined) return problem;
  }
  if (found.authData !== undefined && found.authMethod === undefined) {
    return protocolError('authentication data without a method (MQTT 5 §3.1.2.11.10)');
  }
  return found;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Found = Mutable<Omit<AnyProperties, 'userProperties' | 'subscriptionIds'>> & {
  userProperties?: UserProperty[];
  subscriptionIds?: number[];
};
type Value = string | number | boolean | Uint8Array;

function readUserProperty(reader: Reader, found: Found): PacketRefusal | undefined {
  const name = reader.text('user property', '[MQTT-1.5.7-1]');
  if (typeof name !== 'string') return name;
  const value = reader.text('user property', '[MQTT-1.5.7-1]');
  if (typeof value !== 'string') return value;
  if (found.userProperties === undefined) found.userProperties = [[name, value]];
  else if (found.userProperties.push([name, value]) > REPEATED_PROPERTIES_MAX) return tooMany();
  return undefined;
}

function readOne(
  id: number,
  reader: Reader,
  place: Place,
  found: Found,
): PacketRefusal | undefined {
  const property = BY_ID[id];
  if (property === undefined) return malformed(`unknown property ${id} (MQTT 5 §2.2.2.2)`);
  const value = readValue(property, reader);
  if (value instanceof PacketRefusal) return value;
  if ((property.places & place) === 0) {
    return refuseForeign(place)(`${property.name} is not allowed here (MQTT 5 §2.2.2.2)`);
  }
  if (id === SUBSCRIPTION_ID_ID && place === PLACE.publishFromServer) {
    return addSubscriptionId(Number(value), found);
  }
  if (found[property.name] !== undefined) {
    return protocolError(`${property.name} twice (MQTT 5 §2.2.2.2)`);
  }
  // The table gives each name the form of its type.
  (found as Record<string, Value>)[property.name] = value;
  return undefined;
}

function addSubscriptionId(id: number, found: Found): PacketRefusal | undefined {
  found.subscriptionIds ??= [];
  return found.subscriptionIds.push(id) > REPEATED_PROPERTIES_MAX ? tooMany() : undefined;
}

function readValue({ name, form }: Property, reader: Reader): Value | PacketRefusal {
  const rule = 'MQTT 5 §2.2.2.2';
  switch (form.type) {
    case 'flag':
      return readFlag(name, reader);
    case 'boolean': {
      const flag = readFlag(name, reader);
      return typeof flag === 'number' ? flag === 1 : flag;
    }
    case 'text':
    case 'pair': // Of a pair the two texts are read one by one.
      return reader.text(name, rule);
    case 'topic':
      return readResponseTopic(reader);
    case 'binary':
      return reader.binary(name, rule);
    case 'uint16':
    case 'uint32':
    case 'variable': {
      const value = reader[form.type](name, rule);
      if (typeof value !== 'number' || value >= (form.min ?? 0)) return value;
      const { reasonCode = REASON.protocolError, rule: why = 'MQTT 5 §3' } = form;
      return new PacketRefusal('E_WIRE_PACKET', `${name} is 0 (${why})`, { reasonCode });
    }
  }
}

function readFlag(name: string, reader: Reader): number | PacketRefusal {
  const value = reader.byte(name, 'MQTT 5 §2.2.2.2');
  if (typeof value !== 'number' || value <= 1) return value;
  return protocolError(`${name} is neither 0 nor 1 (MQTT 5 §3)`);
}

/** A topic name, without wildcards. [MQTT-3.3.2-13] [MQTT-3.3.2-14] */
function readResponseTopic(reader: Reader): string | PacketRefusal {
  const topic = reader.text('responseTopic', '[MQTT-3.3.2-13]');
  if (typeof topic !== 'string') return topic;
  const problem = checkTopicName(topic);
  if (problem === undefined) return topic;
  return new PacketRefusal(problem.code, `response topic: ${problem.detail} [MQTT-3.3.2-14]`, {
    reasonCode: REASON.protocolError,
  });
}

/**
 * A property in a packet where it has no place is malformed in SUBSCRIBE and UNSUBSCRIBE and a
 * protocol error elsewhere: the standard leaves both, and other servers do it so.
 */
function refuseForeign(place: Place): RefusePacket {
  return place === PLACE.subscribe || place === PLACE.unsubscribe ? malformed : protocolError;
}

function tooMany(): PacketRefusal {
  return beyondLimit(
    `more than ${REPEATED_PROPERTIES_MAX} properties of one kind in one packet`,
    REASON.quotaExceeded,
  );
}

const BY_ID: readonly (Property | undefined)[] = PROPERTIES.reduce<(Property | undefined)[]>(
  (list, property) => {
    list[property.id] = property;
    return list;
  },
  [],
);
