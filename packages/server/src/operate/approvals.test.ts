import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { systemRandom } from '../kernel/index.ts';
import { StillClock } from '../registry/people-lab.testing.ts';
import { type Approval, type ApprovalWish, Approvals } from './approvals.ts';
import { APPROVALS_MAX, APPROVALS_OF_PERSON_MAX, APPROVAL_DEVICES_MAX } from './limits.ts';

const WISH: ApprovalWish = {
  principal: 'person:ada',
  action: 'policy:set',
  resources: [{ kind: 'server' }],
  method: 'POST',
  path: '/v1/policy',
  body: '{}',
  secrets: [],
};

function open(): Approvals {
  return new Approvals({ clock: new StillClock(), random: systemRandom });
}

function asked(approvals: Approvals, wish: Partial<ApprovalWish> = {}): Approval {
  const approval = approvals.ask({ ...WISH, ...wish });
  assert.ok(!(approval instanceof Refusal), 'it was refused');
  return approval;
}

function codeOf(value: unknown): string | undefined {
  return value instanceof Refusal ? value.code : undefined;
}

for (const how of ['used or refused', 'approved'] as const) {
  test(`an approval that was ${how} meanwhile is not approved again`, () => {
    const approvals = open();
    const approval = asked(approvals);
    approvals.approve(approval, 'person:bob');
    if (how === 'used or refused') approvals.end(approval);
    assert.equal(codeOf(approvals.approve(approval, 'person:eve')), 'E_OPERATE_CONFLICT');
    assert.equal(approvals.take(WISH), how === 'approved' ? 'person:bob' : undefined);
    assert.equal(approvals.take(WISH), undefined, 'it counts once');
  });
}

test('a secret is shown to nobody, and the request with another one is another request', () => {
  const approvals = open();
  const wish = { ...WISH, body: '{"passphrase":"hunter2","note":"x"}', secrets: ['passphrase'] };
  const approval = asked(approvals, wish);
  assert.equal(approval.shownBody, '{"passphrase":"(secret)","note":"x"}');
  assert.doesNotMatch(JSON.stringify(approvals.all()), /hunter2/);
  approvals.approve(approval, 'person:bob');
  assert.equal(approvals.take({ ...wish, body: wish.body.replace('2', '3') }), undefined);
  assert.equal(approvals.take(wish), 'person:bob');
  for (const body of ['passphrase=hunter2', '"hunter2"', '{"passphrase":"hunter2"']) {
    assert.equal(asked(approvals, { ...wish, body }).shownBody, '(secret)');
  }
});

test('what was approved is for the devices of then, in any number up to a limit', () => {
  const approvals = open();
  const device = (n: number) =>
    ({
      kind: 'device',
      device: { id: `d-${n}`, class: 'sensor', state: 'active', group: '' },
    }) as const;
  const many = Array.from({ length: APPROVAL_DEVICES_MAX }, (_, n) => device(n));
  const more = [...many, device(APPROVAL_DEVICES_MAX)];
  approvals.approve(asked(approvals, { resources: many }), 'person:bob');
  assert.equal(approvals.take({ ...WISH, resources: more }), undefined);
  assert.equal(codeOf(approvals.ask({ ...WISH, resources: more })), 'E_OPERATE_SECOND_PERSON');
  assert.equal(approvals.take({ ...WISH, resources: many }), 'person:bob');
});

test('nobody takes the room of the others', () => {
  const approvals = open();
  for (let n = 0; n < APPROVALS_OF_PERSON_MAX; n++) asked(approvals, { path: `/${n}` });
  assert.equal(codeOf(approvals.ask(WISH)), 'E_OPERATE_RATE');
  for (let n = APPROVALS_OF_PERSON_MAX; n < APPROVALS_MAX; n++) {
    asked(approvals, { principal: `person:${n}` });
  }
  assert.equal(codeOf(approvals.ask({ ...WISH, principal: 'person:bob' })), 'E_OPERATE_RATE');
});

test('what somebody has asked for and approved is withdrawn, and nothing else', () => {
  const approvals = open();
  approvals.approve(asked(approvals), 'person:bob');
  asked(approvals, { principal: 'person:bob' });
  const other = asked(approvals, { principal: 'person:eve' });
  approvals.withdraw('person:bob');
  assert.deepEqual(approvals.all(), [other]);
});
