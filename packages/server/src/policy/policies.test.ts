import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { DEVICE_STATES } from '../registry/index.ts';
import { deviceResource, openPolicies, personOf } from './lab.testing.ts';
import {
  POLICY_CHARACTERS_MAX,
  POLICY_RULES_MAX,
  POLICY_VERSIONS_MAX,
  POSSIBLE_DEVICES_MAX,
} from './limits.ts';
import { Policies } from './policies.ts';
import { checkPolicyText, rulesOfText } from './policy-text.ts';
import type { PersonPrincipal } from './subjects.ts';
import { DEFAULT_POLICY, type PolicyVersion, PolicyVersions } from './versions.ts';

const READ_ONLY = 'permit (principal is Person, action in Action::"reads", resource);';

function openStore(t: TestContext): SealedStore {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-policy-'));
  const unsealKey = new Secret(systemRandom(32));
  const store = new SealedStore(join(folder, 'registry.db'), { unsealKey, random: systemRandom });
  t.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  return store;
}

function administrator(name: string): PersonPrincipal {
  return { kind: 'person', id: `person:${name}`, role: 'administrator' };
}

async function set(
  policies: Policies,
  text: string,
  people: PersonPrincipal[] = [],
): Promise<string> {
  const version = await policies.propose({ text, author: 'person:ada', reason: 'a test' }, people);
  if (version instanceof Refusal) return `${version.code} ${version.detail}`;
  return policies.keep(version)?.code ?? `${version.number}`;
}

test('the shipped policy is the first version, once, and stays until somebody sets one', async (t) => {
  const store = openStore(t);
  const policies = openPolicies(store, systemClock);
  assert.equal(policies.current?.author, 'server');
  assert.equal(policies.current.number, 1);
  const again = new Policies(store, { clock: systemClock });
  assert.deepEqual(again.start(), { shipped: undefined, problem: undefined });
  assert.equal(again.current?.text, DEFAULT_POLICY);
  assert.equal(await set(again, READ_ONLY), '2');
  const later = new Policies(store, { clock: systemClock });
  assert.equal(later.start().shipped, undefined, 'what somebody has set is not replaced');
  assert.equal(later.current?.text, READ_ONLY);
});

test('a new release brings its policy where nobody has set one', (t) => {
  const store = openStore(t);
  const versions = new PolicyVersions(store, { clock: systemClock });
  versions.keep(
    versions.propose({ text: '// older', author: 'server', reason: 'comes with Holdfast' }),
  );
  const policies = new Policies(store, { clock: systemClock });
  const { shipped } = policies.start();
  assert.equal(shipped?.number, 2);
  assert.equal(shipped.text, DEFAULT_POLICY);
});

test('a stored policy that does not fit the schema any more lets in the local token alone', (t) => {
  const store = openStore(t);
  const versions = new PolicyVersions(store, { clock: systemClock });
  const old: PolicyVersion = {
    ...versions.propose({
      text: 'permit (principal in Role::"administrator", action in [Action::"old:act"], resource);',
      author: 'person:ada',
      reason: 'before an upgrade',
    }),
    schemaSha256: 'another',
  };
  versions.keep(old);
  const policies = new Policies(store, { clock: systemClock });
  assert.match(policies.start().problem ?? '', /line 1.*old:act/);
  const resource = deviceResource('pump-1');
  const may = (principal: PersonPrincipal): boolean =>
    policies.authorizer.decide({ principal, action: 'device:read', resource }).isPermitted;
  assert.equal(may(administrator('ada')), false);
  assert.equal(may({ kind: 'person', id: 'local', role: 'administrator' }), true);
});

test('a mistake is refused with its line [E_POLICY_INVALID]', async (t) => {
  const policies = openPolicies(openStore(t), systemClock);
  const answer = await set(
    policies,
    `// Grüße\n\npermit (principal in Role::"vewer", action, resource);`,
  );
  assert.match(answer, /^E_POLICY_INVALID line 3, column 22: .*vewer.*viewer/);
  assert.match(await set(policies, 'permit (principal'), /^E_POLICY_INVALID line 1/);
  const unknown = 'permit (principal, action == Action::"device:rea", resource);';
  assert.match(
    await set(policies, unknown),
    /^E_POLICY_INVALID line 1, column 30: unrec.*device:rea/,
  );
  const attribute = `permit (principal, action == Action::"device:read", resource) when { resource.colour == 1 };`;
  assert.match(await set(policies, attribute), /^E_POLICY_INVALID line 1/);
  const template = 'permit (principal == ?principal, action, resource);';
  assert.match(await set(policies, template), /template/);
  assert.equal(policies.current?.number, 1);
});

test('a policy is bounded in characters and rules', () => {
  const filler = `//${' '.repeat(POLICY_CHARACTERS_MAX - READ_ONLY.length - 3)}\n`;
  assert.deepEqual(checkPolicyText(filler + READ_ONLY), []);
  assert.equal(checkPolicyText(` ${filler}${READ_ONLY}`).length, 1);
  const rule = 'permit(principal,action,resource);\n';
  assert.deepEqual(checkPolicyText(rule.repeat(POLICY_RULES_MAX)), []);
  assert.match(checkPolicyText(rule.repeat(POLICY_RULES_MAX + 1))[0]?.message ?? '', /rules/);
});

