import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  REFUSALS_SEARCHED_MAX,
  REFUSALS_SUMMED_MAX,
  type RefusalList,
  RefusalListSchema,
  type RefusalSummary,
  RefusalSummarySchema,
  REFUSAL_GROUPS_MAX,
} from '@holdfast/protocol/api';
import type { Person } from '../../registry/index.ts';
import type { RefusalRecord } from '../../telemetry/index.ts';
import { type Lab, codeOf, openLab, present } from '../lab.testing.ts';
import {
  REFUSAL_SEARCHES_MAX,
  REFUSAL_SEARCHES_OF_PERSON_MAX,
  REFUSAL_SUMMARY_LIFE_MS,
} from '../limits.ts';

const HOUR_MS = 3_600_000;

function push(lab: Lab, facts: Partial<RefusalRecord> = {}): void {
  lab.refusals.push({
    index: lab.refusals.items.length + 1,
    atMs: lab.clock.ms,
    code: 'E_VERIFY_SIG',
    detail: 'no match',
    count: 1,
    ...facts,
  });
}

async function search(lab: Lab, query: string): Promise<RefusalList> {
  const answer = await lab.call('GET', `/v1/refusals?${query}`, { token: lab.localToken });
  assert.equal(answer.status, 200, await answer.clone().text());
  return RefusalListSchema.parse(await answer.json());
}

async function summary(lab: Lab, query: string): Promise<RefusalSummary> {
  const answer = await lab.call('GET', `/v1/refusals/summary?${query}`, { token: lab.localToken });
  assert.equal(answer.status, 200, await answer.clone().text());
  return RefusalSummarySchema.parse(await answer.json());
}

test('refusals are found by device, address, code and time', async (t) => {
  const lab = openLab(t);
  push(lab, { principal: 'pump-1', address: '192.0.2.7' });
  push(lab, { code: 'E_SESSION_NO_CERTIFICATE', address: '192.0.2.8', claimed: 'pump-1' });
  lab.clock.ms += HOUR_MS;
  push(lab, { code: 'E_VERIFY_REPLAY', principal: 'pump-2', address: '192.0.2.7' });
  const found = async (query: string): Promise<number[]> =>
    (await search(lab, query)).refusals.map(({ index }) => index);
  assert.deepEqual(await found(''), [3, 2, 1]);
  // Whoever only pretends to be a device is found with it.
  assert.deepEqual(await found('device=pump-1'), [2, 1]);
  assert.deepEqual(await found('address=192.0.2.7'), [3, 1]);
  assert.deepEqual(await found('code=E_VERIFY_REPLAY'), [3]);
  assert.deepEqual(await found('device=pump-1&address=192.0.2.7'), [1]);
  const now = new Date(lab.clock.ms).toISOString();
  assert.deepEqual(await found(`since=${now}`), [3]);
  assert.deepEqual(await found(`until=${now}`), [2, 1]);
  assert.deepEqual(await found('before=3&limit=1'), [2]);
});

test('a refusal says what happened, what it could mean, and what to do', async (t) => {
  const lab = openLab(t);
  push(lab, { code: 'E_VERIFY_REPLAY' });
  push(lab, { code: 'E_POLICY_TERM' });
  const [policy, replay] = (await search(lab, '')).refusals;
  assert.match(replay?.what ?? '', /accepted before/);
  assert.match(replay?.couldMean ?? '', /recorded a message and plays it back/);
  assert.match(replay?.fix ?? '', /replayed message/);
  assert.equal(policy?.couldMean, undefined);
});

test('a full page says where the next one begins, and the last one does not', async (t) => {
  const lab = openLab(t);
  for (let i = 0; i < 3; i += 1) push(lab);
  assert.equal((await search(lab, 'limit=2')).next, 2);
  assert.equal((await search(lab, 'limit=2&before=2')).next, undefined);
  assert.equal((await search(lab, 'limit=2&code=E_VERIFY_SIG')).next, 2);
});

test('a search looks at a bounded number, and says where it stopped', async (t) => {
  const lab = openLab(t);
  push(lab, { code: 'E_VERIFY_REPLAY' });
  for (let i = 0; i < REFUSALS_SEARCHED_MAX - 1; i += 1) push(lab);
  const all = await search(lab, 'code=E_VERIFY_REPLAY');
  assert.deepEqual(
    all.refusals.map(({ index }) => index),
    [1],
  );
  push(lab);
  const first = await search(lab, 'code=E_VERIFY_REPLAY');
  assert.deepEqual({ count: first.refusals.length, next: first.next }, { count: 0, next: 2 });
  const rest = await search(lab, `code=E_VERIFY_REPLAY&before=${first.next}`);
  assert.deepEqual(
    rest.refusals.map(({ index }) => index),
    [1],
  );
  assert.equal(rest.next, undefined);
});

