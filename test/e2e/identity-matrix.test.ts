/** Who must not get in, at every door: refused, counted, told to the operator, and silent. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { renew } from '@holdfast/device';
import { connectPacket, waitFor } from '@holdfast/testkit';
import {
  enrollRequest,
  exchange,
  httpRequest,
  ingestRequest,
  reenrollRequest,
  webSocketConnect,
} from './identity-matrix/doors.ts';
import {
  CLAIMS_PER_ADDRESS,
  FLOOD_ADDRESSES,
  FLOOD_PREFIX,
  flood,
} from './identity-matrix/flood.ts';
import { type Forged, forgeAll } from './identity-matrix/forgeries.ts';
import { type Enrolled, Lab, basic } from './identity-matrix/lab.ts';
import { accessOf, countsOf } from './identity-matrix/matrix.ts';
import { WRONG_CHARACTERS, WRONG_IDS, inPath } from './identity-matrix/names.ts';
import { PROGRAMS } from './identity-matrix/programs.ts';
import { pageOf, tableOf } from './identity-matrix/report.ts';
import { greedyRequests, makeRequest, wrongRequests } from './identity-matrix/requests.ts';
import { withoutSecret } from './identity-matrix/tickets.ts';

const PAGE = join(import.meta.dirname, '../../docs/reference/identity-matrix.md');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

test('the negative matrix', async (t) => {
  const lab = await Lab.open(t);
  const own = await lab.enroll('pump-1');
  const forged = forgeAll(lab.forge, { stolen: lab.stolen, own: own.credential });
  const part = (name: string, body: () => Promise<void>): Promise<void> =>
    t.test(name, async () => {
      const before = lab.matrix.problems.length;
      await body();
      assert.deepEqual(lab.matrix.problems.slice(before), []);
    });
  await part('forged certificates', async () => {
    await tryForged(lab, forged);
    await tryToken(lab, forged);
  });
  await part('certificates of real devices that count no more', () => tryStates(lab));
  await part('a ticket without its key', () => tryTickets(lab, own));
  await part('ids of others, and what is no id', () => tryNames(lab, own));
  await part('bytes that are no HTTP request', () => tryBytes(lab, own));
  await part('claims', () => tryClaims(lab));
  await part('certificate requests that are refused', async () => {
    await tryRequests(lab);
    await tryRenewals(lab, own);
    await tryBodies(lab);
  });
  await part('certificate requests that ask for more', () => tryGreed(lab));
  await part('mosquitto_pub and openssl s_client', () => tryPrograms(lab, forged));
  await part('10,000 wrong claims', () => tryFlood(t, lab));
  await part('the same certificates at another time', () => tryTimes(lab, own));
  await part('an authority of ours that has ended', () => tryEnded(lab));
  await comparePage(t, lab);
});

/** Each forged certificate at each door, and again by the ticket that its first try got. */
async function tryForged(lab: Lab, all: readonly Forged[]): Promise<void> {
  for (const door of lab.doors) {
    for (const { what, credential, ...codes } of all) {
      const [port, kind, bytes] = [door.port, door.name, door.bytes('pump-1')];
      const common = { what, door: door.name, kind };
      const { ticket } = (
        await lab.matrix.expect({
          ...common,
          code: codeAt(door.name, { credential, ...codes }, false),
          run: (localAddress) => exchange(lab.place, { port, bytes, localAddress, ...credential }),
        })
      ).exchange;
      // The broker closes before it has written a ticket. Names are judged by one function, so
      // one door is enough for those.
      if (ticket === undefined) continue;
      if (what.startsWith('SAN') && door.name !== 'pins') continue;
      await lab.matrix.expect({
        ...common,
        isResumed: true,
        code: codeAt(door.name, { credential, ...codes }, true),
        run: (localAddress) => exchange(lab.place, { port, bytes, localAddress, session: ticket }),
      });
    }
  }
}

/** With a certificate nothing else counts, however good it is. */
async function tryToken(lab: Lab, all: readonly Forged[]): Promise<void> {
  const { token } = accessOf(lab.server.dataDir);
  const bytes = webSocketConnect('pump-1', [`Authorization: Bearer ${token}`]);
  const port = 'api';
  const alone = { port, bytes, until: 'answer' } as const;
  const good = await lab.clock.during(() => exchange(lab.place, alone));
  assert.match(good.seen, /^HTTP\/1\.1 101/u, 'the token itself is good');
  for (const { what, credential, code } of all.filter((one) => one.what === 'a foreign CA')) {
    await lab.matrix.expect({
      what: `${what}, with a good API token`,
      door: 'WSS',
      kind: 'WSS',
      code,
      run: (localAddress) => exchange(lab.place, { port, bytes, localAddress, ...credential }),
    });
  }
}