test('a policy that locks everybody out is refused [E_POLICY_LOCKOUT]', async (t) => {
  const policies = openPolicies(openStore(t), systemClock);
  const people = [administrator('ada'), administrator('bob')];
  assert.match(await set(policies, READ_ONLY, people), /^E_POLICY_LOCKOUT/);
  const twoPeople = `${DEFAULT_POLICY}
    forbid (principal, action == Action::"policy:set", resource) unless { context.secondPerson };`;
  assert.match(await set(policies, twoPeople, people.slice(0, 1)), /^E_POLICY_LOCKOUT/);
  assert.equal(await set(policies, twoPeople, people), '2');
  assert.equal(await set(policies, READ_ONLY), '3', 'who holds the folder may');
});

test('of two who set a policy at once, the second is told', async (t) => {
  const policies = openPolicies(openStore(t), systemClock);
  const wish = { text: READ_ONLY, author: 'person:ada', reason: 'a test' };
  const [first, second] = [await policies.propose(wish, []), await policies.propose(wish, [])];
  assert.ok(!(first instanceof Refusal) && !(second instanceof Refusal));
  assert.equal(policies.keep(first), undefined);
  assert.equal(policies.keep(second)?.code, 'E_OPERATE_CONFLICT');
});

test('a trial tells which of the last decisions would be others', async (t) => {
  const policies = openPolicies(openStore(t), systemClock);
  const { authorizer } = policies;
  const ask = (role: 'operator' | 'viewer', action: 'device:read' | 'device:command'): void => {
    const resource = deviceResource('pump-1');
    authorizer.decide({ principal: personOf(role), action, resource });
  };
  ask('operator', 'device:command');
  ask('viewer', 'device:read');
  ask('viewer', 'device:command');
  const changes = await policies.changesBy(READ_ONLY);
  assert.ok(!(changes instanceof Refusal));
  const told = changes.map(({ recent, after }) => [recent.request.action, after.isPermitted]);
  assert.deepEqual(told, [['device:command', false]]);
  assert.equal(policies.current?.number, 1, 'nothing is in force by a trial');
  const resource = deviceResource('pump-1');
  const still = authorizer.decide({
    principal: personOf('operator'),
    action: 'device:command',
    resource,
  });
  assert.equal(still.isPermitted, true);
  assert.ok((await policies.changesBy('nonsense')) instanceof Refusal);
});

test('rules have the names that explain them, and their lines', () => {
  const rules = rulesOfText(
    `@id("one")\n${READ_ONLY}\n// a comment\n@id("one")\n${READ_ONLY}\n\n${READ_ONLY}`,
  );
  assert.deepEqual(
    rules.map(({ name, line }) => [name, line]),
    [
      ['one', 1],
      ['line 4', 4],
      ['line 7', 7],
    ],
  );
});

test('versions are kept up to a number, newest first', (t) => {
  const versions = new PolicyVersions(openStore(t), { clock: systemClock });
  for (let n = 0; n < POLICY_VERSIONS_MAX + 1; n += 1) {
    versions.keep(versions.propose({ text: `// ${n}`, author: 'local', reason: '' }));
  }
  assert.equal(versions.byNumber(1), undefined);
  assert.equal(versions.byNumber(2)?.number, 2);
  const page = versions.page({ limit: 2, before: 900 });
  assert.deepEqual(
    page.map(({ number }) => number),
    [899, 898],
  );
});

test('a policy tells so many kinds of devices apart, and no more [E_POLICY_INVALID]', async (t) => {
  // Each device that is named, and any other; in the group of whoever asks, and in another one.
  const kindsOf = (devices: number): number => (devices + 1) * 2 * DEVICE_STATES.length;
  const rule = (devices: number): string => {
    const names = Array.from({ length: devices }, (_, n) => `Device::"d-${n}"`).join(', ');
    return `permit (principal, action == Action::"device:read", resource)
      when { [${names}].contains(resource) && resource.state == State::"active" };`;
  };
  const most = Math.floor(POSSIBLE_DEVICES_MAX / 2 / DEVICE_STATES.length) - 1;
  assert.deepEqual(checkPolicyText(rule(most)), []);
  const { message = '' } = checkPolicyText(rule(most + 1))[0] ?? {};
  assert.match(message, new RegExp(`tells ${kindsOf(most + 1)} kinds of devices apart, of 5000`));
  const policies = new Policies(openStore(t), { clock: systemClock });
  assert.match(await set(policies, rule(most + 1)), /^E_POLICY_INVALID It tells/);
});

test('a second person that can be made by the first one is warned of', async (t) => {
  const policies = new Policies(openStore(t), { clock: systemClock });
  const two = (actions: readonly string[]): string => {
    const named = actions.map((action) => `Action::"${action}"`).join(', ');
    return `${DEFAULT_POLICY}
forbid (principal, action in [${named}], resource) unless { context.secondPerson };`;
  };
  assert.deepEqual(await policies.warningsOf(DEFAULT_POLICY, []), []);
  const [warning = ''] = await policies.warningsOf(two(['device:revoke', 'policy:set']), []);
  assert.match(warning, /not for person:manage, oidc:manage:/);
  const whole = two(['device:revoke', 'policy:set', 'oidc:manage', 'person:manage']);
  assert.deepEqual(await policies.warningsOf(whole, []), []);
  const adaText = 'Person::"person:ada"';
  const ada = { kind: 'person', id: 'person:ada', role: 'viewer' } as const;
  const exempt = `${whole.slice(0, whole.lastIndexOf(' };'))} || principal == ${adaText} };
permit (principal == ${adaText}, action, resource);
`;
  assert.deepEqual(await policies.warningsOf(exempt, []), []);
  assert.match((await policies.warningsOf(exempt, [ada]))[0] ?? '', /policy:set/);
});
