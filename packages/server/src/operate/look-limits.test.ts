import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Lab, codeOf, openLab, present } from './lab.testing.ts';
import {
  COMMAND_LIST_LOOKS,
  DEVICES_LOOKED_AT_PER_MINUTE_MAX,
  NOTED_DEVICE_LOOKS,
} from './limits.ts';

const MINUTE_MS = 60_000;
const FLEET = 5_000_000;

/** A fleet so large that the limit is met before that of requests is. */
function openFleet(t: TestContext): { lab: Lab; session: string } {
  const lab = openLab(t);
  const { columns } = lab.registry;
  present(lab.registry.add({ id: 'pump-1', class: 'sensor' }));
  // To look at what is not there costs as much, and needs no minute to make.
  Object.defineProperty(columns, 'count', { value: FLEET });
  const { code } = present(lab.people.membership.invite({ name: 'eve', role: 'viewer' }));
  const person = present(lab.people.membership.redeem(code.expose()));
  const session = lab.people.startSession(person, { by: 'totp', address: '192.0.2.1' }).id;
  return { lab, session: session.expose() };
}

for (const { what, method, path, body } of [
  { what: 'a search', method: 'GET', path: '/v1/devices?q=no', body: undefined },
  { what: 'another order', method: 'GET', path: '/v1/devices?sort=seen', body: undefined },
  { what: 'a count', method: 'GET', path: '/v1/devices?count=yes', body: undefined },
  { what: 'facets', method: 'GET', path: '/v1/device-facets', body: undefined },
  {
    what: 'a plan',
    method: 'POST',
    path: '/v1/device-acts/plan',
    body: { act: 'revoke', select: { filter: { q: 'no' } } },
  },
]) {
  test(`nobody keeps the server busy by ${what}, and others go on`, async (t) => {
    const { lab, session } = openFleet(t);
    for (let looked = FLEET; looked <= DEVICES_LOOKED_AT_PER_MINUTE_MAX; looked += FLEET) {
      const answer = await lab.call(method, path, { session, body });
      assert.equal(answer.status, 200, `${looked}`);
    }
    const refused = await lab.call(method, path, { session, body });
    assert.equal(await codeOf(refused), 'E_OPERATE_RATE');
    assert.equal((await lab.call(method, path, { token: lab.localToken, body })).status, 200);
    lab.clock.advance(MINUTE_MS);
    assert.equal((await lab.call(method, path, { session, body })).status, 200);
  });
}

test('pages in the order of ids cost no more than they show', async (t) => {
  const { lab, session } = openFleet(t);
  for (let i = 0; i < (2 * DEVICES_LOOKED_AT_PER_MINUTE_MAX) / FLEET; i += 1) {
    const { status } = await lab.call('GET', '/v1/devices?limit=1', { session });
    assert.equal(status, 200);
  }
});

test('the commands of a device, which take a search, count as well', async (t) => {
  const { lab, session } = openFleet(t);
  const ask = (): Promise<Response> => lab.call('GET', '/v1/devices/pump-1/commands', { session });
  for (let looked = 0; looked < DEVICES_LOOKED_AT_PER_MINUTE_MAX; looked += COMMAND_LIST_LOOKS) {
    assert.equal((await ask()).status, 200);
  }
  assert.equal((await ask()).status, 429);
});

test('to come and go on the live stream counts, where the states of all are noted for it', async (t) => {
  const { lab, session } = openFleet(t);
  const ask = async (): Promise<number> => {
    const answer = await lab.call('GET', '/v1/live', { session });
    await answer.body?.cancel();
    return answer.status;
  };
  const each = FLEET * NOTED_DEVICE_LOOKS;
  for (let looked = each; looked <= DEVICES_LOOKED_AT_PER_MINUTE_MAX; looked += each) {
    assert.equal(await ask(), 200);
  }
  assert.equal(await ask(), 429);
});