/** What the gate says, but for the doors that also serve others than enrolled devices. */
function codeAt(door: string, forged: Omit<Forged, 'what'>, isResumed: boolean): string {
  const { credential, code, resumedCode, renewalCode } = forged;
  if (door === 'simpleenroll') {
    return credential === undefined ? 'E_ENROLL_CLAIM' : 'E_ENROLL_IDEVID';
  }
  if (door === 'WSS' && credential === undefined) return 'E_OPERATE_UNAUTHENTICATED';
  if (door === 'simplereenroll' && renewalCode !== undefined) return renewalCode;
  return (isResumed ? resumedCode : undefined) ?? code;
}

/** A real device at each door, by its certificate and by its ticket from before. */
async function tryDevice(
  lab: Lab,
  { id, credential, tickets }: Enrolled,
  { what, code, renewalCode }: { what: string; code: string; renewalCode?: string },
): Promise<void> {
  for (const { name, port, bytes } of lab.doors) {
    if (name === 'simpleenroll') continue;
    const expected = name === 'simplereenroll' ? (renewalCode ?? code) : code;
    const common = { what, door: name, kind: name, code: expected };
    const base = { port, bytes: bytes(id) };
    await lab.matrix.expect({
      ...common,
      run: (localAddress) => exchange(lab.place, { ...base, localAddress, ...credential }),
    });
    await lab.matrix.expect({
      ...common,
      isResumed: true,
      run: (localAddress) => exchange(lab.place, { ...base, localAddress, session: tickets[port] }),
    });
  }
}

async function tryStates(lab: Lab): Promise<void> {
  const { client } = lab.server;
  for (const act of ['revoke', 'suspend', 'quarantine', 'retire'] as const) {
    const device = await lab.enroll(`to-${act}`);
    await client.actOnDevice(device.id, act, 'test');
    // To retire a device is to revoke its certificates, too.
    const isRevoked = act === 'revoke' || act === 'retire';
    const codes = isRevoked
      ? { code: 'E_SESSION_REVOKED' }
      : { code: 'E_SESSION_STATE', renewalCode: 'E_ENROLL_STATE' };
    await tryDevice(lab, device, { what: `after ${act}`, ...codes });
  }
  const device = await lab.enroll('to-renew');
  const { folder } = device.bundle;
  await lab.clock.during(() => renew({ bundle: folder }));
  const what = 'superseded by a renewal';
  await tryDevice(lab, device, { what, code: 'E_SESSION_SUPERSEDED' });
  await tryClone(lab, device);
}

async function tryClone(lab: Lab, { id, credential }: Enrolled): Promise<void> {
  lab.clock.advance(60_000);
  const { port, bytes, name } = lab.door('simplereenroll');
  await lab.matrix.expect({
    what: 'superseded, a minute later',
    door: name,
    kind: name,
    code: 'E_ENROLL_CLONE',
    run: (localAddress) =>
      exchange(lab.place, { port, bytes: bytes(id), localAddress, ...credential }),
  });
  const { device } = await lab.server.client.device(id);
  assert.equal(device.state, 'quarantined', 'two have the key of one device');
}

async function tryTickets(lab: Lab, { id, tickets }: Enrolled): Promise<void> {
  for (const { name, port, bytes } of lab.doors) {
    const session = withoutSecret(tickets[port]);
    await lab.matrix.expect({
      what: 'a ticket without its key',
      door: name,
      kind: 'ticket',
      code: 'E_WIRE_HANDSHAKE',
      run: (localAddress) => exchange(lab.place, { port, bytes: bytes(id), localAddress, session }),
    });
  }
}

