/** The renewal side of an EST server that does what a test tells it, on node:https. @module */
import { type KeyObject, createHash, createPublicKey, verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import { readDer, readDerAll } from '../src/der-reader.ts';
import { type Identity, type TestPki, certificateFor, certsOnly } from './test-pki.ts';

/** How the server answers. */
export interface EstScript {
  /** Default: that of the PKI. */
  server?: Identity;
  /** Answers every renewal so. */
  status?: number;
  /** The certificate alone, or with its issuer. Default: alone. */
  withIssuer?: boolean;
  /** Certifies this key instead of that of the request. */
  certifiedKey?: KeyObject;
  /** The host name in the certificate. Default: that of the test bundle. */
  host?: string;
  lifeMs?: number;
  /** The body of the pin set; without one the answer is 404. */
  pins?: string;
  /** Issuer of new certificates. Default: that of the PKI. */
  issuer?: Identity;
}

/** A running server. */
export interface EstServer {
  readonly port: number;
  readonly script: EstScript;
  /** Method, path, and the fingerprint of the client certificate of each request. */
  readonly seen: { readonly call: string; readonly fingerprint: string | undefined }[];
  /** The public key of each certificate request, SHA-256 of its SPKI. */
  readonly requestedKeys: string[];
  /** Sockets on which TLS was established, whether or not a request followed. */
  connectionCount: number;
}

/** Starts a server. */
export async function startEst(
  t: TestContext,
  pki: TestPki,
  script: EstScript = {},
): Promise<EstServer> {
  const { server: identity = pki.server } = script;
  const server = createServer({
    key: identity.keyPem,
    cert: identity.pem + pki.issuer.pem,
    ca: pki.root.pem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const est: EstServer = { port, script, seen: [], requestedKeys: [], connectionCount: 0 };
  server.on('tlsClientError', () => {});
  server.on('secureConnection', () => {
    est.connectionCount += 1;
  });
  server.on('request', (request, response) => {
    const { socket, method, url } = request;
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    est.seen.push({ call: `${method} ${url}`, fingerprint: certificate?.fingerprint256 });
    readBody(request)
      .then((body) => answer(est, { pki, url: url ?? '', body }))
      .then(({ status, body }) => response.writeHead(status).end(body))
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  return est;
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

function answer(
  { script, requestedKeys }: EstServer,
  { pki, url, body }: { pki: TestPki; url: string; body: string },
): { status: number; body: string } {
  if (url === '/.well-known/holdfast/pins') {
    return { status: script.pins === undefined ? 404 : 200, body: script.pins ?? '' };
  }
  const { issuer = pki.issuer } = script;
  if (url === '/.well-known/est/cacerts') {
    return { status: 200, body: certsOnly([pki.root.der, issuer.der]) };
  }
  if (url !== '/.well-known/est/simplereenroll') return { status: 404, body: '' };
  const key = keyOfRequest(Buffer.from(body, 'base64'));
  requestedKeys.push(fingerprintOf(key));
  const der = certificateFor(script.certifiedKey ?? key, {
    name: 'thermostat-1',
    issuer,
    signer: issuer.privateKey,
    purpose: 'client',
    hosts: [script.host ?? 'thermostat-1'],
    notAfterMs: Date.now() + (script.lifeMs ?? 3_600_000),
  });
  const chain = script.withIssuer === true ? [issuer.der, der] : [der];
  const { status = 200 } = script;
  return { status, body: status === 200 ? certsOnly(chain) : '{"code":"E_ENROLL_CLONE"}' };
}

/** SHA-256 of the SPKI, hex. */
export function fingerprintOf(key: KeyObject): string {
  const spki = key.export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(spki).digest('hex');
}

/** The key of a PKCS#10 request whose signature verifies. */
function keyOfRequest(der: Uint8Array): KeyObject {
  const [info, , signature] = readDerAll(readDer(der)?.content ?? new Uint8Array(), 3) ?? [];
  const [, , spki] = readDerAll(info?.content ?? new Uint8Array(), 4) ?? [];
  if (info === undefined || spki === undefined || signature === undefined) {
    throw new Error('no request');
  }
  const key = createPublicKey({ key: Buffer.from(spki.bytes), format: 'der', type: 'spki' });
  const bits = signature.content.subarray(1);
  if (!verify('sha256', info.bytes, { key, dsaEncoding: 'der' }, bits)) {
    throw new Error('no proof of possession');
  }
  return key;
}
