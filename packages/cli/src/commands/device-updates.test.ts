import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceUpdateList } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const ONE = 'thermo@1.0.0';
const TWO = 'thermo@2.0.0';
const at = (minute: number): string => `2026-11-21T10:0${minute}:00.000Z`;

const FOUND: DeviceUpdateList = {
  device: 'pump-1',
  isComplete: true,
  steps: [
    { what: 'told', at: at(4), release: TWO, state: 'reverted', why: 'no connection' },
    { what: 'assigned', at: at(3), release: TWO, before: ONE, by: 'server', rollout: '5be1c0de' },
    { what: 'agreed', at: at(2), by: 'app:ada.1' },
    { what: 'told', at: at(1), release: ONE, state: 'confirmed' },
    { what: 'assigned', at: at(0), release: ONE, by: 'person:ann', reason: 'a \u001B[2J test' },
  ],
};

const showing = (found: DeviceUpdateList): FakeWorld =>
  new FakeWorld({ client: { deviceUpdates: () => Promise.resolve(found) } });

test('device updates tells each update from its beginning, the newest last', async () => {
  const world = showing(FOUND);
  assert.equal(await world.run('device', 'updates', 'pump-1'), 0, world.errText);
  assert.ok(!world.outText.includes('\u001B'));
  const lines = world.outText.replaceAll(/ {2,}/gu, ' | ').split('\n');
  assert.equal(lines[0], ONE);
  assert.match(lines[1] ?? '', /2026-11-21 11:00:00 \| Assigned \| by person:ann: a .* test$/u);
  assert.deepEqual(lines.slice(2), [
    ' | 2026-11-21 11:01:00 | Confirmed',
    '',
    TWO,
    ' | 2026-11-21 11:02:00 | The owner agreed | by app:ada.1',
    ' | 2026-11-21 11:03:00 | Assigned | by rollout 5be1c0de',
    ' | 2026-11-21 11:04:00 | Went back to the slot before | no connection',
    '',
  ]);
});

test('device updates says what it cannot tell, and tells programs all', async () => {
  const none = showing({ device: 'pump-1', steps: [], isComplete: true });
  await none.run('device', 'updates', 'pump-1');
  assert.equal(none.outText, 'pump-1 has had no update yet.\n');
  const part = showing({ ...FOUND, isComplete: false });
  await part.run('device', 'updates', 'pump-1');
  assert.match(part.outText, /^Older steps are not shown\./u);
  const json = showing(FOUND);
  await json.run('device', 'updates', 'pump-1', '--json');
  assert.deepEqual(JSON.parse(json.outText), FOUND);
});
