/**
 * Enrollment over real TLS, with the clients that people use: `openssl`, `curl` and a shell.
 * The commands of the guide are taken from the guide.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { parseClaim } from '@holdfast/protocol';
import type { LifeCycleAct } from '../registry/index.ts';
import { type ListeningLab, type ShellRun, openListeningLab, present } from './lab.testing.ts';
import {
  BODY_BYTES_MAX,
  WRONG_DELAY_MS,
  WRONG_PER_ADDRESS_MAX,
  WRONG_PER_DEVICE_MAX,
} from './limits.ts';

const GUIDE = new URL('../../../../docs/guides/enroll-with-openssl.md', import.meta.url);

/** The shell commands of the guide, as one script that stops at the first failure. */
function guideScript(): string {
  const blocks = readFileSync(GUIDE, 'utf8').matchAll(/^```sh\n([^]*?)^```$/gmu);
  return `set -e -o pipefail\n${[...blocks].map(([, block]) => block).join('')}`;
}

/** Posts a request with curl; prints the body, then the status and headers. */
function postCsr(
  lab: ListeningLab,
  {
    user,
    password,
    request = 'request.b64',
    options = '',
  }: { user: string; password: string; request?: string; options?: string },
): Promise<ShellRun> {
  const url = `https://localhost:${lab.port}/.well-known/est/simpleenroll`;
  return lab.shell(
    `curl --silent --show-error --config - --cacert root.pem ${options} --write-out '\\n%{http_code} %header{www-authenticate}' ` +
      `--header 'Content-Type: application/pkcs10' --data-binary @${request} ${url}`,
    `user = "${user}:${password}"\n`,
  );
}

/** A lab with the trust anchor in `root.pem`, and requests for two keys. */
async function preparedLab(context: Parameters<typeof openListeningLab>[0]): Promise<ListeningLab> {
  const lab = await openListeningLab(context);
  const { code, stderr } = await lab.shell(
    `cat > root.pem
     for name in request other; do
       openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout $name.key \\
         -subj /CN=x -addext subjectAltName=DNS:evil.example -outform DER | openssl base64 > $name.b64
     done`,
    lab.authority.anchorPem,
  );
  assert.equal(code, 0, stderr);
  return lab;
}

const UNAUTHORIZED = 'The claim is not accepted.\n\n401 Basic realm="holdfast-est"';

function codes({ reports }: ListeningLab): string[] {
  return reports.map(({ refusal }) => refusal.code);
}

test('the guide gives a complete bundle that only its owner can read', async (context) => {
  const lab = await openListeningLab(context);
  const device = lab.addDevice('thermostat-1');
  const { text } = lab.claim(device);
  const { code, stdout, stderr } = await lab.shell(guideScript(), `${text.expose()}\n`);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  assert.match(stdout, /client\.crt: OK\n/u);
  const bundle = join(lab.folder, 'thermostat-1');
  const read = (name: string): string => readFileSync(join(bundle, name), 'utf8');
  const files = 'ca.crt client.crt client.key command.key holdfast.json payload.key server.pin';
  assert.equal(readdirSync(bundle).sort().join(' '), files);
  assert.equal(statSync(bundle).mode & 0o777, 0o700);
  for (const name of files.split(' ')) {
    assert.equal(statSync(join(bundle, name)).mode & 0o777, 0o600, name);
  }
  assert.equal(read('ca.crt'), lab.authority.anchorPem);
  const [leaf = '', issuer = ''] = read('client.crt').split(/(?<=END CERTIFICATE-----\n)/u);
  assert.equal(new X509Certificate(leaf).subjectAltName, 'URI:urn:holdfast:default:thermostat-1');
  assert.equal(issuer, lab.authority.devicesCaPem);
  const enrolled = lab.registry.byId('thermostat-1');
  assert.ok(enrolled);
  const keys = lab.payloadKeys.of(enrolled);
  assert.equal(read('payload.key'), `${Buffer.from(keys.payloadKey.expose()).toString('hex')}\n`);
  assert.equal(read('command.key'), `${Buffer.from(keys.commandKey.expose()).toString('hex')}\n`);
  const { pins, ...settings } = JSON.parse(read('holdfast.json'));
  assert.deepEqual(settings, {
    version: 1,
    device: 'thermostat-1',
    tenant: 'default',
    kid: '1.1',
    broker: 'mqtts://localhost:8883',
  });
  const [spkiLine, certificateLine] = read('server.pin').split('\n');
  const [pin, backup] = pins;
  assert.equal(spkiLine, `sha256//${pin.spki}`);
  assert.equal(certificateLine?.split('=')[1]?.replaceAll(':', '').toLowerCase(), pin.certificate);
  assert.match(backup.spki, /^[\w+/]{43}=$/);
  assert.deepEqual(
    lab.acts.map(({ action, principal, target }) => [action, principal, target]),
    [
      ['device.enroll', 'thermostat-1', 'thermostat-1'],
      ['device.payload-keys', 'thermostat-1', 'thermostat-1'],
    ],
  );
  assert.deepEqual(lab.reports, []);
});

