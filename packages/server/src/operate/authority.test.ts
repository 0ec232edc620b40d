/**
 * Goal: no step of a rotation happens out of turn, unrecorded, or while devices still need what it
 * takes away; and the key of the root leaves only into the hands of whoever can show that it has it.
 */
import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { AuthorityStatus } from '@holdfast/protocol/api';
import { type Lab, codeOf, openLab, present } from './lab.testing.ts';

interface AuthorityLab extends Lab {
  readonly post: (step: string, body?: object) => Promise<Response>;
  readonly status: () => Promise<AuthorityStatus>;
  /** Certificates that the present generation issued to as many devices. */
  readonly addCertificates: (count: number) => void;
}

function openAuthorityLab(context: TestContext): AuthorityLab {
  const lab = openLab(context);
  const token = lab.localToken;
  const lifeMs = 86_400_000;
  return {
    ...lab,
    post: (step, body = {}) => lab.call('POST', `/v1/ca/${step}`, { token, body }),
    status: async () => (await lab.call('GET', '/v1/ca', { token })).json() as never,
    addCertificates(count) {
      const { issuers } = lab.deps.authority;
      const issuer = issuers.find(({ role, state }) => role === 'devices' && state === 'issuing');
      const nowMs = lab.clock.nowMs();
      for (let n = 0; n < count; n += 1) {
        const device = present(lab.registry.add({ id: `dev-${n}`, class: 'sensor', by: 'local' }));
        lab.registry.completeEnrollment(device, {
          certificate: {
            fingerprint: `f${n}`,
            serial: `0${n}`,
            deviceId: device.id,
            notBeforeMs: nowMs,
            notAfterMs: nowMs + lifeMs,
            status: 'current',
            issuerKeyId: issuer?.keyId,
          },
          claim: { deviceId: device.id, secretHash: '00', expiresAtMs: nowMs },
        });
      }
    },
  };
}

const states = ({ generations }: AuthorityStatus): string =>
  generations.map(({ number, state }) => `${number} ${state}`).join(', ');

test('a rotation goes step by step, each one recorded', async (t) => {
  const { post, status, recorded } = openAuthorityLab(t);
  assert.equal(states(await status()), '1 issuing');
  for (const [step, after, next] of [
    ['prepare', '1 issuing, 2 next', 'switch'],
    ['switch', '1 trusted, 2 issuing', 'finish'],
    ['finish', '1 ended, 2 issuing', 'prepare'],
  ] as const) {
    const out =
      step === 'prepare'
        ? ['switch', 'finish']
        : step === 'switch'
          ? ['prepare', 'finish']
          : ['prepare', 'switch'];
    for (const other of out) assert.equal(await codeOf(await post(other)), 'E_OPERATE_CONFLICT');
    const answer = (await (await post(step)).json()) as AuthorityStatus;
    assert.equal(states(answer), after);
    assert.equal(answer.next, next);
    const { action, facts } = recorded.at(-1) ?? assert.fail('not recorded');
    assert.equal(action, `ca.${step}`);
    assert.equal(facts?.['generation'], step === 'finish' ? 1 : 2);
  }
  assert.equal(recorded.length, 3, 'what was refused is no act');
});

test('what cannot be recorded is not done', async (t) => {
  const { post, status, journal } = openAuthorityLab(t);
  for (const step of ['prepare', 'requests', 'root/export']) {
    journal.isReady = false;
    const body = step === 'root/export' ? { passphrase: 'x'.repeat(12) } : {};
    assert.equal((await post(step, body)).status, 503, step);
    journal.isReady = true;
    journal.beforeRecord = () => {
      throw new Error('the disk is gone');
    };
    assert.equal((await post(step, body)).status, 500, step);
    journal.beforeRecord = () => {};
  }
  assert.equal(states(await status()), '1 issuing');
  await post('prepare');
  journal.isReady = false;
  assert.equal((await post('switch')).status, 503);
  assert.equal(states(await status()), '1 issuing, 2 next');
});

test('of two that prepare at the same time, one is refused [E_OPERATE_CONFLICT]', async (t) => {
  const { post, status } = openAuthorityLab(t);
  const answers = await Promise.all([post('prepare'), post('prepare')]);
  assert.deepEqual(
    answers.map((answer) => answer.status).toSorted((a, b) => a - b),
    [200, 409],
  );
  assert.equal(states(await status()), '1 issuing, 2 next');
});

test('the old generation ends when nothing needs it, or by force', async (t) => {
  const lab = openAuthorityLab(t);
  const { post, status, registry, clock, recorded } = lab;
  lab.addCertificates(4);
  await post('prepare');
  await post('switch');
  const [old] = (await status()).generations;
  assert.deepEqual(old?.inUse, {
    certificates: 4,
    devices: ['dev-0', 'dev-1', 'dev-2', 'dev-3'],
    apps: 0,
    lastEndsAt: new Date(clock.nowMs() + 86_400_000).toISOString(),
  });
  // A device that is revoked needs it no more, nor one that has another certificate since.
  present(registry.changeState('dev-0', { act: 'revoke', reason: 'lost', by: 'local' }));
  const { authority } = lab.deps;
  const newest = authority.issuers.find(({ role }) => role === 'devices');
  registry.completeEnrollment(registry.byId('dev-1') ?? assert.fail(), {
    certificate: {
      fingerprint: 'g1',
      serial: '11',
      deviceId: 'dev-1',
      notBeforeMs: 0,
      notAfterMs: clock.nowMs() + 1,
      status: 'current',
      issuerKeyId: newest?.keyId,
    },
    claim: { deviceId: 'dev-1', secretHash: '00', expiresAtMs: 0 },
  });
  const refused = await post('finish');
  assert.equal(refused.status, 409);
  assert.match(await refused.text(), /2 certificates of it still count/u);
  assert.equal(states(await status()), '1 trusted, 2 issuing');

  const closed: string[] = [];
  registry.onChange(({ id }) => closed.push(id));
  assert.equal((await post('finish', { force: 'the key leaked' })).status, 200);
  assert.deepEqual(closed.sort(), ['dev-2', 'dev-3'], 'their connections are told');
  const { status: state, endReason } = registry.certificate('f2') ?? assert.fail();
  assert.deepEqual([state, endReason], ['revoked', 'the key leaked']);
  assert.equal(registry.certificate('g1')?.status, 'current');
  const act = recorded.at(-1);
  assert.deepEqual(
    [act?.action, act?.reason, act?.facts?.['ended']],
    ['ca.finish', 'the key leaked', 2],
  );
});

