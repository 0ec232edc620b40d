/** Packet sequences as data: what a client sends, and what it must get, byte for byte. @module */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * One step. `client` names the connection that it is about: `a` unless given, the only one whose
 * CONNECT is sent for it. A connection is opened when it is first named.
 */
export type Step = { readonly client?: string; readonly comment?: string } & (
  | { readonly type: 'send' | 'recv'; readonly payload: string }
  /** Another client, MQTT 3.1.1, publishes and leaves. */
  | {
      readonly type: 'external_publish';
      readonly topic: string;
      readonly payload?: string;
      readonly qos: 0 | 1 | 2;
      readonly retain?: boolean;
    }
  /** The client breaks the connection off, without DISCONNECT. */
  | { readonly type: 'break' }
  /** The client opens another connection under the same name. The old one is left as it is. */
  | { readonly type: 'connect' }
  /** The server closes the connection, and sends nothing before. */
  | { readonly type: 'expect_close' }
  /** The clock of the server is put forward, instead of waiting. */
  | { readonly type: 'advance'; readonly seconds: number }
);

/** A sequence, with what its group says of all of its own. */
export interface Sequence {
  /** Names of the file, the group and the sequence. */
  readonly title: string;
  /** Of the CONNECT that is sent for it: names of the group and the sequence. */
  readonly clientId: string;
  /** 3 is MQTT 3.1, 4 is 3.1.1. */
  readonly level: 3 | 4 | 5;
  /** Whether CONNECT and CONNACK come first. */
  readonly connects: boolean;
  /** Whether the server closes the connection at the end; otherwise it answers a PINGREQ. */
  readonly expectsClose: boolean;
  readonly steps: readonly Step[];
}

interface Defaults {
  readonly ver?: 3 | 4 | 5;
  readonly connect?: boolean;
  readonly expect_disconnect?: boolean;
  readonly disable?: boolean;
}

interface Group extends Defaults {
  readonly group: string;
  readonly tests: readonly (Defaults & { readonly name: string; readonly msgs: readonly Step[] })[];
}

/** Reads all sequences of a folder, in the order in which they have to be played. */
export function readSequences(folder: string): Sequence[] {
  return globSync('*.json', { cwd: folder })
    .sort()
    .flatMap((path) => {
      const groups = JSON.parse(readFileSync(join(folder, path), 'utf8')) as readonly Group[];
      return groups.flatMap((group) => sequencesOf(path, group));
    });
}

function sequencesOf(file: string, group: Group): Sequence[] {
  return group.tests
    .filter(({ disable }) => (disable ?? group.disable) !== true)
    .map((test) => ({
      title: `${file}: ${group.group}: ${test.name}`.replaceAll(/\s+/g, ' ').trim(),
      clientId: `${group.group} ${test.name}`,
      level: test.ver ?? group.ver ?? 4,
      connects: test.connect ?? group.connect ?? true,
      expectsClose: test.expect_disconnect ?? group.expect_disconnect ?? true,
      steps: test.msgs,
    }));
}

/**
 * Encodes a payload: tokens separated by spaces. Hex bytes; `iN` one byte; `HN`, `kN`, `mN`, `sN`
 * 16 bit; `LN` 32 bit; `vN`, `rN` a variable byte integer, which may be larger than MQTT allows;
 * `'text'` in UTF-8.
 *
 * @throws TypeError when a token is none of these.
 */
export function encodeTokens(payload: string): Buffer {
  const tokens = payload.match(/'[^']*'|[^\s']+/g) ?? [];
  return Buffer.concat(tokens.map(encodeToken));
}

function encodeToken(token: string): Buffer {
  if (token.startsWith("'")) return Buffer.from(token.slice(1, -1), 'utf8');
  if (/^([0-9a-f]{2})+$/i.test(token)) return Buffer.from(token, 'hex');
  const [, kind, digits] = /^([iHkmsLvr])(\d+)$/.exec(token) ?? [];
  if (kind === undefined) throw new TypeError(`"${token}" is no token of a sequence`);
  const value = Number(digits);
  if (kind === 'v' || kind === 'r') return Buffer.from(variableBytes(value));
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.subarray(kind === 'L' ? 0 : kind === 'i' ? 3 : 2);
}

/** A variable byte integer, of any size. */
export function variableBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? byte + 128 : byte);
  } while (rest > 0);
  return bytes;
}
