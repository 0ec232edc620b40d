import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CERTIFICATE_SOON_MS,
  FiguresSchema,
  OVERVIEW_LISTED_MAX,
  type Overview,
  OverviewSchema,
} from '@holdfast/protocol/api';
import type { RoleName } from '../../registry/index.ts';
import { type Lab, openLab, present } from '../lab.testing.ts';
import { CENSUS_DEVICES_OF_STEP, CENSUS_LIFE_MS, CENSUS_PART_LIFE_MS } from '../limits.ts';

const DAY_MS = 86_400_000;

/** Operators see the north alone. */
const NORTH = `
permit (principal in Role::"administrator", action, resource);
permit (principal in Role::"operator", action == Action::"server:read", resource);
permit (principal in Role::"operator", action == Action::"device:read", resource is Device)
when { resource.group == Group::"north" };`;

function signIn({ people }: Lab, role: RoleName): string {
  const { code } = present(people.membership.invite({ name: role, role }));
  const person = present(people.membership.redeem(code.expose()));
  return people.startSession(person, { by: 'totp', address: '192.0.2.1' }).id.expose();
}

async function overview(lab: Lab, session?: string): Promise<Overview> {
  const who = session === undefined ? { token: lab.localToken } : { session };
  const answer = await lab.call('GET', '/v1/overview', who);
  assert.equal(answer.status, 200, await answer.clone().text());
  return OverviewSchema.parse(await answer.json());
}

function addDevices(lab: Lab, count: number, group = '', prefix = 'dev'): void {
  const devices = Array.from({ length: count }, (_, at) => ({
    id: `${prefix}-${String(at).padStart(5, '0')}`,
    class: at % 2 === 0 ? ('sensor' as const) : ('actuator' as const),
    group,
  }));
  present(lab.registry.addMany(devices, []));
}

/** Gives a device a certificate that ends then; a renewed one is pending beside it. */
function enroll(
  { registry, clock }: Lab,
  id: string,
  endsInMs: number,
  renewedInMs?: number,
): void {
  const issued = (serial: string, ms: number, status: 'current' | 'pending') => ({
    fingerprint: `${id}-${serial}`,
    serial: `${id}-${serial}`,
    deviceId: id,
    status,
    notBeforeMs: 0,
    notAfterMs: clock.ms + ms,
  });
  const device = registry.byId(id) ?? assert.fail();
  const claim = { deviceId: id, secretHash: 'ab', expiresAtMs: 0 };
  const enrolled = registry.completeEnrollment(device, {
    certificate: issued('1', endsInMs, 'current'),
    claim,
  });
  if (renewedInMs === undefined) return;
  registry.renew(enrolled, { certificate: issued('2', renewedInMs, 'pending') });
}

test('the fleet is counted by state and class, with who is connected and who never was', async (t) => {
  const lab = openLab(t);
  addDevices(lab, 2 * CENSUS_DEVICES_OF_STEP + 3);
  const ids = ['dev-00000', 'dev-00001', 'dev-00002'];
  for (const id of ids) enroll(lab, id, 90 * DAY_MS);
  present(lab.registry.changeState('dev-00002', { act: 'quarantine', by: 'local', reason: 'odd' }));
  lab.connected.set('dev-00000', connection());
  const { fleet, troubles } = await overview(lab);
  assert.equal(fleet.total, 2_003);
  assert.ok(fleet.isWhole);
  assert.deepEqual(fleet.byState, { registered: 2_000, claimed: 2, quarantined: 1 });
  assert.deepEqual(fleet.byClass, { sensor: 1_002, actuator: 1_001 });
  assert.equal(fleet.connected, 1);
  assert.equal(fleet.neverSeen, 2_002);
  assert.ok(troubles.some(({ code }) => code === 'devices-quarantined'));
});

test('certificates count as ending until somebody renews them, and as ended after that', async (t) => {
  const lab = openLab(t);
  addDevices(lab, 5);
  enroll(lab, 'dev-00000', CERTIFICATE_SOON_MS - 1);
  enroll(lab, 'dev-00001', CERTIFICATE_SOON_MS);
  enroll(lab, 'dev-00002', DAY_MS, 90 * DAY_MS);
  enroll(lab, 'dev-00003', -1);
  enroll(lab, 'dev-00004', -1);
  present(lab.registry.changeState('dev-00004', { act: 'revoke', by: 'local', reason: 'gone' }));
  const { certificates } = await overview(lab);
  assert.deepEqual(certificates.ending, { count: 1, devices: ['dev-00000'] });
  assert.deepEqual(certificates.ended, { count: 1, devices: ['dev-00003'] });
});

test('of many devices the first ones are named', async (t) => {
  const lab = openLab(t);
  addDevices(lab, OVERVIEW_LISTED_MAX + 1);
  for (const { id } of lab.registry.all()) enroll(lab, id, DAY_MS);
  const { ending } = (await overview(lab)).certificates;
  assert.deepEqual([ending.count, ending.devices.length], [11, 10]);
});

test('a count serves everybody who sees the same for some seconds', async (t) => {
  const lab = openLab(t);
  addDevices(lab, 1);
  assert.equal((await overview(lab)).fleet.total, 1);
  addDevices(lab, 1, '', 'more');
  lab.clock.advance(CENSUS_LIFE_MS - 1);
  assert.equal((await overview(lab)).fleet.total, 1);
  lab.clock.advance(1);
  assert.equal((await overview(lab)).fleet.total, 2);
});

