import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAB_CRL, codeOf, openLab } from './lab.testing.ts';

test('the revocation list comes with its facts, to whoever may see the server', async (t) => {
  const lab = openLab(t);
  const token = lab.localToken;
  for (const query of ['', `?issuer=${LAB_CRL.issuer}`]) {
    const answer = await lab.call('GET', `/v1/ca/crl${query}`, { token });
    assert.deepEqual(await answer.json(), {
      issuer: '1a2b3c4d',
      number: 7,
      thisUpdate: '2026-11-21T00:00:00.000Z',
      nextUpdate: '2026-11-22T00:00:00.000Z',
      count: 3,
      der: 'MAA=',
    });
  }
  const nobody = await lab.call('GET', '/v1/ca/crl');
  assert.equal(nobody.status, 401);
});

test('of an issuer that does not exist there is none', async (t) => {
  const lab = openLab(t);
  const token = lab.localToken;
  const absent = await lab.call('GET', '/v1/ca/crl?issuer=00000000', { token });
  assert.equal(await codeOf(absent), 'E_OPERATE_NOT_FOUND');
  for (const issuer of ['', '1a2b3c4', '1A2B3C4D', '1a2b3c4d5']) {
    const wrong = await lab.call('GET', `/v1/ca/crl?issuer=${issuer}`, { token });
    assert.equal(await codeOf(wrong), 'E_OPERATE_INPUT', issuer);
  }
});