test('the pins are those of the server: curl accepts the one, openssl shows the other', async (context) => {
  const lab = await openListeningLab(context);
  const { text } = lab.claim(lab.addDevice('thermostat-1'));
  await lab.shell(guideScript(), `${text.expose()}\n`);
  const script = `cd thermostat-1
    curl --silent --fail --cacert ca.crt --pinnedpubkey "$(head -1 server.pin)" --output /dev/null \\
      https://localhost:${lab.port}/.well-known/est/cacerts && echo pinned
    openssl s_client -connect localhost:${lab.port} < /dev/null 2> /dev/null |
      openssl x509 -noout -fingerprint -sha256 | cut -d= -f2
    sed -n 2p server.pin | cut -d= -f2`;
  const [pinned, shown, kept] = (await lab.shell(script)).stdout.split('\n');
  assert.equal(pinned, 'pinned');
  assert.equal(shown, kept);
});

test('the guide stops at a server whose anchor is not the one of the claim', async (context) => {
  const lab = await openListeningLab(context);
  const { text } = lab.claim(lab.addDevice('thermostat-1'));
  const claim = parseClaim(text.expose());
  const forged = text.expose().replace(claim?.anchorPin ?? '-', 'A'.repeat(43));
  const { code, stdout } = await lab.shell(guideScript(), `${forged}\n`);
  assert.notEqual(code, 0);
  assert.match(stdout, /STOP/u);
  assert.equal(lab.registry.byId('thermostat-1')?.state, 'registered');
  assert.deepEqual(lab.acts, []);
});

test('cacerts is the trust anchor and the devices authority [RFC 7030 §4.1.3]', async (context) => {
  const lab = await preparedLab(context);
  const url = `https://localhost:${lab.port}/.well-known/est/cacerts`;
  const { stdout } = await lab.shell(
    `curl --silent --cacert root.pem --dump-header headers ${url} | openssl base64 -d -A |
       openssl pkcs7 -inform DER -print_certs | grep -v '^subject\\|^issuer\\|^$'`,
  );
  assert.equal(stdout, lab.authority.anchorPem + lab.authority.devicesCaPem);
  const headers = readFileSync(join(lab.folder, 'headers'), 'utf8').toLowerCase();
  assert.match(headers, /content-type: application\/pkcs7-mime; smime-type=certs-only\r\n/u);
  assert.match(headers, /content-transfer-encoding: base64\r\n/u);
});

test('the answer to simpleenroll holds the new certificate alone [RFC 7030 §4.2.3]', async (context) => {
  const lab = await preparedLab(context);
  const { secret } = lab.claim(lab.addDevice('a'));
  const { stdout } = await postCsr(lab, { user: 'a', password: secret.expose() });
  const [body = '', status] = stdout.split('\n');
  assert.equal(status?.slice(0, 3), '200');
  const printed = await lab.shell(
    'openssl base64 -d -A | openssl pkcs7 -inform DER -print_certs',
    `${body}\n`,
  );
  assert.equal(printed.stdout.match(/BEGIN CERTIFICATE/gu)?.length, 1);
  const [act] = lab.acts;
  assert.equal(act?.facts?.['certificate'], lab.registry.certificatesOf('a')[0]?.fingerprint);
  assert.deepEqual(act?.facts?.['ignored'], ['subject CN=x', 'subjectAltName DNS:evil.example']);
  assert.equal(act?.facts?.['address'], '127.0.0.1');
});

