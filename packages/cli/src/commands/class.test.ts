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
        const counts = { deviceCount: 0, withoutApiKeyCount: 0 };
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
});