test('who may see some devices only gets a count of these, and no word of the others', async (t) => {
  const lab = openLab(t);
  addDevices(lab, 2, 'north', 'north');
  addDevices(lab, 3, 'south', 'south');
  enroll(lab, 'south-00000', DAY_MS);
  lab.deps.policies.authorizer.activate(NORTH);
  const session = signIn(lab, 'operator');
  assert.equal((await overview(lab)).fleet.total, 5);
  const seen = await overview(lab, session);
  assert.equal(seen.fleet.total, 2);
  assert.ok(!seen.fleet.isWhole);
  assert.equal(seen.certificates.ending.count, 0);
  assert.ok(!JSON.stringify(seen).includes('south'));
  // Another policy counts at once, however young the count is.
  lab.deps.policies.authorizer.activate(NORTH.replace('"north"', '"south"'));
  assert.equal((await overview(lab, session)).fleet.total, 3);
  addDevices(lab, 1, 'south', 'more');
  lab.clock.advance(CENSUS_PART_LIFE_MS - 1);
  assert.equal((await overview(lab, session)).fleet.total, 3);
  lab.clock.advance(1);
  assert.equal((await overview(lab, session)).fleet.total, 4);
});

test('the log, refusals and updates are for those who may read them', async (t) => {
  const lab = openLab(t);
  const all = await overview(lab);
  assert.ok(all.log !== undefined && all.refusals !== undefined && all.updates !== undefined);
  const viewed = await overview(lab, signIn(lab, 'viewer'));
  assert.deepEqual(
    [viewed.log, viewed.refusals, viewed.updates],
    [undefined, undefined, undefined],
  );
  assert.ok(viewed.disk !== null && viewed.traffic.acceptedPerS === 0);
  assert.ok(!viewed.troubles.some(({ href }) => href === '/audit' || href === '/firmware'));
  const operated = await overview(lab, signIn(lab, 'operator'));
  assert.ok(operated.updates !== undefined && operated.log === undefined);
  assert.equal((await lab.call('GET', '/v1/overview')).status, 401);
});

test('it says when the log was verified last, by whom, and what was found', async (t) => {
  const lab = openLab(t);
  const { lastVerification } = lab.deps.watch;
  assert.equal((await overview(lab)).log?.lastVerification, undefined);
  const atMs = lab.clock.ms;
  lastVerification.note({ atMs, by: 'person:ada', isGood: false, size: 9, findings: 2 });
  const { log, troubles } = await overview(lab);
  assert.deepEqual(log?.lastVerification, {
    at: new Date(atMs).toISOString(),
    by: 'person:ada',
    ok: false,
    size: 9,
    findings: 2,
  });
  assert.equal(troubles[0]?.code, 'log-not-good');
});

test('a verification over the API is noted, and one that nobody waits for is not', async (t) => {
  const lab = openLab(t);
  const { lastVerification } = lab.deps.watch;
  const verify = (): Promise<Response> =>
    lab.call('POST', '/v1/audit/verifications', { token: lab.localToken, body: {} });
  const { verify: fails } = lab.deps.logAudit;
  const lasts: typeof fails = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('nobody listens')));
    });
  Object.assign(lab.deps.logAudit, { verify: lasts });
  await (await verify()).body?.cancel();
  await new Promise(setImmediate);
  assert.equal(lab.recorded.at(-1)?.action, 'audit.verify');
  assert.equal(lastVerification.latest, undefined);
  // The lab has no log: it comes to no end.
  Object.assign(lab.deps.logAudit, { verify: fails });
  await (await verify()).text();
  const { by, isGood, why } = lastVerification.latest ?? assert.fail();
  assert.deepEqual([by, isGood], ['local', false]);
  assert.match(why ?? '', /no log/u);
});

test('a verification that cannot be recorded fails, and ends nothing but itself', async (t) => {
  const lab = openLab(t);
  lab.journal.beforeRecord = () => {
    throw new Error('the disk is gone');
  };
  for (let n = 0; n < 2; n += 1) {
    const request = { token: lab.localToken, body: {} };
    const answer = await lab.call('POST', '/v1/audit/verifications', request);
    assert.match(await answer.text(), /"failed":"this lab has no log to verify"/u);
  }
  assert.ok(lab.logLines.some((line) => line.includes('the disk is gone')));
});

test('figures tell refusals by code to those alone who may read the log', async (t) => {
  const lab = openLab(t);
  const figures = async (session: string) => {
    const answer = await lab.call('GET', '/v1/figures?span=hour', { session });
    return FiguresSchema.parse(await answer.json());
  };
  lab.traffic.refused = { E_VERIFY_SIG: 30 };
  lab.clock.advance(10_000);
  lab.figures.sample();
  const audited = await figures(signIn(lab, 'auditor'));
  assert.deepEqual(
    audited.byCode.map(({ code, total }) => [code, total]),
    [['E_VERIFY_SIG', 30]],
  );
  assert.equal(audited.refused.at(-1), 3);
  const viewed = await figures(signIn(lab, 'viewer'));
  assert.deepEqual(viewed.byCode, []);
  assert.deepEqual(viewed.refused, audited.refused);
  const wrong = await lab.call('GET', '/v1/figures?span=year', { token: lab.localToken });
  assert.equal(wrong.status, 400);
});

function connection(): Parameters<Lab['connected']['set']>[1] {
  return {
    address: '192.0.2.1',
    sinceMs: 0,
    protocol: 'MQTT 5',
    transport: { transport: 'TLS' },
    fingerprint: '',
    keepAliveS: 60,
  };
}
