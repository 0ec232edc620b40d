import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Act, actEntry } from '../audit/index.ts';
import { JournalLab } from '../journal/lab.testing.ts';
import { ACTS_PAGE, ACTS_SCANNED_MAX } from './limits.ts';
import { TargetActs } from './target-acts.ts';

test('the acts on a device come newest first, those before the start and those since', async (t) => {
  const lab = new JournalLab(t);
  const journal = await lab.open();
  const keys = [lab.keyring.create(8), lab.keyring.create(7)] as const;
  const record = (act: Partial<Act>, key: (typeof keys)[number] = keys[0]): Promise<number> =>
    journal.record(actEntry({ action: 'device.add', principal: 'local', ...act }, 1_000), key);
  await record({ target: 'a', reason: 'first' }, keys[1]);
  await record({ target: 'b' }, keys[1]);
  await record({ target: 'a', reason: 'second' });
  await record({ action: 'server.start' });

  const acts = new TargetActs({ journal, keys: () => keys });
  const noted = async (act: Partial<Act>): Promise<void> =>
    acts.note(act, { index: await record(act), keyRef: keys[0].ref });
  await noted({ target: 'a', reason: 'third' });
  await noted({ facts: { device: 'a' }, reason: 'noticed' });
  await noted({ target: 'b' });

  const all = await acts.of('a', { limit: 10 });
  assert.deepEqual(
    all.acts.map(({ reason, index }) => [reason, index]),
    [
      ['noticed', 5],
      ['third', 4],
      ['second', 2],
      ['first', 0],
    ],
  );
  assert.equal(all.next, undefined);
  const page = await acts.of('a', { limit: 3 });
  assert.deepEqual(
    page.acts.map(({ index }) => index),
    [5, 4, 2],
  );
  assert.equal(page.next, 2);
  const rest = await acts.of('a', { limit: 3, before: 2 });
  assert.deepEqual([rest.acts.map(({ index }) => index), rest.next], [[0], undefined]);
  assert.deepEqual(await acts.of('c', { limit: 3 }), { acts: [], next: undefined });
});

test('one request looks through so many acts, and the next one goes on where it ended', async (t) => {
  const lab = new JournalLab(t);
  const journal = await lab.open();
  const key = lab.keyring.create(7);
  const count = ACTS_SCANNED_MAX + 10;
  const entries = Array.from({ length: count }, (_, at) =>
    journal.record(
      actEntry({ action: 'device.add', principal: 'local', target: at === 0 ? 'old' : 'other' }, 1),
      key,
    ),
  );
  await Promise.all(entries);
  const read: number[] = [];
  const counting = {
    size: journal.size,
    fetch: journal.fetch.bind(journal),
    read: (...[of, page]: Parameters<typeof journal.read>) => {
      read.push(page.before);
      return journal.read(of, page);
    },
  };
  const acts = new TargetActs({ journal: counting, keys: () => [key] });
  const first = await acts.of('old', { limit: 5 });
  assert.deepEqual(first, { acts: [], next: 10 });
  assert.equal(read.length, ACTS_SCANNED_MAX / ACTS_PAGE);
  const second = await acts.of('old', { limit: 5, before: first.next });
  assert.deepEqual([second.acts.map(({ index }) => index), second.next], [[0], undefined]);
  const pages = read.length;
  await acts.of('other', { limit: 5 });
  assert.equal(read.length, pages, 'what was looked through once is known');
});
