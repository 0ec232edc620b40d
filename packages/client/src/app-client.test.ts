import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Server, createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { formatPairing } from '@holdfast/protocol';
import { ApiError } from './api-error.ts';
import { appClient, pairApp } from './app-client.ts';
import { newAppKey } from './app-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-app-'));
let server: Server;
let port: number;
let anchorPem: string;
let handle: (request: IncomingMessage, response: ServerResponse) => void;
let requests: string[];

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
}

/** A self-signed certificate for localhost, PEM. */
function selfSigned(name: string): string {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
  openssl('req', '-x509', ...curve, ...names, ...files, '-days', '2');
  return readFileSync(join(folder, `${name}.crt`), 'utf8');
}

before(async () => {
  anchorPem = selfSigned('server');
  const key = readFileSync(join(folder, 'server.key'));
  server = createServer({ key, cert: anchorPem }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => handle(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
});
beforeEach(() => {
  requests = [];
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const pinOf = (pem: string): string =>
  createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url');

function pairingText(anchorPin: string): string {
  const code = 'ABCD-EFGH-JKMN-PQRS';
  return formatPairing({ host: 'localhost', port, of: 'pump-1', anchorPin, code });
}

const isCode = (code: string) => (error: unknown) =>
  error instanceof ApiError && (error.code === code || assert.fail(`${error.code}: ${error}`));

describe('pairApp', () => {
  it('sends no code to a server with another anchor', async () => {
    handle = (_, response) => response.end(anchorPem);
    const paired = pairApp(pairingText('A'.repeat(43)));
    await assert.rejects(paired, isCode('E_CLIENT_UNTRUSTED'));
    assert.deepEqual(requests, ['GET /v1/anchor']);
  });

  it('trusts the pinned anchor alone, not what somebody in between adds to it', async () => {
    const real = selfSigned('real');
    handle = (_, response) => response.end(real + anchorPem);
    const paired = pairApp(pairingText(pinOf(real)));
    await assert.rejects(paired, isCode('E_CLIENT_UNTRUSTED'));
    assert.deepEqual(requests, ['GET /v1/anchor']);
  });

  it('takes no anchor without an end: whoever answers is not known yet', async () => {
    let sent = 0;
    const block = Buffer.alloc(65_536, 'x');
    handle = (_, response) => {
      const more = (): void => {
        // Far more than an anchor has, and still an end, for a client that reads all of it.
        if (response.destroyed || sent > 2 ** 26) return void response.end();
        sent += block.length;
        response.write(block, more);
      };
      more();
    };
    const paired = pairApp(pairingText(pinOf(anchorPem)));
    await assert.rejects(paired, isCode('E_CLIENT_RESPONSE'));
    assert.ok(sent < 2 ** 25, `${sent} bytes were taken`);
  });
});

describe('appClient', () => {
  it('sends the code of a device to the server of that device only', async () => {
    const device = {
      id: 'pump-1',
      class: 'actuator',
      state: 'active',
      since: '2026-11-21T03:00:00Z',
    };
    handle = (_, response) => {
      response.writeHead(201, { 'content-type': 'application/json' });
      response.end(JSON.stringify(device));
    };
    const app = appClient({
      url: `https://localhost:${port}`,
      anchorPem,
      app: 'a',
      certificatePem: anchorPem,
      keyPem: readFileSync(join(folder, 'server.key'), 'utf8'),
      notAfter: '2026-11-28T03:00:00Z',
      broker: 'mqtts://localhost:8883',
    });
    const other = app.addDevice(pairingText('A'.repeat(43)));
    await assert.rejects(other, isCode('E_CLIENT_PAIRING'));
    assert.deepEqual(requests, []);
    await app.addDevice(pairingText(pinOf(anchorPem))).catch((error: unknown) => {
      assert.ok(isCode('E_CLIENT_RESPONSE')(error));
    });
    assert.deepEqual(requests, ['POST /v1/app/devices']);
    app.close();
  });
});

describe('newAppKey', () => {
  it('makes a request that openssl verifies', () => {
    const { csrPem } = newAppKey();
    writeFileSync(join(folder, 'app.csr'), csrPem);
    openssl('req', '-verify', '-noout', '-in', 'app.csr');
  });
});
