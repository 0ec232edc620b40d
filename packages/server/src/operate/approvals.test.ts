import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { systemRandom } from '../kernel/index.ts';
import { StillClock } from '../registry/people-lab.testing.ts';
import { Approvals } from './approvals.ts';

const WISH = {
  principal: 'person:ada',
  action: 'policy:set',
  resource: { kind: 'server' },
  method: 'POST',
  path: '/v1/policy',
  body: '{}',
} as const;

for (const how of ['used or refused', 'approved'] as const) {
  test(`an approval that was ${how} meanwhile is not approved again`, () => {
    const approvals = new Approvals({ clock: new StillClock(), random: systemRandom });
    const asked = approvals.ask(WISH);
    assert.ok(!(asked instanceof Refusal));
    approvals.approve(asked, 'person:bob');
    if (how === 'used or refused') approvals.end(WISH);
    const again = approvals.approve(asked, 'person:eve');
    assert.ok(again instanceof Refusal && again.code === 'E_OPERATE_CONFLICT');
    assert.equal(approvals.isApproved(WISH), how === 'approved');
  });
}