test('every credential problem has the same answer, and its own report', async (context) => {
  const lab = await preparedLab(context);
  const device = lab.addDevice('a');
  lab.addDevice('no-claim');
  const { secret } = lab.claim(device);
  const good = secret.expose();
  const expect = async (user: string, password: string, code: string): Promise<void> => {
    const { stdout } = await postCsr(lab, { user, password });
    assert.equal(stdout, UNAUTHORIZED, code);
    const last = lab.reports.at(-1);
    assert.equal(last?.refusal.code, code);
    assert.equal(last.address, '127.0.0.1');
    assert.equal(last.claimed, user);
  };
  await expect('a', 'A'.repeat(43), 'E_ENROLL_CLAIM');
  await expect('unknown', good, 'E_ENROLL_CLAIM');
  await expect('no-claim', good, 'E_ENROLL_CLAIM');
  const change = (act: LifeCycleAct) =>
    present(lab.registry.changeState('a', { act, by: 'local', reason: 'test' }));
  change('enroll');
  change('suspend');
  await expect('a', good, 'E_ENROLL_STATE');
  change('resume');
  lab.clock.ms += 24 * 3_600_000;
  await expect('a', good, 'E_ENROLL_CLAIM_EXPIRED');
  const again = lab.claim(device).secret.expose();
  await postCsr(lab, { user: 'a', password: again });
  lab.clock.ms += 10 * 60_000;
  await expect('a', again, 'E_ENROLL_CLAIM_USED');
  assert.deepEqual(lab.clock.delaysMs, [WRONG_DELAY_MS, WRONG_DELAY_MS, WRONG_DELAY_MS]);
  const anonymous = await lab.shell(
    `curl --silent --cacert root.pem --write-out '\\n%{http_code} %header{www-authenticate}' ` +
      `--data-binary @request.b64 https://localhost:${lab.port}/.well-known/est/simpleenroll`,
  );
  assert.equal(anonymous.stdout, UNAUTHORIZED);
  const told = lab.reports
    .map(({ refusal, claimed }) => `${refusal.detail} ${claimed ?? ''}`)
    .join('');
  assert.ok(!told.includes(good) && !told.includes(again));
});

test('the same key again gets the same answer; another key is an alarm', async (context) => {
  const lab = await preparedLab(context);
  const password = lab.claim(lab.addDevice('a')).secret.expose();
  const first = await postCsr(lab, { user: 'a', password });
  const again = await postCsr(lab, { user: 'a', password });
  assert.match(first.stdout, /\n200 $/u);
  assert.equal(again.stdout, first.stdout);
  assert.deepEqual(
    lab.acts.map(({ facts }) => facts?.['isRepeated']),
    [false, true],
  );
  const other = await postCsr(lab, { user: 'a', password, request: 'other.b64' });
  assert.equal(other.stdout, UNAUTHORIZED);
  assert.deepEqual(codes(lab), ['E_ENROLL_CLAIM_USED']);
});

test('of redemptions at the same time with different keys, one succeeds', async (context) => {
  const lab = await preparedLab(context);
  const password = lab.claim(lab.addDevice('a')).secret.expose();
  const requests = ['request.b64', 'other.b64', 'request.b64', 'other.b64'];
  const answers = await Promise.all(
    requests.map((request) => postCsr(lab, { user: 'a', password, request })),
  );
  const statuses = answers.map(({ stdout }) => stdout.split('\n').at(-1)?.slice(0, 3));
  assert.deepEqual(
    statuses.map(Number).toSorted((a, b) => a - b),
    [200, 200, 401, 401],
  );
  assert.equal(statuses[0], statuses[2]);
  assert.equal(lab.registry.certificatesOf('a').length, 1);
});

