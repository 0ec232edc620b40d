/** The doors of the server, and one exchange at a door over real TLS. @module */
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, type TLSSocket, connect } from 'node:tls';
import { connectPacket } from '@holdfast/testkit';

/** Ports of the server, and what its clients trust. */
export interface Place {
  readonly ports: Readonly<Record<'broker' | 'api' | 'enroll', number>>;
  readonly anchorPem: string;
}

/** One way in. */
export interface Door {
  readonly name: string;
  readonly port: 'broker' | 'api' | 'enroll';
  /** What a peer sends that calls itself by this device id. */
  readonly bytes: (device: string) => Uint8Array;
}

/** What a peer got. */
export interface Exchange {
  /** Every byte after the handshake, without what says the time; and the TLS alert, if any. */
  readonly seen: string;
  /** A session ticket and its secret, as Node keeps them. */
  readonly ticket: Buffer | undefined;
  readonly isResumed: boolean;
}

/** How long a peer waits for the server to close. */
const WAIT_MS = 60_000;

/** Sends bytes and reads until the server closes, or until the first answer. */
export function exchange(
  place: Place,
  {
    port,
    bytes,
    until = 'close',
    ...tls
  }: Omit<ConnectionOptions, 'port'> & {
    port: Door['port'];
    bytes: Uint8Array;
    localAddress?: string;
    until?: 'close' | 'answer';
  },
): Promise<Exchange> {
  const where = { host: '127.0.0.1', port: place.ports[port], servername: 'localhost' };
  const socket = connect({ ...where, ca: place.anchorPem, ...tls });
  const chunks: Buffer[] = [];
  let ticket: Buffer | undefined;
  let isResumed = false;
  let alert = '';
  socket.on('session', (session: Buffer) => (ticket = session));
  socket.on('secureConnect', () => {
    isResumed = socket.isSessionReused();
    socket.write(bytes);
  });
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (until === 'answer') socket.destroy();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => (alert = alertOf(error)));
  return ended(socket).then(() => {
    const answer = Buffer.concat(chunks).toString('latin1');
    return { seen: alert + answer.replace(/^date: .*\r\n/imu, ''), ticket, isResumed };
  });
}

/** A reset and an end of the stream differ by a race only; alerts of TLS do say something. */
function alertOf({ code = '' }: NodeJS.ErrnoException): string {
  return code.startsWith('ERR_SSL') ? `${code} ` : '';
}

function ended(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`the server did not close within ${WAIT_MS} ms`));
      socket.destroy();
    }, WAIT_MS);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A request of HTTP/1.1 that asks for the end of the connection. */
export function httpRequest(
  line: string,
  { headers = [], body = '' }: { headers?: readonly string[]; body?: string | Uint8Array } = {},
): Uint8Array {
  const bytes = Buffer.from(body);
  const head = [`${line} HTTP/1.1`, 'Host: localhost', `Content-Length: ${bytes.length}`];
  const text = [...head, ...headers, ''].join('\r\n');
  return Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), bytes]);
}

const CLOSE = 'Connection: close';
const PKCS10 = 'Content-Type: application/pkcs10';

/** The upgrade to a WebSocket, and a frame with a CONNECT right behind it. */
export function webSocketConnect(device: string, headers: readonly string[] = []): Uint8Array {
  const upgrade = [
    'GET /mqtt HTTP/1.1',
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: mqtt',
    ...headers,
  ].join('\r\n');
  const packet = connectPacket({ device });
  // A masked frame whose mask is zero: the packet stands in it as it is. RFC 6455 §5.3
  const frame = Buffer.from([0x82, 0x80 | packet.length, 0, 0, 0, 0]);
  return Buffer.concat([Buffer.from(`${upgrade}\r\n\r\n`), frame, packet]);
}

/** A request for a first certificate. */
export function enrollRequest(csr: string, authorization?: string, type = PKCS10): Uint8Array {
  const credential = authorization === undefined ? [] : [`Authorization: ${authorization}`];
  const headers = [CLOSE, type, ...credential];
  return httpRequest('POST /.well-known/est/simpleenroll', { headers, body: csr });
}

/** A request for the next certificate. */
export function reenrollRequest(csr: string): Uint8Array {
  const headers = [CLOSE, PKCS10];
  return httpRequest('POST /.well-known/est/simplereenroll', { headers, body: csr });
}

/** A post of telemetry to a path. */
export function ingestRequest(path: string): Uint8Array {
  const headers = [CLOSE, 'Content-Type: application/json'];
  return httpRequest(`POST ${path}`, { headers, body: '{}' });
}

/** All doors that ask for a certificate. `csrPath` is a request for a key of the peer. */
export function doorsOf(csrPath: string): readonly Door[] {
  const csr = readFileSync(csrPath, 'utf8');
  const get = (path: string) => () => httpRequest(`GET ${path}`, { headers: [CLOSE] });
  return [
    { name: 'broker', port: 'broker', bytes: (device) => connectPacket({ device }) },
    { name: 'WSS', port: 'api', bytes: (device) => webSocketConnect(device) },
    { name: 'ingest', port: 'api', bytes: (device) => ingestRequest(`/v1/d/${device}/telemetry`) },
    { name: 'payload keys', port: 'enroll', bytes: get('/v1/device/payload-keys') },
    { name: 'pins', port: 'enroll', bytes: get('/.well-known/holdfast/pins') },
    { name: 'simplereenroll', port: 'enroll', bytes: () => reenrollRequest(csr) },
    { name: 'simpleenroll', port: 'enroll', bytes: () => enrollRequest(csr) },
  ];
}
