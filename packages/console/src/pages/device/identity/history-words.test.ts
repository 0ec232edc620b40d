/** Goal: history reads as sentences, without what means nothing to a person. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceActView } from '@holdfast/protocol/api';
import { happenedText, notedTexts } from './history-words.ts';

const act = (action: string, facts: DeviceActView['facts'] = {}): DeviceActView => {
  return { index: 1, at: '2026-11-21T00:00:00.000Z', action, principal: 'local', facts };
};

test('acts are told of the device, others of who did them, unknown ones as they are called', () => {
  assert.equal(happenedText(act('device.quarantine')), 'Was quarantined');
  assert.equal(happenedText(act('update.sign')), 'Signed a release');
  assert.equal(happenedText(act('device.new-act')), 'device new act');
  assert.equal(happenedText(act('toString')), 'toString');
});

test('facts are told without the empty, the long and the technical ones', () => {
  const facts = {
    certificateDer: 'MII',
    isRepeated: false,
    group: '',
    tags: [],
    address: '127.0.0.1',
    certificate: 'ab'.repeat(50),
  };
  const [address, certificate, ...rest] = notedTexts(act('device.enroll', facts));
  assert.equal(address, 'address: 127.0.0.1');
  assert.equal(certificate?.length, 80);
  assert.deepEqual(rest, []);
});
