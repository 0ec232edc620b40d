import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Overview, OverviewSchema } from '@holdfast/protocol/api';
import { type Lab, openLab, present } from '../lab.testing.ts';
import { DEVICE_REFUSALS_MIN, REFUSALS_SURGE_MS, REFUSAL_SUMMARY_LIFE_MS } from '../limits.ts';

/** Adds active devices. */
function addDevices({ registry }: Lab, ...ids: string[]): void {
  present(
    registry.addMany(
      ids.map((id) => ({ id, class: 'sensor' as const, group: '' })),
      [],
    ),
  );
  for (const id of ids) {
    for (const act of ['enroll', 'activate'] as const) {
      present(registry.changeState(id, { act, by: id, reason: 'test' }));
    }
  }
}

function refuse(lab: Lab, principal: string, count: number): void {
  lab.refusals.push({
    index: lab.refusals.items.length + 1,
    atMs: lab.clock.ms,
    code: 'E_VERIFY_SIG',
    detail: 'no match',
    principal,
    count,
  });
}

/** The trouble as it is once nobody's look serves any more. */
async function trouble(lab: Lab): Promise<Overview['troubles'][number] | undefined> {
  lab.clock.advance(REFUSAL_SUMMARY_LIFE_MS);
  const answer = await lab.call('GET', '/v1/overview', { token: lab.localToken });
  const { troubles } = OverviewSchema.parse(await answer.json());
  return troubles.find(({ code }) => code === 'devices-refused');
}

test('a device that is refused again and again is told by name, with why and where', async (t) => {
  const lab = openLab(t);
  addDevices(lab, 'pump-1', 'pump-2');
  refuse(lab, 'pump-1', DEVICE_REFUSALS_MIN - 1);
  refuse(lab, 'pump-2', DEVICE_REFUSALS_MIN - 1);
  refuse(lab, 'nobody', DEVICE_REFUSALS_MIN);
  assert.equal(await trouble(lab), undefined);
  refuse(lab, 'pump-2', 1);
  const { title, why, href } = (await trouble(lab)) ?? assert.fail();
  assert.equal(title, '1 device is refused again and again');
  assert.match(why, /^pump-2, 5 times: The signature does not match\.$/);
  assert.match(href, /^\/refusals\?by=device/);
});

test('it is told no more once it is stopped, or behaves', async (t) => {
  const lab = openLab(t);
  addDevices(lab, 'pump-1', 'pump-2');
  refuse(lab, 'pump-1', DEVICE_REFUSALS_MIN);
  refuse(lab, 'pump-2', DEVICE_REFUSALS_MIN + 1);
  const both = await trouble(lab);
  assert.equal(both?.title, '2 devices are refused again and again');
  assert.match(both.why, /^pump-2.*\npump-1/);
  const quarantine = { act: 'quarantine', by: 'local', reason: 'odd' } as const;
  present(lab.registry.changeState('pump-2', quarantine));
  assert.match((await trouble(lab))?.why ?? '', /^pump-1/);
  lab.clock.advance(REFUSALS_SURGE_MS);
  assert.equal(await trouble(lab), undefined);
});
