/** Signs what the server sends to a device, so that the device can verify it. @module */
import { createHmac } from 'node:crypto';
import { prepareSignedJson } from '@holdfast/protocol';
import type { Device, PayloadKeys } from '../registry/index.ts';
import { type VerifiedMessage, mintVerified } from './verified-message.ts';

/** A command of a signed-in person for a device. */
export interface Command {
  readonly device: Device;
  readonly keys: PayloadKeys;
  /** Topic name below `d/<device>/cmd/`. */
  readonly topic: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Who sends it, `person:<name>`. */
  readonly principal: string;
  /** Higher than that of every command before. */
  readonly counter: number;
  readonly nowMs: number;
}

/** Makes the message of a command: signed JSON under the command key, with counter and time. */
export function signCommand(command: Command): VerifiedMessage {
  const { device, keys, nowMs } = command;
  const { signedBytes, finish } = prepareSignedJson({
    ...command.body,
    ctr: command.counter,
    ts: nowMs,
  });
  const tag = createHmac('sha256', keys.commandKey.expose()).update(signedBytes).digest('hex');
  return mintVerified({
    atMs: nowMs,
    principal: command.principal,
    topic: command.topic,
    payload: Buffer.from(finish(tag), 'utf8'),
    retain: false,
    qos: 1,
    kid: keys.kid,
    deviceId: device.id,
    contentKeyRef: device.contentKeyRef,
    counterMax: 0,
  });
}
