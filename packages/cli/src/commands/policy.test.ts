import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ApiError } from '@holdfast/client';
import type { ApprovalView, PolicyView } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const version = {
  number: 3,
  sha256: 'ab'.repeat(32),
  author: 'person:ada',
  reason: 'north',
  at: '2026-11-21T03:05:06.000Z',
};
const policy: PolicyView = { version, text: 'permit (principal, action, resource);\n' };

function fileIn(world: FakeWorld, content: string): string {
  const path = join(world.home, 'file.txt');
  writeFileSync(path, content);
  return path;
}

describe('policy show', () => {
  it('prints the text as it is, and only that, so that it can be put in a file', async () => {
    const world = new FakeWorld({ client: { policy: () => Promise.resolve(policy) } });
    assert.equal(await world.run('policy', 'show'), 0);
    assert.equal(world.outText, policy.text);
  });

  it('prints an earlier version, or the schema', async () => {
    const asked: unknown[] = [];
    const client = {
      policy: (number?: number) => {
        asked.push(number);
        return Promise.resolve(policy);
      },
      policySchema: () => Promise.resolve('entity Role;\n'),
    };
    await new FakeWorld({ client }).run('policy', 'show', '--version', '2');
    assert.deepEqual(asked, [2]);
    const world = new FakeWorld({ client });
    await world.run('policy', 'show', '--schema');
    assert.equal(world.outText, 'entity Role;\n');
    assert.equal(await new FakeWorld({ client }).run('policy', 'show', '--version', 'x'), 2);
  });

  it('makes nothing of a comment that a terminal would obey', async () => {
    const evil = { ...policy, text: '// \u001B[2J\n' };
    const world = new FakeWorld({ client: { policy: () => Promise.resolve(evil) } });
    await world.run('policy', 'show');
    assert.equal(world.outText, '// \\u{1b}[2J\n');
  });
});

describe('policy set and rollback', () => {
  it('sends the file, and says how to go back', async () => {
    const asked: unknown[] = [];
    const setPolicy = (request: unknown) => {
      asked.push(request);
      return Promise.resolve(policy);
    };
    const world = new FakeWorld({ client: { setPolicy } });
    const path = fileIn(world, policy.text);
    assert.equal(await world.run('policy', 'set', path, '--reason', 'north'), 0);
    assert.deepEqual(asked, [{ text: policy.text, reason: 'north' }]);
    assert.match(world.outText, /Version 3 .* in force/);
    assert.match(world.outText, /policy rollback 2/);
  });

  it('asks the server nothing without a file', async () => {
    assert.equal(await new FakeWorld().run('policy', 'set', '/no/such/file'), 1);
    assert.equal(await new FakeWorld().run('policy', 'set'), 2);
  });

  it('goes back to a version, and says so as the reason', async () => {
    const asked: unknown[] = [];
    const rollbackPolicy = (number: number, reason: string) => {
      asked.push([number, reason]);
      return Promise.resolve(policy);
    };
    const world = new FakeWorld({ client: { rollbackPolicy } });
    assert.equal(await world.run('policy', 'rollback', '1'), 0);
    assert.deepEqual(asked, [[1, 'back to version 1']]);
    assert.equal(await world.run('policy', 'rollback', '0'), 2);
  });

  it('shows the mistake of the server as it is', async () => {
    const error = new ApiError({ code: 'E_POLICY_INVALID', message: 'line 2', fix: 'Correct it.' });
    const world = new FakeWorld({ client: { setPolicy: () => Promise.reject(error) } });
    assert.equal(await world.run('policy', 'set', fileIn(world, 'x')), 1);
    assert.match(world.errText, /line 2[\s\S]*E_POLICY_INVALID/);
  });
});

