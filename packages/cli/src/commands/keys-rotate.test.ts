import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyStatus } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const AT = '2026-11-21T04:00:00.000Z';

function status(more: Partial<KeyStatus> = {}): KeyStatus {
  return {
    custody: { name: 'passphrase', isInToken: false },
    versions: [{ version: 1, createdAt: AT, dataKeys: 12 }],
    purposes: [
      { purpose: 'device', current: 9, former: 2, destroyed: 1, oldestAt: AT, worn: 0.0625 },
      { purpose: 'records', current: 1, former: 0, destroyed: 0, oldestAt: AT, worn: 0 },
    ],
    ...more,
  };
}

test('keys status says what is missing, and how worn the keys are', async () => {
  const world = new FakeWorld({ client: { keyStatus: () => Promise.resolve(status()) } });
  assert.equal(await world.run('keys', 'status'), 0, world.errText);
  assert.match(world.outText, /recovery +NONE: .*holdfast keys escrow/u);
  assert.match(world.outText, /device +9 in use +2 former +1 destroyed .* worn 6\.3 %/u);
  assert.match(world.outText, /worn less than 0\.1 %/u);
});

test('with shares, or in a token, nothing is missing', async () => {
  const escrow = { setId: '0badcafe', madeAt: AT, count: 3, threshold: 2 };
  for (const more of [{ escrow }, { custody: { name: 'token x', isInToken: true } }]) {
    const world = new FakeWorld({ client: { keyStatus: () => Promise.resolve(status(more)) } });
    assert.equal(await world.run('keys', 'status'), 0);
    assert.doesNotMatch(world.outText, /NONE/u);
  }
});

test('keys rotate waits until all is wrapped again, or not at all', async () => {
  const versions = [
    { version: 1, createdAt: AT, retiredAt: AT, dataKeys: 0 },
    { version: 2, createdAt: AT, dataKeys: 12 },
  ];
  const rotation = (left: number) => ({ left, total: 12, waitsFor: [] });
  const answers = [status({ rotation: rotation(5) }), status({ versions })];
  const client = {
    rotateKeys: () => Promise.resolve(status({ rotation: rotation(12) })),
    keyStatus: () => Promise.resolve(answers.shift() ?? assert.fail('asked too often')),
  };
  const world = new FakeWorld({ isTty: true, client });
  assert.equal(await world.run('keys', 'rotate'), 0, world.errText);
  assert.match(world.errText, /7 of 12 keys are wrapped again/u);
  assert.match(world.outText, /^✓ Rotated\. Version 2 wraps all data keys[^]* version 2, made/u);
  const hurried = new FakeWorld({ client: { rotateKeys: client.rotateKeys } });
  assert.equal(await hurried.run('keys', 'rotate', '--no-wait'), 0);
  assert.match(
    hurried.outText,
    /^The rotation goes on by itself[^]* 0 of 12 keys are wrapped again/u,
  );
});

test('for backups that are out of reach it does not wait', async () => {
  const rotation = { left: 0, total: 12, waitsFor: ['folder:/mnt/away'] };
  const world = new FakeWorld({
    client: { rotateKeys: () => Promise.resolve(status({ rotation })) },
  });
  assert.equal(await world.run('keys', 'rotate'), 0);
  assert.match(world.outText, /waits for these backups .*folder:\/mnt\/away/u);
});
