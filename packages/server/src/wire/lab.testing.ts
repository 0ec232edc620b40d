/** Listeners on loopback with real certificates, for the tests of the wire. @module */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { type Socket, connect as connectTcp } from 'node:net';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { parseDeviceId, parseTenantName } from '@holdfast/protocol';
import { TestClock } from '../kernel/clock.testing.ts';
import { type RefusalReport, systemClock, systemRandom } from '../kernel/index.ts';
import { present } from '../kernel/refusal.testing.ts';
import {
  type Authority,
  certificatePem,
  createAuthority,
  ensureServerCertificate,
  openAuthority,
} from '../pki/index.ts';
import { Admission, type AdmissionDeps } from './admission.ts';
import { type ListenerOptions, openMqtt } from './listener.ts';

/** What a listener and its clients need. */
export interface WireLab {
  readonly clock: TestClock;
  readonly admission: Admission;
  readonly reports: RefusalReport[];
  /** Codes of the refusals so far. */
  readonly codes: () => string[];
  readonly options: ListenerOptions;
  /** How a device connects. */
  readonly device: (id: string) => ClientTls;
  /** How somebody without a certificate connects. */
  readonly anchor: ClientTls;
}

/** What a TLS client is told; it suits `tls`, `https` and `ws`. */
export interface ClientTls {
  readonly host: string;
  readonly servername: string;
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

export function openLab(deps: Partial<Omit<AdmissionDeps, 'report'>> = {}): WireLab {
  const tenant = present(parseTenantName('default'));
  const making = { clock: systemClock, random: systemRandom, tenant };
  const authority = openAuthority(createAuthority(making), making);
  const names = ['localhost', '127.0.0.1', '::1'];
  const server = ensureServerCertificate(undefined, { authority, names, clock: systemClock });
  const clock = new TestClock(0);
  const reports: RefusalReport[] = [];
  const report = (entry: RefusalReport): void => void reports.push(entry);
  const admission = new Admission({ clock, report, ...deps });
  const anchor = { ca: authority.anchorPem, servername: 'localhost', host: '127.0.0.1' };
  return {
    clock,
    admission,
    reports,
    codes: () => reports.map(({ refusal }) => refusal.code),
    anchor,
    device: (id) => ({ ...anchor, ...issue(id, authority) }),
    options: {
      name: 'broker',
      addresses: ['127.0.0.1', '::1'],
      port: 0,
      admission,
      identity: {
        certificateChain: server.certChainPem,
        privateKey: server.keyPem,
        clientAnchors: authority.trustAnchorsPem,
      },
    },
  };
}

function issue(id: string, authority: Authority): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issued = authority.issueDevice({
    spki: publicKey.export({ format: 'der', type: 'spki' }),
    tenant: present(parseTenantName('default')),
    deviceId: present(parseDeviceId(id)),
    lifeMs: 86_400_000,
  });
  return {
    cert: certificatePem(issued.der),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
}

/** A listener for MQTT that keeps who was let in. */
export async function openBroker(
  t: TestContext,
  { options }: WireLab,
  judge: (socket: TLSSocket) => boolean = () => true,
): Promise<{ port: number; sockets: TLSSocket[] }> {
  const sockets: TLSSocket[] = [];
  const listener = await openMqtt(options, (socket) => {
    socket.on('error', () => {});
    const isAdmitted = judge(socket);
    if (isAdmitted) sockets.push(socket);
    else socket.destroy();
    return isAdmitted;
  });
  t.after(() => listener.close());
  return { port: listener.port, sockets };
}

/** Opens a TLS connection; gives undefined when it is closed before its handshake is done. */
export function tlsTo(options: ConnectionOptions): Promise<TLSSocket | undefined> {
  return new Promise((resolve) => {
    const socket = connectTls({ minVersion: 'TLSv1.3', ...options });
    socket.on('error', () => {});
    socket.on('close', () => resolve(undefined));
    socket.on('secureConnect', () => resolve(socket));
  });
}

/** Opens a TCP connection that says nothing. */
export function tcpTo(port: number): Socket {
  const socket = connectTcp({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.resume();
  return socket;
}

/** Resolves when a socket is closed by whichever side. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.on('close', () => resolve());
  });
}

/** Lets the event loop turn until something holds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!holds()) {
    assert.ok(performance.now() < endMs, `waited in vain for ${what}`);
    await new Promise(setImmediate);
  }
}