describe('policy test', () => {
  const testPolicy = (isExpected: boolean) => (request: { expectations: readonly object[] }) =>
    Promise.resolve({
      outcomes: request.expectations.map(() => ({
        decision: 'refuse' as const,
        isExpected,
        rules: ['no commands'],
      })),
    });

  it('succeeds when all is as expected, and asks in portions', async () => {
    const sizes: number[] = [];
    const client = {
      testPolicy: (request: { expectations: readonly object[] }) => {
        sizes.push(request.expectations.length);
        return testPolicy(true)(request);
      },
    };
    const world = new FakeWorld({ client });
    const path = fileIn(world, 'permit role:viewer device:read server\n'.repeat(501));
    assert.equal(await world.run('policy', 'test', path), 0);
    assert.deepEqual(sizes, [500, 1]);
    assert.match(world.outText, /All 501 decisions/);
  });

  it('fails with the lines that are not', async () => {
    const world = new FakeWorld({ client: { testPolicy: testPolicy(false) } });
    const path = fileIn(world, '# x\npermit role:viewer device:read server\n');
    assert.equal(await world.run('policy', 'test', path), 1);
    assert.match(world.errText, /Line 2 is refused by "no commands"/);
  });
});

describe('policy diff and explain', () => {
  it('lists what would change', async () => {
    const change = {
      principal: 'person:ada',
      action: 'device:command',
      resource: 'device:pump-1',
      becomes: 'refuse' as const,
      rulesBefore: ['operator: command'],
      rulesAfter: [],
      count: 12,
      lastAt: version.at,
    };
    const diffPolicy = () => Promise.resolve({ tried: 40, changes: [change] });
    const world = new FakeWorld({ client: { diffPolicy } });
    assert.equal(await world.run('policy', 'diff', fileIn(world, policy.text)), 0);
    assert.equal(
      world.outText,
      'refuse  person:ada  device:command  device:pump-1  12×  operator: command\n' +
        '1 of the last 40 different decisions would change.\n',
    );
  });

  it('explains by the rules that decide, and by what is missing', async () => {
    const explainPolicy = () =>
      Promise.resolve({
        decision: 'refuse' as const,
        rules: [{ name: 'dangerous', line: 40, text: 'forbid (principal,\n action, resource);' }],
        missing: 'step-up' as const,
      });
    const world = new FakeWorld({ client: { explainPolicy } });
    assert.equal(await world.run('policy', 'explain', 'person:ada', 'policy:set', 'server'), 0);
    assert.equal(
      world.outText,
      'refuse\n  line 40  dangerous\n    forbid (principal,\n     action, resource);\n' +
        '  It is permitted with the second factor shown again.\n',
    );
    const none = () => Promise.resolve({ decision: 'refuse' as const, rules: [] });
    const silent = new FakeWorld({ client: { explainPolicy: none } });
    await silent.run('policy', 'explain', 'role:viewer', 'policy:set', 'server');
    assert.equal(silent.outText, 'refuse\n  No rule permits it.\n');
  });
});

describe('approval', () => {
  const approval: ApprovalView = {
    id: '0123456789abcdef',
    principal: 'person:ada',
    action: 'device:revoke',
    resource: 'device:pump-1',
    request: 'POST /v1/devices/pump-1/revoke',
    body: '{"reason":"stolen"}',
    askedAt: version.at,
    expiresAt: '2026-11-21T04:05:06.000Z',
  };

  it('shows what is to be done, and by whom', async () => {
    const world = new FakeWorld({ client: { approvals: () => Promise.resolve([approval]) } });
    assert.equal(await world.run('approval', 'list'), 0);
    for (const shown of ['person:ada', 'device:revoke', 'device:pump-1', '"stolen"', 'waits']) {
      assert.ok(world.outText.includes(shown), shown);
    }
    const empty = new FakeWorld({ client: { approvals: () => Promise.resolve([]) } });
    await empty.run('approval', 'list');
    assert.equal(empty.outText, '');
  });

  it('approves and refuses', async () => {
    const asked: string[] = [];
    const client = {
      approve: (id: string) => {
        asked.push(`approve ${id}`);
        return Promise.resolve({ ...approval, approvedBy: 'person:bob' });
      },
      refuseApproval: (id: string) => {
        asked.push(`refuse ${id}`);
        return Promise.resolve();
      },
    };
    assert.equal(await new FakeWorld({ client }).run('approval', 'approve', approval.id), 0);
    assert.equal(await new FakeWorld({ client }).run('approval', 'refuse', approval.id), 0);
    assert.deepEqual(asked, [`approve ${approval.id}`, `refuse ${approval.id}`]);
  });
});
