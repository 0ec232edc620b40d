/**
 * Goal: browsers trust the public name, and nothing else changes. Method: Pebble, the ACME server
 * of Let's Encrypt for tests, issues for a real server after its real tls-alpn-01 check.
 */
import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import {
  type Pebble,
  type PebbleOptions,
  VirtualClock,
  run,
  signPayload,
  startInProcess,
  startPebble,
  startServer,
  temporaryFolder,
  waitFor,
  whyNoPebble,
} from '@holdfast/testkit';
import { freePort } from './free-port.ts';

const NAME = 'gate.example.test';
const DAY_MS = 86_400_000;
const ORDERS = 'holdfast_public_certificate_orders_total';
const skip = whyNoPebble() ?? false;

async function pebbleFor(
  t: TestContext,
  server: { readonly ports: { readonly api: number } },
  options: Partial<PebbleOptions> = {},
): Promise<Pebble> {
  const [port, managementPort, dnsPort] = [await freePort(), await freePort(), await freePort()];
  const tlsPort = server.ports.api;
  return startPebble(t, { port, managementPort, dnsPort, tlsPort, ...options });
}

const acmeOf = ({ directoryUrl, anchorPem }: Pebble, more = {}) => ({
  domain: NAME,
  directoryUrl,
  directoryAnchorPem: anchorPem,
  email: 'operator@example.test',
  agreesToTerms: true,
  ...more,
});

/** The certificate that a port shows to whoever asks for a name. */
function shown(port: number, servername: string): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const options = { port, servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
    const socket = connect(options, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.end();
      if (certificate === undefined) reject(new Error('no certificate'));
      else resolve(certificate);
    });
    socket.on('error', reject);
  });
}

const isByPebble = ({ issuer }: X509Certificate): boolean => /Pebble/u.test(issuer);

function issued(
  server: { readonly ports: { readonly api: number } },
  tick: () => void = () => {},
): Promise<X509Certificate> {
  return waitFor('the certificate of the public name', async () => {
    tick();
    const certificate = await shown(server.ports.api, NAME);
    return isByPebble(certificate) && certificate;
  });
}

test(
  'a certificate by a real tls-alpn-01 check, for the name and the API alone',
  { skip },
  async (t) => {
    const first = await startInProcess(t, { hosts: ['localhost', NAME] });
    const { folder } = await first.enroll('pump-1');
    const pebble = await pebbleFor(t, first);
    await assert.rejects(first.restart({ acme: acmeOf(pebble, { agreesToTerms: false }) }), {
      code: 'E_ACME_TERMS',
      message: /agree to its terms: data:text\/plain/u,
    });
    const server = await first.restart({ acme: acmeOf(pebble) });
    const certificate = await issued(server);
    assert.equal(certificate.subjectAltName, `DNS:${NAME}`);
    assert.match(pebble.log(), /Starting 3 validations.*set VALID by completed challenge/su);

    const { api, broker, enroll } = server.ports;
    for (const [port, name] of [
      [api, 'localhost'],
      [broker, NAME],
      [enroll, NAME],
    ] as const) {
      assert.ok(!isByPebble(await shown(port, name)), `${port} ${name}`);
    }
    // A browser trusts it; a device that comes by this name is known as ever.
    const root = join(temporaryFolder(t), 'root.pem');
    writeFileSync(root, await pebble.issuedAnchorPem());
    const ctr = Date.now();
    const curl = (...args: string[]) =>
      run('curl', [
        '-sS',
        '--fail',
        '--cacert',
        root,
        '--resolve',
        `${NAME}:${api}:127.0.0.1`,
        ...args,
      ]);
    const page = await curl(`https://${NAME}:${api}/healthz`);
    assert.equal(page.stdout, 'ok\n', page.stderr);
    const [cert, key] = [join(folder, 'client.crt'), join(folder, 'client.key')];
    const body = signPayload(folder, { ctr, ts: ctr, temp: 21 });
    const url = `https://${NAME}:${api}/v1/d/pump-1/telemetry/temp`;
    const json = ['-H', 'content-type: application/json', '--data-binary', body];
    const posted = await curl('--cert', cert, '--key', key, ...json, url);
    assert.equal(posted.code, 0, posted.stderr + posted.stdout);
    const methods = await curl(`https://${NAME}:${api}/v1/sign-in/methods`);
    assert.match(methods.stdout, /"origin":"https:\/\/gate\.example\.test"/u);
    // Nobody gets to see the answer to a challenge when none is expected.
    const probe = ['s_client', '-connect', `localhost:${api}`, '-servername', NAME];
    const refused = await run('openssl', [...probe, '-alpn', 'acme-tls/1']);
    assert.match(refused.stderr, /no application protocol/u);

    // Sealed, and served again without the authority.
    await pebble.stop();
    const again = await server.restart({ acme: acmeOf(pebble, { agreesToTerms: false }) });
    assert.equal((await shown(again.ports.api, NAME)).fingerprint256, certificate.fingerprint256);
    const acts = (await again.client.acts()).filter(({ action }) => /acme|public-/u.test(action));
    assert.deepEqual(
      acts.map(({ action }) => action),
      ['server.public-certificate', 'server.acme-account'],
    );
    const text = await run('grep', ['-rlE', 'PRIVATE KEY|acme-v02|gate.example', again.dataDir]);
    assert.equal(text.stdout, '', 'nothing of it is readable');
  },
);

