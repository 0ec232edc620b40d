/** Writes PROXY headers, for tests. @module */
import { isIP } from 'node:net';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** What a header says; all but the client has the value that a proxy would send. */
export interface HeaderParts {
  /** IPv4 address, or IPv6 address with all its eight groups; without one the command is LOCAL. */
  readonly client?: string;
  readonly versionAndCommand?: number;
  readonly family?: number;
  /** In place of the addresses. */
  readonly addresses?: Buffer;
  readonly tlvs?: Buffer;
  /** In place of the true one. */
  readonly length?: number;
}

/** The bytes of a header. */
export function proxyHeader(parts: HeaderParts = {}): Buffer {
  const { client, tlvs = Buffer.alloc(0) } = parts;
  const isIpv4 = client !== undefined && isIP(client) === 4;
  const usual = client === undefined ? [0x20, 0x00] : [0x21, isIpv4 ? 0x11 : 0x21];
  const { versionAndCommand = usual[0], family = usual[1] } = parts;
  const addresses = parts.addresses ?? (client === undefined ? '' : addressBlock(client));
  const block = Buffer.concat([Buffer.from(addresses), tlvs]);
  const fixed = Buffer.from([versionAndCommand ?? 0, family ?? 0, 0, 0]);
  fixed.writeUInt16BE(parts.length ?? block.length, 2);
  return Buffer.concat([SIGNATURE, fixed, block]);
}

/** Client and server, port and port. */
function addressBlock(client: string): Buffer {
  const source = isIP(client) === 4 ? ipv4Bytes(client) : ipv6Bytes(client);
  return Buffer.concat([source, Buffer.alloc(source.length, 7), Buffer.from('c00122b3', 'hex')]);
}

function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function ipv6Bytes(address: string): Buffer {
  return Buffer.from(
    address
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  );
}

/** One addition of a proxy. */
export function tlv(type: number, value: Uint8Array): Buffer {
  const head = Buffer.from([type, 0, 0]);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}