async function tryNames(lab: Lab, { credential }: Enrolled): Promise<void> {
  await lab.enroll('pump-2');
  const code = 'E_SESSION_CLIENT_ID';
  const connects = [
    ['broker', 'broker', (id: string) => connectPacket({ device: id })],
    ['WSS', 'api', (id: string) => webSocketConnect(id)],
  ] as const;
  for (const [door, port, bytesOf] of connects) {
    for (const wrong of [...WRONG_IDS, ...WRONG_CHARACTERS]) {
      const [what, name] = wrong;
      const bytes = bytesOf(name);
      // No text of MQTT has one of these characters. MQTT 5 [MQTT-1.5.4-2]
      const isMalformed = WRONG_CHARACTERS.includes(wrong);
      await lab.matrix.expect({
        what: `client id: ${what}`,
        door,
        kind: `${door}, ${isMalformed ? 'malformed' : 'client id'}`,
        code: isMalformed ? 'E_WIRE_PACKET' : code,
        run: (localAddress) => exchange(lab.place, { port, bytes, localAddress, ...credential }),
      });
    }
  }
  for (const [what, name] of [...WRONG_IDS, ...WRONG_CHARACTERS]) {
    const bytes = ingestRequest(`/v1/d/${inPath(name)}/telemetry`);
    await lab.matrix.expect({
      what: `path: ${what}`,
      door: 'ingest',
      kind: 'ingest, path',
      code: 'E_AUTHORIZE_PUBLISH',
      run: (localAddress) =>
        exchange(lab.place, { port: 'api', bytes, localAddress, ...credential }),
    });
  }
}

async function tryBytes(lab: Lab, { credential }: Enrolled): Promise<void> {
  const long = `X-Long: ${'x'.repeat(20_000)}`;
  const path = '/v1/d/pump-1/telemetry';
  const tries = [
    ['path: raw NUL', httpRequest(`POST ${path}\0`)],
    ['path: raw escape', httpRequest(`POST ${path}\u001B[2J`)],
    ['path: raw line feed', httpRequest(`POST ${path}\n`)],
    ['a header of 20,000 characters', httpRequest(`POST ${path}`, { headers: [long] })],
  ] as const;
  for (const [what, bytes] of tries) {
    for (const port of ['api', 'enroll'] as const) {
      await lab.matrix.expect({
        what,
        door: port === 'api' ? 'ingest' : 'simpleenroll',
        kind: 'no HTTP',
        code: 'E_WIRE_REQUEST',
        run: (localAddress) => exchange(lab.place, { port, bytes, localAddress, ...credential }),
      });
    }
  }
}

/** One try at simpleenroll, which is told to nobody unless `isTold`. */
async function tryEnroll(
  lab: Lab,
  one: { what: string; code: string; csr: string; authorization?: string; isTold?: boolean },
): Promise<void> {
  const { what, code, csr, authorization, isTold = false } = one;
  await lab.matrix.expect({
    what,
    door: 'simpleenroll',
    kind: isTold ? `simpleenroll, ${what}` : 'simpleenroll',
    code,
    run: (address) => lab.enrollBy(csr, { authorization, address }),
  });
  // Wrong claims for one device are counted by the minute.
  lab.clock.advance(30_000);
}

async function tryClaims(lab: Lab): Promise<void> {
  const { client } = lab.server;
  const csr = makeRequest(lab.forge).toString('base64');
  const add = async (id: string): Promise<string> =>
    (await client.addDevice({ id, class: 'sensor' })).claim.secret;
  const secret = await add('claimed-1');
  const other = await add('claimed-2');
  const code = 'E_ENROLL_CLAIM';
  const wrong = 'A'.repeat(43);
  const tries = [
    ['a wrong secret', basic('claimed-1', wrong)],
    ['a wrong secret for no device', basic('nobody', wrong)],
    ['the claim of another device', basic('claimed-1', other)],
    ['an empty secret', basic('claimed-1', '')],
    ['a name of 8,000 characters', basic('x'.repeat(8_000), secret)],
    ['no colon', `Basic ${Buffer.from('claimed-1').toString('base64')}`],
    ['another scheme', `Bearer ${secret}`],
    ...[...WRONG_IDS, ...WRONG_CHARACTERS].map(
      ([what, name]) =>
        [`name: ${what}`, basic(name.replaceAll('pump', 'claimed'), secret)] as const,
    ),
  ] as const;
  for (const [what, authorization] of tries) {
    await tryEnroll(lab, { what: `claim, ${what}`, code, csr, authorization });
  }
  const weak = makeRequest(lab.forge, ['-newkey', 'rsa:1024']).toString('base64');
  const authorization = basic('claimed-1', wrong);
  await tryEnroll(lab, { what: 'claim, wrong, and a weak key', code, csr: weak, authorization });
  await tryUsedClaims(lab, { csr, secret, other });
}

