/**
 * The header by which a proxy says whom a connection comes from: PROXY protocol, version 2.
 * https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt, section 2.2
 * @module
 */
import { SocketAddress } from 'node:net';
import { type Refusal, refuse } from '@holdfast/protocol';
import { PROXY_HEADER_BYTES_MAX } from './limits.ts';
import { peerAddress } from './peer-socket.ts';

/** A whole header. */
export interface ProxyHeader {
  /** What follows these bytes is the client's. */
  readonly byteCount: number;
  /** IP address of the client; undefined when the proxy speaks for itself, as its checks do. */
  readonly client: string | undefined;
}

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const FIXED_BYTES = 16;
const VERSION = 2;
const LOCAL = 0;
const PROXY = 1;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
/** Two addresses and two ports. */
const IPV4_BYTES = 12;
const IPV6_BYTES = 36;
/** AF_UNSPEC with any protocol that there is: UNSPEC, STREAM, DGRAM. */
const UNSPECIFIED_MAX = 0x02;
const TLV_HEAD_BYTES = 3;

/** Whether bytes begin with the signature of the header. */
export function beginsProxyHeader(bytes: Buffer): boolean {
  return bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE);
}

/**
 * Reads the header at the beginning of a connection, as soon as enough of it is there to tell.
 * @returns undefined while more bytes have to come, or `E_WIRE_PROXY`
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | Refusal | undefined {
  const signature = bytes.subarray(0, SIGNATURE.length);
  if (!signature.equals(SIGNATURE.subarray(0, signature.length))) return no(otherwise(bytes));
  const [versionAndCommand, family] = bytes.subarray(SIGNATURE.length);
  if (versionAndCommand === undefined) return undefined;
  const version = versionAndCommand >> 4;
  const command = versionAndCommand & 0x0f;
  if (version !== VERSION) return no(`its version is ${version}, not ${VERSION}`);
  if (command !== LOCAL && command !== PROXY) return no(`its command is ${command}`);
  if (family === undefined) return undefined;
  const isLocal = command === LOCAL || family <= UNSPECIFIED_MAX;
  if (!isLocal && family !== TCP_OVER_IPV4 && family !== TCP_OVER_IPV6) {
    return no(`its family is 0x${family.toString(16).padStart(2, '0')}, no TCP over IP`);
  }
  if (bytes.length < FIXED_BYTES) return undefined;
  const byteCount = FIXED_BYTES + bytes.readUInt16BE(FIXED_BYTES - 2);
  if (byteCount > PROXY_HEADER_BYTES_MAX) {
    return no(`it has ${byteCount} bytes, more than ${PROXY_HEADER_BYTES_MAX}`);
  }
  if (bytes.length < byteCount) return undefined;
  // Where the proxy speaks for itself, the rest says nothing, and need not have a form.
  if (isLocal) return { byteCount, client: undefined };
  return readClient(bytes.subarray(FIXED_BYTES, byteCount), { family, byteCount });
}

function readClient(
  block: Buffer,
  { family, byteCount }: { family: number; byteCount: number },
): ProxyHeader | Refusal {
  const isIpv4 = family === TCP_OVER_IPV4;
  const addressBytes = isIpv4 ? IPV4_BYTES : IPV6_BYTES;
  if (block.length < addressBytes) return no(`its addresses have ${block.length} bytes`);
  if (!hasWholeTlvs(block.subarray(addressBytes))) return no('it ends within a TLV');
  return { byteCount, client: isIpv4 ? ipv4Text(block) : ipv6Text(block) };
}

/** What proxies add by type, length and value says nothing to us, but has to end with the header. */
function hasWholeTlvs(bytes: Buffer): boolean {
  let at = 0;
  while (bytes.length - at >= TLV_HEAD_BYTES) at += TLV_HEAD_BYTES + bytes.readUInt16BE(at + 1);
  return at === bytes.length;
}

function ipv4Text(block: Buffer): string {
  return block.subarray(0, 4).join('.');
}

/** In the form in which the operating system tells the addresses of others. RFC 5952 */
function ipv6Text(block: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => block.readUInt16BE(2 * at).toString(16));
  const { address } = new SocketAddress({ address: groups.join(':'), family: 'ipv6' });
  return peerAddress({ remoteAddress: address });
}

/** What is there in place of the header, as far as it is known. */
function otherwise(bytes: Buffer): string {
  if (bytes[0] === 0x16) return 'TLS begins without it';
  if (bytes.toString('latin1').startsWith('PROXY ')) return 'it is of version 1, not 2';
  return 'something else begins';
}

function no(what: string): Refusal {
  return refuse('E_WIRE_PROXY', what);
}
