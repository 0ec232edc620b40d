import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RolloutRequestSchema } from '@holdfast/protocol/api';
import { PACES, requestOf } from './paces.ts';

test('each pace is a plan that the API takes, and ends with all devices', () => {
  for (const { name } of PACES) {
    for (const needsConsent of [false, true]) {
      const request = RolloutRequestSchema.parse(
        requestOf({ release: 'thermo@1.0.0', pace: name, needsConsent }),
      );
      assert.deepEqual(request.plan.stages.at(-1)?.select, { percent: 100 });
      assert.equal(request.plan.needsConsent, needsConsent);
      assert.equal(request.plan.consentBoundMs, needsConsent ? 604_800_000 : undefined);
    }
  }
});
