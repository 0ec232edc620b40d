import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  ID_CHARACTERS_MAX,
  deviceUrn,
  parseDeviceId,
  parseDeviceUrn,
  parseTenantName,
} from './ids.ts';
import { Refusal } from './refusal.ts';
import { checkTopicName } from './topics.ts';

function isRefused(parsed: unknown): boolean {
  return parsed instanceof Refusal && parsed.code === 'E_OPERATE_INPUT';
}

const FORBIDDEN = ['+', '#', '/', '\0', ' ', ':', '\n', '\\', '"', '%', 'é', '٣', '\u200B'];

for (const [what, parse] of [
  ['parseDeviceId', parseDeviceId],
  ['parseTenantName', parseTenantName],
] as const) {
  describe(what, () => {
    test('accepts letters and digits first, then also dot, low line and hyphen', () => {
      for (const id of ['a', '0', 'sensor-01', 'a.b_c-d', '9..', 'a'.repeat(ID_CHARACTERS_MAX)]) {
        assert.equal(parse(id), id);
      }
    });

    test('refuses an empty id and one above the limit [E_OPERATE_INPUT]', () => {
      for (const id of ['', 'a'.repeat(ID_CHARACTERS_MAX + 1)]) assert.ok(isRefused(parse(id)));
    });

    test('refuses dot, low line and hyphen first [E_OPERATE_INPUT]', () => {
      for (const id of ['.', '..', '.a', '-a', '_a']) assert.ok(isRefused(parse(id)), id);
    });

    test('refuses every other character wherever it stands [E_OPERATE_INPUT]', () => {
      for (const character of FORBIDDEN) {
        for (const id of [character, `${character}a`, `a${character}`, `a${character}b`]) {
          assert.ok(isRefused(parse(id)), JSON.stringify(id));
        }
      }
    });

    test('accepts only what may be a topic level', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 5 }), (text) => {
          const id = parse(text);
          if (id instanceof Refusal) return;
          assert.equal(checkTopicName(`d/${id}/state`), undefined);
          assert.equal(`d/${id}/state`.split('/').length, 3);
        }),
      );
    });
  });
}

test('only device ids may have upper case', () => {
  assert.equal(parseDeviceId('Sensor-A'), 'Sensor-A');
  assert.ok(isRefused(parseTenantName('sensor-A')));
});

describe('parseDeviceUrn', () => {
  test('reads what deviceUrn writes', () => {
    const tenant = parseTenantName('acme');
    const device = parseDeviceId('Sensor-01');
    assert.ok(!(tenant instanceof Refusal) && !(device instanceof Refusal));
    assert.equal(deviceUrn(tenant, device), 'urn:holdfast:acme:Sensor-01');
    assert.deepEqual(parseDeviceUrn('urn:holdfast:acme:Sensor-01'), { tenant, device });
  });

  test('refuses every other spelling [E_OPERATE_INPUT]', () => {
    for (const text of [
      '',
      'urn:holdfast:',
      'urn:holdfast:acme',
      'urn:holdfast:acme:',
      'urn:holdfast::x',
      'urn:holdfast:acme:x:y',
      'urn:holdfast:Acme:x',
      'URN:holdfast:acme:x',
      'urn:Holdfast:acme:x',
      ' urn:holdfast:acme:x',
      'urn:holdfast:acme:x ',
      'urn:holdfast:acme:x/y',
      'urn:holdfast:acme:x?=y',
      'urn:holdfast:acme:x#y',
      'urn:holdfast:acme:%78',
    ]) {
      assert.ok(isRefused(parseDeviceUrn(text)), text);
    }
  });
});