test('expired certificates keep no generation alive', async (t) => {
  const lab = openAuthorityLab(t);
  lab.addCertificates(1);
  await lab.post('prepare');
  await lab.post('switch');
  lab.clock.ms += 86_400_000;
  assert.equal((await lab.post('finish')).status, 409, 'its last millisecond');
  lab.clock.ms += 1;
  assert.equal((await lab.post('finish')).status, 200);
});

test('the root leaves only when the exported file is proven to open', async (t) => {
  const { post, status, recorded } = openAuthorityLab(t);
  const passphrase = 'correct horse battery';
  assert.equal(await codeOf(await post('root/forget', { proof: 'AAAA' })), 'E_OPERATE_CONFLICT');
  assert.equal(await codeOf(await post('root/export', { passphrase: 'short' })), 'E_OPERATE_INPUT');
  const exported = (await (await post('root/export', { passphrase })).json()) as {
    rootPem: string;
    challenge: string;
  };
  assert.equal(await codeOf(await post('root/forget', { proof: 'AAAA' })), 'E_OPERATE_INPUT');
  assert.equal((await status()).root.isKeyHere, true, 'a wrong proof removes nothing');

  const key = createPrivateKey({ key: exported.rootPem, format: 'pem', passphrase });
  const proofOf = (challenge: string): string =>
    sign('sha256', Buffer.from(`holdfast/root-export/v1\0${challenge}`), key).toString('base64');
  const stale = proofOf('another');
  assert.equal(await codeOf(await post('root/forget', { proof: stale })), 'E_OPERATE_INPUT');
  const proof = proofOf(exported.challenge);
  assert.equal((await post('root/forget', { proof })).status, 200);
  assert.equal((await status()).root.isKeyHere, false);
  assert.equal(await codeOf(await post('root/forget', { proof })), 'E_OPERATE_CONFLICT');
  assert.equal(await codeOf(await post('root/export', { passphrase })), 'E_OPERATE_CONFLICT');
  assert.equal(await codeOf(await post('prepare')), 'E_OPERATE_CONFLICT');
  assert.deepEqual(
    recorded.map(({ action }) => action),
    ['ca.root-export', 'ca.root-forget'],
  );
  assert.ok(!JSON.stringify(recorded).includes(passphrase));
});

test('apps of owners keep their generation alive, and are told of its end', async (t) => {
  const { post, status, deps, clock, recorded } = openAuthorityLab(t);
  const { owners, authority } = deps;
  const issuer = authority.issuers.find(({ role }) => role === 'apps');
  const notAfterMs = clock.nowMs() + 86_400_000;
  const certificate = { fingerprint: 'a1', spkiHash: 'b1', notAfterMs, issuerKeyId: issuer?.keyId };
  const ownerId = owners.newOwnerId();
  const appId = owners.newAppId(ownerId);
  const used = { spkiHash: 'b1', atMs: 0, appId, certificatePem: '' };
  owners.addApp({ ownerId, appId, certificate, used, code: { of: ownerId, hash: '' } });
  await post('prepare');
  await post('switch');
  const lastEndsAt = new Date(notAfterMs).toISOString();
  assert.deepEqual(
    (await status()).generations.map(({ inUse }) => inUse),
    [
      { certificates: 1, devices: [], apps: 1, lastEndsAt },
      { certificates: 0, devices: [], apps: 0 },
    ],
  );
  assert.equal((await post('finish')).status, 409);
  const told: (string | undefined)[] = [];
  owners.onChange(({ renewed }) => told.push(renewed));
  assert.equal((await post('finish', { force: 'the key leaked' })).status, 200);
  assert.deepEqual(told, [`app:${appId}`]);
  assert.equal(recorded.at(-1)?.facts?.['ended'], 1);
});

test('an end of trust whose clean-up fails is recorded, and closes connections', async (t) => {
  const lab = openAuthorityLab(t);
  lab.addCertificates(1);
  await lab.post('prepare');
  await lab.post('switch');
  const scrub = lab.store.scrub.bind(lab.store);
  lab.store.scrub = () => {
    throw new Error('the disk is full');
  };
  assert.equal((await lab.post('finish', { force: 'leaked' })).status, 500);
  lab.store.scrub = scrub;
  assert.equal(states(await lab.status()), '1 ended, 2 issuing');
  assert.equal(lab.registry.certificate('f0')?.status, 'revoked');
  assert.equal(lab.recorded.at(-1)?.action, 'ca.finish');
});
