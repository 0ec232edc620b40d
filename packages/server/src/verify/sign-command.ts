/** Signs what the server sends to a device, so that the device can verify it. @module */
import { createHmac } from 'node:crypto';
import { type PreparedSignedJson, Refusal, prepareSignedJson, refuse } from '@holdfast/protocol';
import { NO_PROPERTIES, encodeForwarded } from '@holdfast/protocol/mqtt';
import { commandTopic } from '../authorize/index.ts';
import type { Device, PayloadKeys } from '../registry/index.ts';
import { type VerifiedMessage, mintVerified } from './verified-message.ts';

/** A command of a signed-in person for a device. */
export interface Command {
  readonly device: Device;
  readonly keys: PayloadKeys;
  /** One topic level. */
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Who sends it, `person:<name>`. */
  readonly principal: string;
  /** Higher than that of every command before. */
  readonly counter: number;
  readonly nowMs: number;
}

/**
 * Makes the message of a command: signed JSON under the command key, with name, counter and time.
 * @returns the message, or `E_OPERATE_INPUT` when the body is too large, too deep, or holds what
 *   JSON cannot carry.
 */
export function signCommand(command: Command): VerifiedMessage | Refusal {
  const { device, keys, nowMs } = command;
  const prepared = prepare({
    ...command.body,
    // Signed along, or a broker could turn one command into another by moving it.
    cmd: command.name,
    ctr: command.counter,
    ts: nowMs,
  });
  if (prepared instanceof Refusal) return prepared;
  const { signedBytes, finish } = prepared;
  const tag = createHmac('sha256', keys.commandKey.expose()).update(signedBytes).digest('hex');
  const content = {
    principal: command.principal,
    topic: commandTopic(device.id, command.name),
    body: Buffer.from(finish(tag), 'utf8'),
    retain: false,
    qos: 1,
    expiryS: undefined,
    properties: encodeForwarded(NO_PROPERTIES),
    kid: keys.kid,
    deviceId: device.id,
    contentKeyRef: device.contentKeyRef,
  } as const;
  return mintVerified(content, { atMs: nowMs, counterMax: 0 });
}

/** The body comes from a person, so what the signer calls a mistake of its caller is theirs. */
function prepare(object: Record<string, unknown>): PreparedSignedJson | Refusal {
  try {
    return prepareSignedJson(object);
  } catch (error) {
    const isInput = error instanceof RangeError || error instanceof TypeError;
    if (isInput) return refuse('E_OPERATE_INPUT', error.message);
    throw error;
  }
}