test('a bad request is told to the holder of a good claim, and to nobody else', async (context) => {
  const lab = await preparedLab(context);
  const password = lab.claim(lab.addDevice('a')).secret.expose();
  await lab.shell(
    `echo garbage > garbage
     openssl req -new -newkey rsa:2048 -noenc -keyout rsa.key -subj /CN=a -outform DER | openssl base64 > rsa.b64`,
  );
  const garbage = await postCsr(lab, { user: 'a', password, request: 'garbage' });
  assert.match(garbage.stdout, /^E_ENROLL_CSR: .*\n\n400 $/u);
  const rsa = await postCsr(lab, { user: 'a', password, request: 'rsa.b64' });
  assert.match(rsa.stdout, /^E_ENROLL_KEY: .* Use an elliptic-curve key on P-256\.\n\n400 $/u);
  const stranger = await postCsr(lab, { user: 'a', password: 'x', request: 'garbage' });
  assert.equal(stranger.stdout, UNAUTHORIZED);
  assert.deepEqual(codes(lab), ['E_ENROLL_CSR', 'E_ENROLL_KEY', 'E_ENROLL_CLAIM']);
  assert.match((await postCsr(lab, { user: 'a', password })).stdout, /\n200 $/u);
});

test('a body is read to its limit and not further, declared or chunked', async (context) => {
  const lab = await preparedLab(context);
  const password = lab.claim(lab.addDevice('a')).secret.expose();
  await lab.shell(
    `head -c ${BODY_BYTES_MAX} /dev/zero > fits; head -c ${BODY_BYTES_MAX + 1} /dev/zero > large
     head -c 5000000 /dev/zero > huge`,
  );
  for (const options of ['', '--header "Transfer-Encoding: chunked"']) {
    const status = async (request: string): Promise<string | undefined> => {
      const { stdout } = await postCsr(lab, { user: 'a', password, request, options });
      return stdout.split('\n').at(-1)?.slice(0, 3);
    };
    assert.equal(await status('fits'), '400', options);
    assert.equal(await status('large'), '413', options);
    assert.equal(await status('huge'), '413', options);
  }
  assert.match((await postCsr(lab, { user: 'a', password })).stdout, /\n200 $/u);
});

test('many wrong claims are limited, and a right one still goes through [E_ENROLL_RATE]', async (context) => {
  const lab = await preparedLab(context);
  const { secret } = lab.claim(lab.addDevice('a'));
  const script = `for n in $(seq ${WRONG_PER_ADDRESS_MAX + 2}); do
    printf 'user = "%s:%043d"\\n' "\${1:-d$n}" 0 | curl --silent --config - --cacert root.pem --output /dev/null \\
      --write-out '%{http_code} %header{retry-after}\\n' --data-binary @request.b64 \\
      --header 'Content-Type: application/pkcs10' \\
      https://localhost:${lab.port}/.well-known/est/simpleenroll; done`;
  const wrong = (await lab.shell(script)).stdout.trimEnd().split('\n');
  const limited = ['429 60', '429 60'];
  const unlimited = Array.from({ length: WRONG_PER_ADDRESS_MAX }, () => '401 ');
  assert.deepEqual(
    wrong.map((line) => line.padEnd(4)),
    [...unlimited, ...limited],
  );
  assert.deepEqual(codes(lab).slice(-2), ['E_ENROLL_RATE', 'E_ENROLL_RATE']);
  const right = await postCsr(lab, { user: 'a', password: secret.expose() });
  assert.match(right.stdout, /\n200 $/u);
  lab.clock.ms += 60_000;
  const device = await lab.shell(`set -- a; ${script}`);
  assert.equal(device.stdout.match(/401/gu)?.length, WRONG_PER_DEVICE_MAX);
});