async function tryUsedClaims(
  lab: Lab,
  { csr, secret, other }: { csr: string; secret: string; other: string },
): Promise<void> {
  const authorization = basic('claimed-1', secret);
  const address = lab.matrix.nextAddress();
  const good = await lab.clock.during(() => lab.enrollBy(csr, { authorization, address }));
  assert.match(good.seen, /^HTTP\/1\.1 200/u, 'none of this has used the claim up');
  const again = makeRequest(lab.forge).toString('base64');
  const what = 'claim, used before by another key';
  await tryEnroll(lab, { what, code: 'E_ENROLL_CLAIM_USED', csr: again, authorization });
  const late = basic('claimed-2', other);
  lab.clock.jumpMs = 25 * HOUR_MS;
  await tryEnroll(lab, {
    what: 'claim, expired',
    code: 'E_ENROLL_CLAIM_EXPIRED',
    csr,
    authorization: late,
  });
  lab.clock.jumpMs = 0;
  const { client } = lab.server;
  const { claim } = await client.claimDevice('claimed-1');
  await client.actOnDevice('claimed-1', 'suspend', 'test');
  await tryEnroll(lab, {
    what: 'claim, of a suspended device',
    code: 'E_ENROLL_STATE',
    csr: again,
    authorization: basic('claimed-1', claim.secret),
  });
}

async function tryRequests(lab: Lab): Promise<void> {
  const { claim } = await lab.server.client.addDevice({ id: 'asks-badly', class: 'sensor' });
  const authorization = basic('asks-badly', claim.secret);
  for (const [what, csr, code] of wrongRequests(lab.forge)) {
    await tryEnroll(lab, { what, code, csr, authorization, isTold: true });
  }
  const csr = makeRequest(lab.forge).toString('base64');
  const address = lab.matrix.nextAddress();
  const good = await lab.clock.during(() => lab.enrollBy(csr, { authorization, address }));
  assert.match(good.seen, /^HTTP\/1\.1 200/u, 'the claim is good until it is redeemed');
}

/** The same requests by a device that renews. */
async function tryRenewals(lab: Lab, { credential }: Enrolled): Promise<void> {
  writeFileSync(lab.forge.path('own.key'), credential.key, { mode: 0o600 });
  const ownKey = makeRequest(lab.forge, ['-key', 'own.key']).toString('base64');
  const present = ['CSR: the key of the present certificate', ownKey, 'E_ENROLL_KEY'] as const;
  for (const [what, csr, code] of [...wrongRequests(lab.forge), present]) {
    const bytes = reenrollRequest(csr);
    await lab.matrix.expect({
      what,
      door: 'simplereenroll',
      kind: `simplereenroll, ${what}`,
      code,
      run: (localAddress) =>
        exchange(lab.place, { port: 'enroll', bytes, localAddress, ...credential }),
    });
  }
}

/** What is refused before anybody is known. */
async function tryBodies(lab: Lab): Promise<void> {
  const authorization = basic('pump-1', 'A'.repeat(43));
  const tries = [
    ['a body of 13,000 bytes', enrollRequest('A'.repeat(13_000), authorization)],
    ['a body of JSON', enrollRequest('{}', authorization, 'Content-Type: application/json')],
  ] as const;
  for (const [what, bytes] of tries) {
    await lab.matrix.expect({
      what,
      door: 'simpleenroll',
      kind: what,
      code: 'E_ENROLL_CSR',
      run: (localAddress) => exchange(lab.place, { port: 'enroll', bytes, localAddress }),
    });
  }
}

/** These get a certificate, and nothing of what else they asked for. */
async function tryGreed(lab: Lab): Promise<void> {
  const { client } = lab.server;
  for (const [at, [what, csr]] of greedyRequests(lab.forge).entries()) {
    const id = `greedy-${at}`;
    const { claim } = await client.addDevice({ id, class: 'sensor' });
    const authorization = basic(id, claim.secret);
    const address = lab.matrix.nextAddress();
    const { seen } = await lab.clock.during(() => lab.enrollBy(csr, { authorization, address }));
    assert.match(seen, /^HTTP\/1\.1 200/u, what);
    const issued = certificateIn(lab, seen);
    assert.equal(issued.subject, `CN=${id}`, what);
    assert.equal(issued.subjectAltName, `URI:urn:holdfast:default:${id}`, what);
    assert.equal(issued.ca, false, what);
    assert.deepEqual(issued.keyUsage, ['1.3.6.1.5.5.7.3.2'], what);
    const act = (await client.acts({ limit: 5 })).find(({ target }) => target === id);
    const ignored = act?.facts?.['ignored'];
    assert.ok(Array.isArray(ignored) && ignored.length > 0, `${what}: what is ignored is logged`);
    assert.match(JSON.stringify(ignored), /^[\x20-\x7e]*$/u, what);
  }
}

