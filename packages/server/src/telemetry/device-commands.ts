/** The commands to a device, with what it answered: found among its messages. @module */
import type { Entry } from '@holdfast/protocol';
import { type Journal, type JournaledEntry, readNewest } from '../journal/index.ts';
import type { Keyring } from '../persistence/index.ts';
import { type DeviceRegistry, contentKeyRefsOf } from '../registry/index.ts';
import {
  ACKS_WAITING_MAX,
  ACK_NAMES_WAITING_MAX,
  COMMANDS_PAGE,
  COMMANDS_SCANNED_MAX,
} from './limits.ts';
import type { Page } from './reading.ts';

/** What a device answered. */
export interface CommandAck {
  readonly index: number;
  readonly atMs: number;
  readonly topic: string;
  readonly payload: string;
}

/** A command on the log. */
export interface SentCommand {
  readonly index: number;
  readonly atMs: number;
  readonly name: string;
  readonly principal: string;
  readonly payload: string;
  /** Undefined: none was found. */
  readonly ack: CommandAck | undefined;
}

/** Commands, newest first; see `TargetActsPage` for `next`. */
export interface CommandsPage {
  readonly commands: readonly SentCommand[];
  readonly next: number | undefined;
}

/** Where the commands come from. */
export interface DeviceCommandsDeps {
  readonly journal: Pick<Journal, 'read'>;
  readonly registry: Pick<DeviceRegistry, 'byId'>;
  readonly keyring: Pick<Keyring, 'byRef'>;
}

/** Reads a page of the commands to a device. They stand among its messages, under its key. */
export async function readCommands(
  deviceId: string,
  { limit, before = Number.MAX_SAFE_INTEGER }: Page,
  { journal, registry, keyring }: DeviceCommandsDeps,
): Promise<CommandsPage> {
  const device = registry.byId(deviceId);
  const refs = device === undefined ? [] : contentKeyRefsOf(device);
  const keys = refs.toReversed().map((ref) => keyring.byRef(ref));
  const matcher = new CommandMatcher(deviceId);
  let next = before;
  for (let seen = 0; seen < COMMANDS_SCANNED_MAX; seen += COMMANDS_PAGE) {
    const page = await readNewest(journal, keys, { before: next, limit: COMMANDS_PAGE });
    for (const entry of page) {
      matcher.take(entry);
      next = entry.index;
      if (matcher.commands.length === limit) return { commands: matcher.commands, next };
    }
    if (page.length < COMMANDS_PAGE) return { commands: matcher.commands, next: undefined };
  }
  return { commands: matcher.commands, next };
}

/** Goes through the messages of a device backwards, and so meets answers before commands. */
class CommandMatcher {
  readonly commands: SentCommand[] = [];
  readonly #device: string;
  /** By the name of the command. */
  readonly #acks = new Map<string, WaitingAcks>();

  constructor(device: string) {
    this.#device = device;
  }

  take({ index, entry }: JournaledEntry): void {
    if (entry.kind !== 'message') return;
    const { topic, principal, atMs } = entry;
    const ackRoot = `d/${this.#device}/ack/`;
    const commandRoot = `d/${this.#device}/cmd/`;
    const isOwn = principal === this.#device;
    if (isOwn && topic.startsWith(ackRoot)) {
      const payload = payloadOf(entry);
      this.#acksOf(topic.slice(ackRoot.length)).add({ index, atMs, topic, payload });
    } else if (!isOwn && topic.startsWith(commandRoot)) {
      const name = topic.slice(commandRoot.length);
      const payload = payloadOf(entry);
      const ack = this.#acks.get(name)?.takeFor(numberIn(payload, 'ctr'));
      this.commands.push({ index, atMs, name, principal, payload, ack });
    }
  }

  #acksOf(name: string): WaitingAcks {
    const known = this.#acks.get(name) ?? new WaitingAcks();
    // A device may answer what nobody asked for: the names that were met last are enough.
    this.#acks.delete(name);
    this.#acks.set(name, known);
    dropOldest(this.#acks, ACK_NAMES_WAITING_MAX);
    return known;
  }
}

/** Answers by one name to commands that are yet to come. Each one is looked into once. */
class WaitingAcks {
  /** By the command that they name, the newest answer to each. */
  readonly #named = new Map<number, CommandAck>();
  /** The first one after whatever comes next. */
  #unnamed: CommandAck | undefined;

  add(ack: CommandAck): void {
    const of = numberIn(ack.payload, 'of');
    if (of === undefined) this.#unnamed = ack;
    else if (!this.#named.has(of)) this.#named.set(of, ack);
    dropOldest(this.#named, ACKS_WAITING_MAX);
  }

  /** The one that names the command, or else the first one after it: nothing older is meant then. */
  takeFor(counter: number | undefined): CommandAck | undefined {
    const named = counter === undefined ? undefined : this.#named.get(counter);
    const found = named ?? this.#unnamed;
    this.#unnamed = undefined;
    if (counter !== undefined) this.#named.delete(counter);
    return found;
  }
}

function dropOldest<K>(map: Map<K, unknown>, max: number): void {
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size > max) map.delete(oldest);
}

function payloadOf({ body }: Required<Entry>): string {
  return Buffer.from(body).toString('utf8');
}

/** A number in signed JSON, which was verified or made here. */
function numberIn(payload: string, member: string): number | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    const found = new Map(Object.entries(value ?? {})).get(member);
    return typeof found === 'number' ? found : undefined;
  } catch {
    return undefined;
  }
}