test('a summary counts by device, address and code, with the sums of floods', async (t) => {
  const lab = openLab(t);
  push(lab, { principal: 'pump-9', atMs: lab.clock.ms - 25 * HOUR_MS });
  push(lab, { principal: 'pump-1', address: '192.0.2.7', atMs: lab.clock.ms - HOUR_MS });
  push(lab, { principal: 'pump-1', address: '192.0.2.8', code: 'E_VERIFY_REPLAY', count: 500 });
  push(lab, { address: '192.0.2.9', code: 'E_SESSION_NO_CERTIFICATE' });
  const byDevice = await summary(lab, 'by=device&span=day');
  assert.equal(byDevice.total, 502);
  assert.ok(byDevice.isComplete);
  const [pump, nobody] = byDevice.groups;
  assert.equal(pump?.key, 'pump-1');
  assert.equal(pump.count, 501);
  assert.equal(pump.addresses, 2);
  assert.equal(Date.parse(pump.lastAt) - Date.parse(pump.firstAt), HOUR_MS);
  assert.deepEqual(
    pump.codes.map(({ code, count }) => [code, count]),
    [
      ['E_VERIFY_REPLAY', 500],
      ['E_VERIFY_SIG', 1],
    ],
  );
  assert.deepEqual([nobody?.key, nobody?.count, nobody?.devices], ['', 1, 0]);
  assert.deepEqual(
    (await summary(lab, 'by=code&span=week')).groups.map(({ key, count }) => [key, count]),
    [
      ['E_VERIFY_REPLAY', 500],
      ['E_VERIFY_SIG', 2],
      ['E_SESSION_NO_CERTIFICATE', 1],
    ],
  );
  assert.equal((await summary(lab, 'by=address&span=hour')).groups.length, 3);
});

test('a summary tells the state of a device that is known', async (t) => {
  const lab = openLab(t);
  present(lab.registry.add({ id: 'pump-1', class: 'sensor' }));
  push(lab, { principal: 'pump-1' });
  push(lab, { principal: 'person:ada' });
  const { groups } = await summary(lab, 'by=device&span=day');
  const states = new Map(groups.map(({ key, state }) => [key, state]));
  assert.deepEqual([states.get('pump-1'), states.get('person:ada')], ['registered', undefined]);
  // The counts are kept for some seconds, and the state is looked up for each answer.
  const revoked = { act: 'revoke', by: 'local', reason: 'test' } as const;
  present(lab.registry.changeState('pump-1', revoked));
  const after = (await summary(lab, 'by=device&span=day')).groups;
  assert.equal(after.find(({ key }) => key === 'pump-1')?.state, 'revoked');
  assert.equal(lab.refusals.pages.length, 1);
});

test('a summary of more than it looks at says from when on it is complete', async (t) => {
  const lab = openLab(t);
  for (let i = 0; i < REFUSALS_SUMMED_MAX - 1; i += 1) push(lab, { principal: `dev-${i % 300}` });
  const whole = await summary(lab, 'by=device&span=hour');
  assert.deepEqual([whole.isComplete, whole.total], [true, REFUSALS_SUMMED_MAX - 1]);
  assert.equal(whole.groups.length, REFUSAL_GROUPS_MAX);
  assert.ok(whole.others > 0);
  lab.clock.advance(60_000);
  for (let i = 0; i < 2; i += 1) push(lab);
  const part = await summary(lab, 'by=device&span=hour');
  assert.deepEqual([part.isComplete, part.total], [false, REFUSALS_SUMMED_MAX]);
  assert.equal(Date.parse(part.since), lab.clock.ms - 60_000);
});

test('one look at the log serves all who ask within some seconds', async (t) => {
  const lab = openLab(t);
  push(lab);
  await Promise.all(['device', 'address', 'code'].map((by) => summary(lab, `by=${by}&span=day`)));
  assert.equal(lab.refusals.pages.length, 1);
  push(lab);
  assert.equal((await summary(lab, 'by=code&span=day')).total, 1);
  lab.clock.advance(REFUSAL_SUMMARY_LIFE_MS);
  assert.equal((await summary(lab, 'by=code&span=day')).total, 2);
});

test('searches wait for each other, and too many are refused', async (t) => {
  const lab = openLab(t);
  push(lab);
  const answers = await Promise.all(
    Array.from({ length: REFUSAL_SEARCHES_MAX + 1 }, (_, at) =>
      lab.call('GET', `/v1/refusals?device=pump-${at}`, {
        session: signIn(lab, `person-${Math.floor(at / REFUSAL_SEARCHES_OF_PERSON_MAX)}`),
      }),
    ),
  );
  const late = answers.filter(({ status }) => status !== 200);
  assert.equal(late.length, 1);
  assert.equal(late[0] && (await codeOf(late[0])), 'E_OPERATE_RATE');
  assert.equal((await search(lab, 'device=pump-1')).refusals.length, 0);
});

test('nobody takes the turns of the others', async (t) => {
  const lab = openLab(t);
  const [eve, bob] = [signIn(lab, 'eve'), signIn(lab, 'bob')];
  const sessions = [...Array.from({ length: REFUSAL_SEARCHES_OF_PERSON_MAX + 1 }, () => eve), bob];
  const ask = (session: string): Promise<Response> =>
    lab.call('GET', '/v1/refusals?device=pump-1', { session });
  const answers = await Promise.all(sessions.map(ask));
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual(statuses, [...Array(REFUSAL_SEARCHES_OF_PERSON_MAX).fill(200), 429, 200]);
  assert.equal((await ask(eve)).status, 200);
});

/** Gives a session of an auditor; the same person may have several. */
function signIn({ people }: Lab, name: string): string {
  const known = people.byName(name);
  const invited = (): Person => {
    const { code } = present(people.membership.invite({ name, role: 'auditor' }));
    return present(people.membership.redeem(code.expose()));
  };
  const person = known ?? invited();
  return people.startSession(person, { by: 'totp', address: '192.0.2.1' }).id.expose();
}

test('a code or time that is none is refused', async (t) => {
  const lab = openLab(t);
  for (const query of ['code=sig', 'since=yesterday', 'limit=0', 'device=', 'span=day']) {
    const answer = await lab.call('GET', `/v1/refusals?${query}`, { token: lab.localToken });
    assert.equal(answer.status, 400, query);
  }
});
