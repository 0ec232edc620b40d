import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compareVersions } from './compare-versions.ts';

it('orders versions as Semantic Versioning does', () => {
  const ordered = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-rc.2', '1.0.0-rc.11'];
  ordered.push('1.0.0', '1.0.1', '1.2', '1.10', '2');
  for (const [at, version] of ordered.entries()) {
    for (const [other, second] of ordered.entries()) {
      assert.equal(Math.sign(compareVersions(version, second)), Math.sign(at - other));
    }
  }
  assert.equal(compareVersions('1.0', '1.0.0'), 0);
  assert.equal(compareVersions('1.0.0+a', '1.0.0+b'), 0);
});
