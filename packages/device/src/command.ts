/** Verifies commands: only what the server signed for this device, just now, and for the first time. @module */
import { type KeyObject, createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal, parseSignedJson, refuse } from '@holdfast/protocol';
import type { CommandWindow } from './command-window.ts';
import { COMMAND_AGE_MS_MAX } from './limits.ts';

/** A verified command. */
export interface Command {
  /** What follows `d/<id>/cmd/` in the topic. */
  readonly name: string;
  /** The members that the sender gave, without "cmd", "ctr", "ts" and "sig". */
  readonly body: Readonly<Record<string, unknown>>;
  /** Its counter, higher than that of all commands before. */
  readonly ctr: number;
  /** When the server signed it, in milliseconds since 1970. */
  readonly ts: number;
}

/** What the verification of commands depends on. */
export interface CommandDeps {
  readonly device: string;
  readonly commandKey: KeyObject;
  readonly window: CommandWindow;
  readonly nowMs: number;
}

/**
 * Verifies one message below `d/<id>/cmd/` and marks its counter as used.
 *
 * @returns the command, or a refusal: `E_AUTHORIZE_SUBSCRIBE` (not a topic of commands), those of
 *   {@link parseSignedJson}, `E_VERIFY_SIG`, `E_VERIFY_COMMAND` (moved to another topic), `E_VERIFY_STALE`, `E_VERIFY_FUTURE`, `E_VERIFY_REPLAY`
 * @throws DeviceError `E_DEVICE_COUNTER` when the counter cannot be marked
 */
export function verifyCommand(
  { topic, payload }: { readonly topic: string; readonly payload: Uint8Array },
  { device, commandKey, window, nowMs }: CommandDeps,
): Command | Refusal {
  const root = `d/${device}/cmd/`;
  const name = topic.startsWith(root) ? topic.slice(root.length) : '';
  if (name === '') return refuse('E_AUTHORIZE_SUBSCRIBE', `${topic} is no topic of a command`);
  const signed = parseSignedJson(payload);
  if (signed instanceof Refusal) return signed;
  const tag = createHmac('sha256', commandKey).update(signed.signedBytes).digest();
  if (!timingSafeEqual(tag, signed.signature)) {
    return refuse('E_VERIFY_SIG', 'it is not signed with the command key of this device');
  }
  const { cmd, ...body } = membersOf(payload);
  if (cmd !== name) return refuse('E_VERIFY_COMMAND', `it was not signed as ${name}`);
  const ts = signed.timeMs;
  if (ts === undefined) return refuse('E_VERIFY_TIME_FORM', 'a command must carry "ts"');
  const refusal = checkAge(nowMs - ts);
  if (refusal !== undefined) return refusal;
  // Only a genuine command may move the window.
  if (!window.accept(signed.counter)) {
    return refuse(
      'E_VERIFY_REPLAY',
      `counter ${signed.counter} was accepted before, or is too old`,
    );
  }
  return { name, body, ctr: signed.counter, ts };
}

function checkAge(ageMs: number): Refusal | undefined {
  const seconds = `${Math.round(Math.abs(ageMs) / 1_000)} s`;
  if (ageMs > COMMAND_AGE_MS_MAX) return refuse('E_VERIFY_STALE', `it is ${seconds} old`);
  if (-ageMs > COMMAND_AGE_MS_MAX) return refuse('E_VERIFY_FUTURE', `it is ${seconds} ahead`);
  return undefined;
}

/** The payload was verified, so it is known to be one JSON object without repeated keys. */
function membersOf(payload: Uint8Array): Record<string, unknown> {
  const object: unknown = JSON.parse(new TextDecoder().decode(payload));
  const members = Object.entries(typeof object === 'object' ? (object ?? {}) : {});
  return Object.fromEntries(members.filter(([key]) => !ADDED_BY_SERVER.has(key)));
}

const ADDED_BY_SERVER: ReadonlySet<string> = new Set(['ctr', 'ts', 'sig']);