test('payload keys are for an accepted certificate, and until they are in use', async (context) => {
  const lab = await openListeningLab(context);
  const { text } = lab.claim(lab.addDevice('thermostat-1'));
  await lab.shell(guideScript(), `${text.expose()}\n`);
  const get = async (options: string): Promise<string[]> => {
    const { stdout } = await lab.shell(
      `cd thermostat-1; curl --silent --cacert ca.crt ${options} --write-out '\\n%{http_code}' \\
         https://localhost:${lab.port}/v1/device/payload-keys`,
    );
    return stdout.split('\n');
  };
  const certificate = '--cert client.crt --key client.key';
  const [body = '', status] = await get(certificate);
  assert.equal(status, '200');
  const leafAlone = await get('--cert <(openssl x509 -in client.crt) --key client.key');
  assert.deepEqual(leafAlone, [body, '200']);

  const [anonymous, anonymousStatus] = await get('');
  assert.equal(anonymousStatus, '401');
  await lab.shell(
    `cd thermostat-1; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout f.key \\
       -out f.crt -subj /CN=thermostat-1 -addext subjectAltName=URI:urn:holdfast:default:thermostat-1`,
  );
  assert.deepEqual(await get('--cert f.crt --key f.key'), [anonymous, '401']);
  assert.deepEqual(codes(lab), ['E_SESSION_NO_CERTIFICATE', 'E_SESSION_FOREIGN_CA']);
  assert.equal(lab.reports.at(-1)?.claimed, 'CN=thermostat-1');

  const device = lab.registry.byId('thermostat-1');
  assert.ok(device);
  lab.registry.markPayloadKeyInUse(device);
  const [delivered = '', deliveredStatus] = await get(certificate);
  assert.equal(deliveredStatus, '409');
  assert.equal(JSON.parse(delivered).error.code, 'E_ENROLL_DELIVERED');
  assert.equal(lab.reports.at(-1)?.principal, 'thermostat-1');
  assert.ok(!delivered.includes(JSON.parse(body).payloadKey));
});

test('nothing is answered before it is recorded: a failing journal gives 503, and no keys', async (context) => {
  const lab = await preparedLab(context);
  const password = lab.claim(lab.addDevice('a')).secret.expose();
  lab.journal.problem = new Error('disk full');
  const failed = await postCsr(lab, { user: 'a', password });
  assert.match(failed.stdout, /^The server cannot do this now[^]*\n503 $/u);
  assert.ok(!failed.stdout.includes('MII'));
  assert.match(lab.logLines.join(''), /disk full/u);
  lab.journal.problem = undefined;
  assert.match((await postCsr(lab, { user: 'a', password })).stdout, /\n200 $/u);
  assert.equal(lab.acts[0]?.facts?.['isRepeated'], true);
});

test('a peer that leaves in the middle of its body is no error of the server', async (context) => {
  const lab = await preparedLab(context);
  const password = lab.claim(lab.addDevice('a')).secret.expose();
  const credential = Buffer.from(`a:${password}`).toString('base64');
  const socket = connect({ port: lab.port, host: '127.0.0.1', rejectUnauthorized: false });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const head = `POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${credential}\r\nContent-Length: 400\r\n\r\nMII`;
  await new Promise((resolve) => socket.write(head, resolve));
  await lab.shell(
    `curl --silent --cacert root.pem https://localhost:${lab.port}/.well-known/est/cacerts`,
  );
  socket.destroy();
  // The next answer comes after the server has noticed.
  assert.match((await postCsr(lab, { user: 'a', password })).stdout, /\n200 $/u);
  assert.deepEqual(lab.logLines, []);
});

test('what is no route of enrollment is not found', async (context) => {
  const lab = await preparedLab(context);
  const { stdout } = await lab.shell(
    `for path in / /v1/devices /.well-known/est/fullcmc /.well-known/est/simpleenroll; do
       curl --silent --cacert root.pem --output /dev/null --write-out '%{http_code} ' https://localhost:${lab.port}$path
     done`,
  );
  assert.equal(stdout, '404 404 404 405 ');
});
