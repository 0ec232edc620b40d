/** What targets of the image repository may delegate: each rule, broken alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAB_LINE, UpdateLab } from '../../test-support/update-lab.ts';
import { acceptImage } from './metadata-scope.ts';

const LAB = new UpdateLab();
const GOOD = JSON.parse(LAB.file('image', '1.targets.json').toString());
const ROLE = GOOD.signed.delegations.roles[0];

function targetsWith(signed: object): Buffer {
  return Buffer.from(JSON.stringify({ ...GOOD, signed: { ...GOOD.signed, ...signed } }));
}

function rolesWith(change: object): Buffer {
  const delegations = { ...GOOD.signed.delegations, roles: [{ ...ROLE, ...change }] };
  return targetsWith({ delegations });
}

test('targets that delegate product lines, and fields of a later version', () => {
  acceptImage('targets', rolesWith({}));
  acceptImage('targets', targetsWith({ later: { version: 2 } }));
  acceptImage('targets', rolesWith({ later: true }));
});

test('targets that let somebody else name releases', () => {
  const release = { length: 1, hashes: { sha256: 'a'.repeat(64) } };
  for (const bytes of [
    targetsWith({ targets: { 'thermo/1.0.0/image.bin': release } }),
    rolesWith({ name: 'everything' }),
    rolesWith({ name: 'line-../x' }),
    rolesWith({ name: 'line-pump' }),
    rolesWith({ paths: ['*/*/*'] }),
    rolesWith({ paths: [`${LAB_LINE}/*/*`, 'pump/*/*'] }),
    rolesWith({ paths: undefined, path_hash_prefixes: [''] }),
    rolesWith({ terminating: false }),
    Buffer.from('{"signed":{"holdfast":{"repository":"image"}}}'),
    Buffer.from('no JSON'),
  ]) {
    const said = { code: 'E_DEVICE_UPDATE_METADATA' };
    assert.throws(() => acceptImage('targets', bytes), said, bytes.toString());
  }
});

test('a product line that delegates, or stands in the place of another one', () => {
  const role = `line-${LAB_LINE}`;
  const line = JSON.parse(LAB.file('image', `1.${role}.json`).toString());
  const withSigned = (more: object): Buffer =>
    Buffer.from(JSON.stringify({ ...line, signed: { ...line.signed, ...more } }));
  acceptImage(role, withSigned({}));
  const { delegations } = GOOD.signed;
  assert.throws(() => acceptImage(role, withSigned({ delegations })), {
    code: 'E_DEVICE_UPDATE_METADATA',
  });
  assert.throws(() => acceptImage('line-pump', withSigned({})), {
    code: 'E_DEVICE_UPDATE_FOREIGN',
  });
});
