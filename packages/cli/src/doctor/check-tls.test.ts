import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, type Server, createServer as createTcp, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type TlsOptions, createServer as createTls } from 'node:tls';
import { startInProcess, temporaryFolder } from '@holdfast/testkit';
import { checkTls, type TlsExpectation } from './check-tls.ts';
import type { Finding } from './finding.ts';
import { isAcceptedBy, openPorts } from './open-ports.ts';

const DAY_MS = 86_400_000;
const shown = (findings: readonly Finding[]) =>
  findings.map(({ level, what }) => `${level}: ${what}`);

/** A certificate for localhost that signs itself. */
function selfSigned(t: TestContext): { cert: string; key: string } {
  const folder = temporaryFolder(t);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365';
  const name = '-subj /CN=x -addext subjectAltName=DNS:localhost';
  const args = [...`req -x509 ${kind} ${name}`.split(' '), '-keyout', key, '-out', cert];
  execFileSync('openssl', args, { stdio: 'ignore' });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('a listener of the server', async (t) => {
  const server = await startInProcess(t);
  const { ports, dataDir, client } = server;
  const { pins } = await client.server();
  const { anchorPem } = JSON.parse(readFileSync(join(dataDir, 'cli.json'), 'utf8'));
  const expected: TlsExpectation = { anchorPem, pins, nowMs: Date.now(), timeZone: 'UTC' };
  const at = (port: number, host = 'localhost', isOfServer = false) => {
    return { name: 'broker', host, port, isOfServer };
  };
  const check = async (port: number, changed: Partial<TlsExpectation> = {}, host?: string) =>
    shown(await checkTls(at(port, host), { ...expected, nowMs: Date.now(), ...changed }));

  // The first of all: what is refused in another test may come on the record late.
  await t.test('is not tried with what must be refused where the server accepts', async () => {
    const open = openPorts();
    const registry = join(dataDir, 'registry.db');
    const examine = async (isOfServer: (port: number) => boolean): Promise<void> => {
      for (const port of [ports.broker, ports.api, ports.enroll]) {
        const found = await checkTls(at(port, 'localhost', isOfServer(port)), expected);
        assert.deepEqual(
          found.map(({ level }) => level),
          ['good'],
        );
      }
    };
    const seen = (port: number): boolean => isAcceptedBy(registry, { open, port });
    assert.deepEqual(await server.refusedDuring(() => examine(seen)), []);
    // Whoever cannot see it tries, and is on the record like any stranger.
    await server.expectRefusal('E_WIRE_HANDSHAKE', () => examine(() => false));
  });

  await t.test('is good: TLS 1.3 only, pinned, by its name', async () => {
    for (const port of [ports.broker, ports.api, ports.enroll]) {
      const [only = '', ...more] = await check(port);
      assert.match(only, /^good: broker: TLS 1\.3 only, .* for localhost, until 20\d\d-/u);
      assert.deepEqual(more, []);
    }
  });

  await t.test('is bad once its certificate ends, and warned of before', async () => {
    const ends = Date.now() + 397 * DAY_MS;
    const [soon = ''] = await check(ports.api, { nowMs: ends - 20 * DAY_MS });
    assert.match(soon, /^warn: The certificate of the broker ends in (?:19|20) d/u);
    assert.deepEqual(await check(ports.api, { nowMs: ends + DAY_MS }), [
      'bad: The certificate of the broker has ended.',
    ]);
    assert.deepEqual(await check(ports.api, { nowMs: Date.now() - 30 * DAY_MS }), [
      'bad: The certificate of the broker does not count yet.',
    ]);
  });

  await t.test('is bad when its key is another than the pinned one', async () => {
    const other = { ...pins, spki: `${'A'.repeat(43)}=` };
    assert.deepEqual(await check(ports.api, { pins: other }), [
      'bad: The broker shows a certificate that is not the one of this server.',
    ]);
  });

  await t.test('is bad when its chain leads to another authority', async () => {
    const { cert } = selfSigned(t);
    assert.deepEqual(await check(ports.api, { anchorPem: cert }), [
      'bad: The certificates of the broker do not lead to the authority of this server.',
    ]);
  });

  await t.test('is bad by a name that it does not have, also one that leads nowhere', async () => {
    const found = await check(ports.api, {}, 'nowhere.invalid');
    assert.match(found[0] ?? '', /^warn: The broker cannot be reached at nowhere\.invalid:/u);
    assert.match(found[1] ?? '', /^bad: The certificate of the broker is not for nowhere/u);
  });

  await t.test('that is gone, or silent, is bad', async () => {
    // No port that was free a moment ago: the system gives those to whoever asks for one.
    assert.deepEqual(await check(1), ['bad: The broker does not answer on port 1.']);
  });

  await t.test('behind which something else ends TLS is bad', async () => {
    const proxied = async (options: TlsOptions) => {
      const proxy = createTls({ ...selfSigned(t), ...options }, (socket) => {
        socket.on('error', () => {});
        const behind = connect(ports.api, 'localhost').on('error', () => socket.destroy());
        socket.pipe(behind).pipe(socket);
      });
      proxy.on('tlsClientError', () => {});
      return check(await listening(t, proxy));
    };
    const foreign = 'bad: The broker shows a certificate that is not the one of this server.';
    assert.deepEqual(await proxied({ minVersion: 'TLSv1.3' }), [foreign]);
    const old = 'bad: What answers at the broker speaks an older TLS than 1.3.';
    assert.deepEqual(await proxied({ minVersion: 'TLSv1.2' }), [old, foreign]);
    assert.deepEqual(await proxied({ maxVersion: 'TLSv1.2' }), [old, foreign]);
  });

  await t.test('in whose place something speaks without encryption is bad', async () => {
    const plain = createHttp((_, response) => response.end('hello'));
    const port = await listening(t, plain);
    assert.deepEqual(await check(port), [`bad: The broker does not answer on port ${port}.`]);
    // Some programs take both on one port.
    const both = createTcp((socket) => {
      socket.on('error', () => {});
      socket.once('readable', () => {
        const first: Buffer | null = socket.read();
        if (first === null) return;
        const target = first[0] === 0x16 ? ports.api : port;
        const behind = connect(target, 'localhost').on('error', () => socket.destroy());
        behind.write(first);
        socket.pipe(behind).pipe(socket);
      });
    });
    assert.deepEqual(await check(await listening(t, both)), [
      'bad: What answers at the broker also speaks without encryption.',
    ]);
  });
});
