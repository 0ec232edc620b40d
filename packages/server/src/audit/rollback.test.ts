import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { EMPTY_ROOT, formatCheckpoint, signCheckpoint } from '@holdfast/protocol/merkle';
import { actEntry } from './act.ts';
import { eventEntry, generationIn } from './event.ts';
import { rawPublicKey, sha256 } from './log-key.ts';
import { type RollbackFacts, findRollback } from './rollback.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');

function rootAt(size: number): Uint8Array {
  return size === 0 ? EMPTY_ROOT : new Uint8Array(32).fill(size);
}

function checkpoint(size: number, root = rootAt(size)): string {
  return signCheckpoint(sha256, formatCheckpoint({ origin: 'o', size, root, extensions: [] }), {
    name: 'o',
    publicKey: rawPublicKey(publicKey),
    sign: (message) => sign(null, message, privateKey),
  });
}

function names(
  registry: Partial<RollbackFacts['registry']>,
  log: Partial<RollbackFacts['log']> = {},
): string[] {
  const facts = {
    registry: { generation: 5, checkpoint: checkpoint(7), isIntact: true, ...registry },
    log: { size: 7, rootAt, generation: 5, ...log },
  };
  return findRollback(facts).map(({ name }) => name);
}

test('what belongs together is no rollback, whichever of the two is ahead', () => {
  assert.deepEqual(names({}), []);
  assert.deepEqual(names({}, { size: 8 }), [], 'the log went on');
  assert.deepEqual(names({ generation: 6 }), [], 'the registry went on');
  assert.deepEqual(names({ checkpoint: '' }, { generation: undefined, size: 0 }), [], 'new');
  assert.deepEqual(names({ checkpoint: checkpoint(0) }, { size: 0 }), []);
});

test('each of the two shows an older copy of the other, by name', () => {
  assert.deepEqual(names({}, { size: 6 }), ['log-rolled-back']);
  assert.deepEqual(names({}, { rootAt: () => new Uint8Array(32) }), ['log-rewritten']);
  const throwing = (): Uint8Array => {
    throw new Error('no tile');
  };
  assert.deepEqual(names({}, { rootAt: throwing }), ['log-rewritten']);
  assert.deepEqual(names({ generation: 4 }), ['registry-rolled-back']);
  assert.deepEqual(names({ isIntact: false }), ['registry-changed']);
  assert.deepEqual(names({ checkpoint: 'damaged' }), ['registry-changed']);
  assert.deepEqual(names({ generation: 4 }, { size: 6 }), [
    'log-rolled-back',
    'registry-rolled-back',
  ]);
});

test('acts and events say how often the registry had been changed', () => {
  const act = actEntry({ action: 'device.add', principal: 'local' }, 1, 9);
  assert.equal(generationIn(act), 9);
  assert.equal(generationIn(eventEntry({ name: 'clock.jump' }, 1, 8)), 8);
  assert.equal(generationIn({ ...act, kind: 'message' }), undefined);
  assert.equal(generationIn({ ...act, body: Buffer.from('{') }), undefined);
  assert.equal(generationIn({ ...act, body: Buffer.from('{"registry":-1}') }), undefined);
});
