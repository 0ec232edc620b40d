import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@holdfast/protocol';
import { JournalLab, message } from '../journal/lab.testing.ts';
import type { Device } from '../registry/index.ts';
import { type DeviceCommandsDeps, readCommands } from './device-commands.ts';
import { COMMANDS_PAGE, COMMANDS_SCANNED_MAX } from './limits.ts';

const DEVICE: Device = {
  id: 'pump-1',
  class: 'actuator',
  group: '',
  state: 'active',
  stateReason: '',
  stateBy: '',
  stateAtMs: 0,
  statesBefore: [],
  createdAtMs: 0,
  contentKeyRef: 7,
  formerContentKeyRefs: [],
  payloadKeyGeneration: 1,
  isPayloadKeyInUse: true,
};

const command = (name: string, ctr: number): Entry =>
  message(JSON.stringify({ cmd: name, ctr }), {
    topic: `d/pump-1/cmd/${name}`,
    principal: 'person:ada',
  });
const ack = (name: string, body: object = {}): Entry =>
  message(JSON.stringify(body), { topic: `d/pump-1/ack/${name}` });

async function journalWith(
  t: ConstructorParameters<typeof JournalLab>[0],
  entries: readonly Entry[],
): Promise<DeviceCommandsDeps> {
  const lab = new JournalLab(t);
  const journal = await lab.open();
  const key = lab.keyring.create(7);
  await Promise.all(entries.map((entry) => journal.record(entry, key)));
  return { journal, keyring: lab.keyring, registry: { byId: () => DEVICE } };
}

test('each command has the answer that names it, or else the first one after it', async (t) => {
  const deps = await journalWith(t, [
    command('open', 1),
    message('{}'),
    ack('open', { ok: true }),
    command('open', 2),
    command('close', 3),
    ack('close'),
    ack('close', { again: true }),
    command('open', 4),
    ack('open', { of: 4, ok: false }),
    ack('open', { of: 2, ok: true }),
    command('blink', 5),
    ack('other'),
  ]);
  const { commands, next } = await readCommands('pump-1', { limit: 50 }, deps);
  assert.deepEqual(
    commands.map(({ index, name, ack: answer }) => [index, name, answer?.index]),
    [
      [10, 'blink', undefined],
      [7, 'open', 8],
      [4, 'close', 5],
      [3, 'open', 9],
      [0, 'open', 2],
    ],
  );
  assert.equal(commands[0]?.principal, 'person:ada');
  assert.equal(next, undefined);
  const page = await readCommands('pump-1', { limit: 2 }, deps);
  assert.deepEqual([page.commands.map(({ index }) => index), page.next], [[10, 7], 7]);
  const rest = await readCommands('pump-1', { limit: 9, before: 7 }, deps);
  assert.deepEqual(
    rest.commands.map(({ index }) => index),
    [4, 3, 0],
  );
});

test('one request looks through so many messages of a device, and says where to go on', async (t) => {
  const many = Array.from({ length: COMMANDS_SCANNED_MAX }, () => message('{}'));
  const deps = await journalWith(t, [command('open', 1), ack('open'), ...many]);
  const first = await readCommands('pump-1', { limit: 5 }, deps);
  assert.deepEqual(first, { commands: [], next: 2 });
  const second = await readCommands('pump-1', { limit: 5, before: first.next }, deps);
  assert.deepEqual(
    [second.commands.map(({ ack: answer }) => answer?.index), second.next],
    [[1], undefined],
  );
  assert.ok(COMMANDS_SCANNED_MAX % COMMANDS_PAGE === 0);
});

test('a device that answers without end keeps nobody busy, nor fills the memory', async (t) => {
  const text = 'x'.repeat(2_000);
  const answers = Array.from({ length: 4_000 }, (_, at) => ack('open', { of: 1e6 + at, text }));
  const commands = Array.from({ length: 200 }, (_, at) => command('open', at));
  const deps = await journalWith(t, [...commands, ack('open', { of: 7 }), ...answers]);
  const before = process.cpuUsage();
  const found = await readCommands('pump-1', { limit: 200 }, deps);
  const { user } = process.cpuUsage(before);
  assert.equal(found.commands.length, 200);
  assert.equal(found.commands.find(({ ack: answer }) => answer !== undefined)?.index, 7);
  // Each answer was parsed twice for each command: half a minute.
  assert.ok(user < 3_000_000, `${user} µs`);
});
