import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { ApiError } from './api-error.ts';
import { createClient } from './client.ts';
import { parsePin, pinnedAnchor } from './pinned-anchor.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-client-'));
const path = (name: string) => join(directory, name);
const pem = (name: string) => readFileSync(path(name), 'utf8');
const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });

/** Makes a certificate by `issuer`, or a self-signed one. */
function certificate(name: string, extensions: string, issuer?: string): void {
  writeFileSync(path(`${name}.ext`), extensions);
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  openssl(
    'req',
    '-new',
    '-key',
    `${name}.key`,
    '-subj',
    `/CN=${basename(name)}`,
    '-out',
    `${name}.csr`,
  );
  const signer = issuer
    ? ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`]
    : ['-signkey', `${name}.key`];
  const input = ['-in', `${name}.csr`, '-out', `${name}.crt`, '-extfile', `${name}.ext`];
  openssl('x509', '-req', ...input, ...signer, '-days', '2', '-sha256');
}

let handle: (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let url: string;
let requests: { line: string; headers: IncomingMessage['headers'] }[];

function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

const isCode = (code: string) => (error: unknown) =>
  error instanceof ApiError && (error.code === code || assert.fail(`${error.code} is not ${code}`));

before(async () => {
  certificate('root', 'basicConstraints=critical,CA:TRUE');
  certificate('other', 'basicConstraints=critical,CA:TRUE');
  certificate('issuing', 'basicConstraints=critical,CA:TRUE,pathlen:0', 'root');
  certificate('server', 'subjectAltName=DNS:localhost', 'issuing');
  const tls = { key: pem('server.key'), cert: pem('server.crt') + pem('issuing.crt') };
  server = createServer({ ...tls, minVersion: 'TLSv1.3' }, (request, response) => {
    requests.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    request.resume().on('end', () => handle(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  url = `https://localhost:${address.port}`;
});
beforeEach(() => {
  requests = [];
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

const INFO = {
  version: '0.1.0',
  broker: 'mqtts://localhost:8883',
  api: 'https://localhost:8443',
  enroll: 'https://localhost:8444',
  pins: { certificate: 'ab', spki: 'cd', backupSpki: 'ef' },
  verifierKey: 'k',
  startedAt: '2026-11-21T03:47:00.000Z',
};

describe('createClient', () => {
  it('sends the token, and reads an answer by its schema', async () => {
    handle = (_, response) => json(response, 200, { ...INFO, added: 'later' });
    const client = createClient({ url, token: () => 'hf_x', anchorPem: pem('root.crt') });
    assert.deepEqual(await client.server(), INFO);
    client.close();
    assert.equal(requests[0]?.headers.authorization, 'Bearer hf_x');
  });

  it('refuses a server of another authority, and sends it nothing', async () => {
    const client = createClient({ url, token: 'hf_x', anchorPem: pem('other.crt') });
    await assert.rejects(client.server(), isCode('E_CLIENT_UNTRUSTED'));
    assert.deepEqual(requests, []);
  });

  it('refuses it also when the environment turns verification off', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const client = createClient({ url, token: 'hf_x', anchorPem: pem('other.crt') });
      await assert.rejects(client.server(), isCode('E_CLIENT_UNTRUSTED'));
      assert.deepEqual(requests, []);
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  it('refuses a name that the certificate has not, and says how to add it', async () => {
    const numeric = url.replace('localhost', '127.0.0.1');
    const client = createClient({ url: numeric, token: 'hf_x', anchorPem: pem('root.crt') });
    await assert.rejects(client.server(), {
      code: 'E_CLIENT_UNTRUSTED',
      fix: /--host 127\.0\.0\.1/u,
    });
  });

  it('refuses an address without TLS', () => {
    assert.throws(() => createClient({ url: 'http://localhost', anchorPem: '' }), TypeError);
  });

  it('says when nobody listens', async () => {
    const client = createClient({ url: 'https://localhost:1', anchorPem: pem('root.crt') });
    await assert.rejects(client.server(), isCode('E_CLIENT_UNREACHABLE'));
  });

  it('gives the error of the API, and one of its own for an answer that is none', async () => {
    const client = createClient({ url, token: 'hf_x', anchorPem: pem('root.crt') });
    handle = (_, response) =>
      json(response, 404, { error: { code: 'E_OPERATE_NOT_FOUND', message: 'm', fix: 'f' } });
    await assert.rejects(client.device('a/b'), {
      code: 'E_OPERATE_NOT_FOUND',
      message: 'm',
      fix: 'f',
      status: 404,
    });
    assert.equal(requests[0]?.line, 'GET /v1/devices/a%2Fb');
    handle = (_, response) => response.writeHead(502).end('<html>');
    await assert.rejects(client.devices(), isCode('E_CLIENT_RESPONSE'));
    handle = (_, response) => json(response, 200, { devices: [{ id: 1 }] });
    await assert.rejects(client.devices(), isCode('E_CLIENT_RESPONSE'));
    client.close();
  });

  it('asks again when the server has just ended the idle connection, but acts only once', async () => {
    handle = (request, response) => {
      const isFirst = requests.length === 1;
      if (isFirst) json(response, 200, INFO);
      else if (requests.length === 2 || request.method === 'POST') request.socket.destroy();
      else json(response, 200, INFO);
    };
    const client = createClient({ url, token: 'hf_x', anchorPem: pem('root.crt') });
    await client.server();
    assert.deepEqual(await client.server(), INFO);
    assert.equal(requests.length, 3);
    await assert.rejects(
      client.addDevice({ id: 'd', class: 'sensor' }),
      isCode('E_CLIENT_UNREACHABLE'),
    );
    assert.equal(requests.length, 4);
    client.close();
  });

  it('signs in, and acts with the session', async () => {
    const me = { principal: 'person:ada', role: 'operator', credential: 'session' };
    const cookie = '__Host-holdfast=s3; Path=/; Secure; HttpOnly; SameSite=Strict';
    handle = (_, response) => json(response, 201, me, { 'set-cookie': cookie });
    const anchorPem = pem('root.crt');
    const client = createClient({ url, anchorPem });
    const signedIn = await client.signIn({ name: 'ada', password: 'p' });
    assert.deepEqual(signedIn, { me, session: 's3' });
    handle = (_, response) => response.writeHead(204).end();
    const inSession = createClient({ url, anchorPem, session: signedIn.session });
    await inSession.signOut();
    client.close();
    inSession.close();
    const [signIn, signOut] = requests;
    assert.equal(signIn?.headers.authorization, undefined);
    assert.equal(signOut?.headers.cookie, '__Host-holdfast=s3');
    assert.equal(signOut?.headers['content-type'], 'application/json');
  });

  it('follows readings over a broken connection without losing one', async () => {
    const reading = (index: number) => ({
      index,
      at: '2026-11-21T03:47:00.000Z',
      device: 'a',
      topic: 'd/a/telemetry',
      kid: '1.1',
      payload: '{}',
    });
    const log = [reading(1), reading(2)];
    let connections = 0;
    handle = ({ url: target }, response) => {
      if (target?.endsWith('/stream') !== true) {
        json(response, 200, { readings: log.toReversed() });
        return;
      }
      connections += 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      log.push(reading(2 * connections + 1), reading(2 * connections + 2));
      // The second of the two is lost with the connection.
      response.write(`event: reading\ndata: ${JSON.stringify(log.at(-2))}\n\n`);
      setImmediate(() => response.destroy());
    };
    const client = createClient({ url, token: 'hf_x', anchorPem: pem('root.crt') });
    const indexes: number[] = [];
    let lost = 0;
    const options = { after: 1, onLost: () => (lost += 1) };
    for await (const { index } of client.followReadings('a', options)) {
      indexes.push(index);
      if (index >= 6) break;
    }
    client.close();
    assert.deepEqual(indexes, [2, 3, 4, 5, 6]);
    assert.ok(lost >= 1);
  });
});

describe('pinnedAnchor', () => {
  const pinText = (name: string) =>
    openssl('x509', '-in', `${name}.crt`, '-noout', '-fingerprint', '-sha256').toString();
  const pinFor = (text: string) => parsePin(text) ?? assert.fail(`no pin: ${text}`);

  it('gives an anchor with which the server verifies, by either pin', async () => {
    const spki = new X509Certificate(pem('server.crt')).publicKey.export({
      format: 'der',
      type: 'spki',
    });
    const spkiPin = `sha256//${createHash('sha256').update(spki).digest('base64')}`;
    handle = (_, response) => json(response, 200, INFO);
    for (const text of [pinText('server'), spkiPin]) {
      const anchorPem = await pinnedAnchor(url, pinFor(text));
      assert.equal(anchorPem.trim(), pem('issuing.crt').trim());
      const client = createClient({ url, anchorPem });
      assert.equal((await client.server()).version, '0.1.0');
      client.close();
    }
  });

  it('takes no anchor from a chain that does not hold, whoever added it', async () => {
    // Of the name of the issuer, and with another key: whoever steals the key of a server could
    // make it an authority that outlives that key.
    mkdirSync(path('planted'));
    certificate('planted/issuing', 'basicConstraints=critical,CA:TRUE');
    const subject = openssl('x509', '-in', 'planted/issuing.crt', '-noout', '-subject').toString();
    assert.match(subject, /CN ?= ?issuing/u);
    const cert = pem('server.crt') + pem('planted/issuing.crt');
    const evil = createServer({ key: pem('server.key'), cert, minVersion: 'TLSv1.3' });
    await new Promise<void>((resolve) => evil.listen(0, 'localhost', resolve));
    const address = evil.address();
    assert.ok(address !== null && typeof address === 'object');
    try {
      const shown = `https://localhost:${address.port}`;
      const anchorPem = await pinnedAnchor(shown, pinFor(pinText('server')));
      assert.equal(anchorPem.trim(), pem('server.crt').trim());
    } finally {
      evil.close();
    }
  });

  it('refuses a server with another certificate, also one further up its chain', async () => {
    for (const name of ['other', 'issuing']) {
      const anchor = pinnedAnchor(url, pinFor(pinText(name)));
      await assert.rejects(anchor, isCode('E_CLIENT_UNTRUSTED'));
    }
    assert.deepEqual(requests, []);
  });

  it('reads both forms of a pin, and nothing else', () => {
    const hex = 'ab'.repeat(32);
    const colons = (hex.match(/../gu) ?? []).join(':').toUpperCase();
    const certificatePin = { kind: 'certificate', sha256: hex };
    for (const text of [hex, colons, `SHA256 Fingerprint=${colons}\n`]) {
      assert.deepEqual(parsePin(text), certificatePin);
    }
    assert.deepEqual(parsePin(`sha256//${Buffer.from(hex, 'hex').toString('base64')}`), {
      kind: 'spki',
      sha256: hex,
    });
    for (const text of ['', hex.slice(1), `${hex}0`, 'sha256//AAAA', `sha1//${hex}`]) {
      assert.equal(parsePin(text), undefined, text);
    }
  });
});