test(
  'renewal at two thirds; what fails leaves the old one, and then our own',
  { skip },
  async (t) => {
    const clock = new VirtualClock();
    const first = await startInProcess(t, { hosts: ['localhost', NAME] });
    const pebble = await pebbleFor(t, first, { lifeS: (90 * DAY_MS) / 1_000 });
    const server = await first.restart({ clock, acme: acmeOf(pebble) });
    // Whoever polls lets time go by as it does outside: a timer that was set after the clock was
    // moved falls due, and no handshake takes longer than it does.
    let lastMs = Date.now();
    const tick = (): void => {
      const nowMs = Date.now();
      clock.advance(nowMs - lastMs);
      lastMs = nowMs;
    };
    const orders = (): Promise<number> => {
      tick();
      return server.metric(ORDERS);
    };
    const certificate = await issued(server, tick);
    const lifeMs = certificate.validToDate.getTime() - certificate.validFromDate.getTime();
    assert.ok(Math.abs(lifeMs - 90 * DAY_MS) < DAY_MS, 'Pebble obeys its configuration');
    await waitFor('its record', async () => (await orders()) === 1);
    const end = await server.metric('holdfast_public_certificate_end_seconds');
    assert.equal(end, certificate.validToDate.getTime() / 1_000);

    clock.sleep(59 * DAY_MS);
    clock.advance(DAY_MS - 2 * 3_600_000);
    assert.equal(await orders(), 1, 'not yet');
    clock.advance(3 * 3_600_000);
    const renewed = await waitFor('the renewal', async () => {
      tick();
      const now = await shown(server.ports.api, NAME);
      return now.fingerprint256 !== certificate.fingerprint256 && now;
    });
    assert.ok(isByPebble(renewed));
    assert.ok(!renewed.publicKey.equals(certificate.publicKey), 'with a new key');

    await waitFor('its record', async () => (await orders()) === 2);
    await pebble.stop();
    clock.advance(3_600_000);
    await waitFor('the failure', async () => (await orders()) === 3);
    assert.equal((await shown(server.ports.api, NAME)).fingerprint256, renewed.fingerprint256);
    clock.advance(60_000);
    assert.equal(await orders(), 3, 'it backs off');
    clock.advance(120_000);
    await waitFor('the next attempt', async () => (await orders()) === 4);
    clock.sleep(30 * DAY_MS);
    assert.ok(!isByPebble(await shown(server.ports.api, NAME)), 'ended: our own authority again');
  },
);

test('external accounts: the right key gets one, a wrong one is on record', { skip }, async (t) => {
  const server = await startInProcess(t, { hosts: ['localhost', NAME] });
  const right = Buffer.alloc(32, 7).toString('base64url');
  const pebble = await pebbleFor(t, server, { externalAccounts: { 'kid-1': right } });
  const using = (macKey: string) =>
    acmeOf(pebble, { externalAccount: { keyId: 'kid-1', macKey: () => macKey } });
  const wrong = await server.restart({ acme: using(Buffer.alloc(32, 8).toString('base64url')) });
  await waitFor('the failure', async () => (await wrong.metric(ORDERS)) === 1);
  const [act] = await waitFor('its record', async () => {
    const acts = (await wrong.client.acts()).filter(({ action }) => action.includes('public-'));
    return acts.length > 0 && acts;
  });
  assert.match(JSON.stringify(act), /"failure"/u);
  assert.ok(!isByPebble(await shown(wrong.ports.api, NAME)));
  await issued(await wrong.restart({ acme: using(right) }));
});

test('by the command line, in a process of its own with its guards on', { skip }, async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  const hosts = ['--host', 'localhost', '--host', NAME];
  const first = await startServer(t, { dataDir, args: hosts });
  const key = Buffer.alloc(32, 9).toString('base64url');
  const pebble = await pebbleFor(t, first, { externalAccounts: { 'kid-1': key } });
  await first.stop();
  const folder = temporaryFolder(t);
  const [ca, eab] = [join(folder, 'pebble.pem'), join(folder, 'eab.json')];
  writeFileSync(ca, pebble.anchorPem);
  writeFileSync(eab, JSON.stringify({ kid: 'kid-1', hmacKey: key }), { mode: 0o600 });
  const acme = ['--acme-domain', NAME, '--acme-directory', pebble.directoryUrl, '--acme-ca', ca];
  const args = [...hosts, '--api-port', String(first.ports.api), ...acme, '--acme-eab-file', eab];
  await assert.rejects(startServer(t, { dataDir, args }), /E_ACME_TERMS[^]*--acme-agree-terms/u);
  const server = await startServer(t, { dataDir, args: [...args, '--acme-agree-terms'] });
  assert.equal(server.ports.api, first.ports.api);
  assert.equal((await issued(server)).subjectAltName, `DNS:${NAME}`);
  assert.doesNotMatch(server.output.stdout + server.output.stderr, new RegExp(key, 'u'));
  const { code } = await server.stop();
  assert.equal(code, 0);
});