/** The certificate in an answer of EST. */
function certificateIn({ forge }: Lab, seen: string): X509Certificate {
  const body = seen.slice(seen.indexOf('\r\n\r\n') + 4);
  writeFileSync(forge.path('answer.p7'), Buffer.from(body, 'base64'));
  const inform = ['-inform', 'DER', '-in', 'answer.p7'];
  return new X509Certificate(forge.openssl('pkcs7', ...inform, '-print_certs'));
}

async function tryPrograms(lab: Lab, all: readonly Forged[]): Promise<void> {
  const wanted = new Set(['no certificate', 'a foreign CA', 'expired', 'serverAuth only']);
  for (const [door, program] of Object.entries(PROGRAMS)) {
    for (const { what, credential, code } of all.filter((one) => wanted.has(one.what))) {
      await lab.matrix.expect({
        what,
        door,
        kind: door,
        code,
        isProgram: true,
        run: (address) => program(lab, { credential, address }),
      });
    }
  }
}

async function tryFlood(t: TestContext, lab: Lab): Promise<void> {
  const sent = FLOOD_ADDRESSES * CLAIMS_PER_ADDRESS;
  const sum = async (): Promise<number> => {
    const counts = await countsOf(lab.server);
    return (counts.get('E_ENROLL_CLAIM') ?? 0) + (counts.get('E_ENROLL_RATE') ?? 0);
  };
  const before = await sum();
  const startMs = performance.now();
  const answers = await lab.clock.during(() => flood(lab));
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  assert.equal((await sum()) - before, sent, 'each one is counted');
  assert.deepEqual([...answers.keys()].map((answer) => answer.slice(0, 3)).toSorted(), [
    '401',
    '429',
  ]);
  t.diagnostic(`${sent} wrong claims in ${seconds} s: ${JSON.stringify([...answers])}`);
  lab.clock.advance(1_000);
  // Each one stands in a sum that the operator sees.
  await waitFor('all of them to be told', async () => (await toldOf(lab)) >= sent);
  assert.equal(await toldOf(lab), sent);
  const { claim } = await lab.server.client.addDevice({ id: 'in-time', class: 'sensor' });
  const csr = makeRequest(lab.forge).toString('base64');
  const authorization = basic('in-time', claim.secret);
  const address = `${FLOOD_PREFIX}1.1`;
  const good = await lab.clock.during(() => lab.enrollBy(csr, { authorization, address }));
  assert.match(good.seen, /^HTTP\/1\.1 200/u, 'a right claim is taken from the same address');
}

/** How many refusals of the flood stand on the audit log, sums included. */
async function toldOf(lab: Lab): Promise<number> {
  const limit = 1_000;
  let [told, before] = [0, Number.MAX_SAFE_INTEGER];
  for (;;) {
    const page = await lab.server.client.refusals({ limit, before });
    for (const { address, count, index } of page) {
      if (address?.startsWith(FLOOD_PREFIX) === true) told += count;
      before = index;
    }
    if (page.length < limit) return told;
  }
}

/** The clock of the server jumps: nobody has to wait for the end of a certificate. */
async function tryTimes(lab: Lab, own: Enrolled): Promise<void> {
  lab.clock.jumpMs = -2 * DAY_MS;
  const early = 'not yet valid by the clock of the server';
  await tryDevice(lab, own, { what: early, code: 'E_SESSION_NOT_YET_VALID' });
  // The life of a certificate of its class, its grace, and a day.
  lab.clock.jumpMs = (90 + 180 + 1) * DAY_MS;
  const what = 'expired by the clock of the server';
  const codes = { code: 'E_SESSION_EXPIRED', renewalCode: 'E_ENROLL_GRACE' };
  await tryDevice(lab, own, { what, ...codes });
  lab.clock.jumpMs = 0;
}

async function tryEnded(lab: Lab): Promise<void> {
  const device = await lab.enroll('of-before');
  const { client } = lab.server;
  await client.prepareAuthority({});
  await client.switchAuthority();
  await client.finishRotation({ force: 'test' });
  const what = 'issued by a generation of our CA that has ended';
  await tryDevice(lab, device, { what, code: 'E_SESSION_FOREIGN_CA' });
}

async function comparePage(t: TestContext, { matrix }: Lab): Promise<void> {
  t.diagnostic(`${matrix.outcomes.length} tries\n${tableOf(matrix.outcomes)}`);
  const page = pageOf(matrix.outcomes);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, page);
  await t.test('the page of the reference is what was seen', () => {
    assert.equal(existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '', page);
  });
}
