import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClassRules } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

test('class set says what becomes of a sign of a clone, and leaves the rest as it is', async () => {
  const sent: ClassRules[] = [];
  const world = new FakeWorld({
    client: {
      setDeviceClass: (name, rules) => {
        sent.push(rules);
        const onClone = rules.onClone ?? 'quarantine';
        const { lateHours = 168, renewalGraceMs = 0 } = rules;
        const counts = { lateHours, renewalGraceMs, deviceCount: 0, withoutApiKeyCount: 0 };
        return Promise.resolve({ name, requiresApiKey: true, onClone, ...counts });
      },
    },
  });
  assert.equal(
    await world.run('class', 'set', 'gateway', '--on-clone', 'report'),
    0,
    world.errText,
  );
  assert.deepEqual(sent, [{ onClone: 'report' }]);
  assert.match(world.outText, /sign of a clone +report/u);
  assert.notEqual(await world.run('class', 'set', 'gateway', '--on-clone', 'ignore'), 0);
  assert.match(world.errText, /quarantine or report, not "ignore"/u);
  assert.equal(sent.length, 1);
  assert.equal(await world.run('class', 'set', 'gateway', '--late-hours', '0'), 0);
  assert.deepEqual(sent[1], { lateHours: 0 });
  assert.match(world.outText, /late messages +refused/u);
  assert.notEqual(await world.run('class', 'set', 'gateway', '--late-hours', '8761'), 0);
  assert.equal(await world.run('class', 'set', 'gateway', '--renewal-grace-days', '365'), 0);
  assert.deepEqual(sent.at(-1), { renewalGraceMs: 365 * 86_400_000 });
  assert.match(world.outText, /grace of an ended certificate +365 days/u);
  for (const days of ['366', '-1', '1.5', '']) {
    assert.notEqual(await world.run('class', 'set', 'gateway', `--renewal-grace-days=${days}`), 0);
  }
  assert.match(world.errText, /from 0 to 365, not "366"/u);
  assert.equal(sent.length, 3);
});
