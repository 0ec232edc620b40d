import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Refusal } from '@holdfast/protocol';
import type { Act, RecordAct } from '../audit/index.ts';
import { openPermissions } from '../authorize/lab.testing.ts';
import { MessageJournal } from '../journal/index.ts';
import { JournalLab } from '../journal/lab.testing.ts';
import { createLog } from '../kernel/index.ts';
import { Router } from '../route/index.ts';
import { openLab } from '../session/lab.testing.ts';
import { NO_COUNTERS } from '../verify/index.ts';
import { MessagePath, type MessagePathDeps } from './message-path.ts';

const FIGURES = { condition: 'good', freeBytes: 10, reserveBytes: 20 } as const;

/** A device that is claimed, and the way it opens when it connects. */
async function openClaimed(
  t: TestContext,
  recordAct: RecordAct,
  disk: MessagePathDeps['disk'] = { hasRoom: true, figures: FIGURES },
) {
  const lab = openLab(t);
  const { clock, registry, payloadKeys, enroll, admit } = lab;
  const { permissions } = openPermissions(lab);
  const journals = new JournalLab(t);
  const journal = new MessageJournal(await journals.open(), { keyring: journals.keyring });
  const lines: string[] = [];
  const refusals: Refusal[] = [];
  const path = new MessagePath({
    clock,
    log: createLog({ form: 'json', level: 'error', write: (line) => lines.push(line) }),
    report: ({ refusal }) => refusals.push(refusal),
    recordAct,
    registry,
    permissions,
    payloadKeys,
    journal,
    disk,
    router: new Router({ clock, store: journal }),
    storedCounters: () => Promise.resolve(NO_COUNTERS),
    countAccepted: () => {},
  });
  const { certificate } = enroll('pump-1');
  return { open: () => path.open(admit(certificate)), registry, lines, refusals };
}

test('the first connection of a claimed device is an act, and waits for no disk', async (t) => {
  const acts: Act[] = [];
  const { open, registry } = await openClaimed(t, (act) => {
    acts.push(act);
    return new Promise(() => {});
  });
  assert.equal(registry.byId('pump-1')?.state, 'claimed');
  await open();
  assert.equal(registry.byId('pump-1')?.state, 'active');
  const activation: Act = {
    action: 'device.activate',
    principal: 'pump-1',
    target: 'pump-1',
    facts: { stateBefore: 'claimed', address: '::1' },
  };
  assert.deepEqual(acts, [activation]);
  await open();
  assert.deepEqual(acts, [activation], 'later ones change nothing');
});

test('an activation that cannot be recorded is logged, and the device connects', async (t) => {
  const { open, lines } = await openClaimed(t, () => Promise.reject(new Error('no journal')));
  await open();
  await new Promise(setImmediate);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /device\.activate.*no journal/);
});

test('without room nothing is looked at, and the answer says so in its turn', async (t) => {
  const { open, refusals } = await openClaimed(t, () => Promise.resolve(), {
    hasRoom: false,
    figures: FIGURES,
  });
  const handler = await open();
  const payload = Buffer.from('no JSON at all');
  const message = { topic: 'd/pump-1/telemetry', payload, retain: false, properties: {} };
  const answer = await new Promise((resolve) => {
    handler.publish({ ...message, qos: 1 }, (hasSubscribers, refusal) =>
      resolve([hasSubscribers, refusal?.code, refusal?.detail]),
    );
  });
  assert.deepEqual(answer, [false, 'E_JOURNAL_DISK_FULL', '10 bytes are free, and 20 are kept']);
  assert.deepEqual(
    refusals.map(({ code }) => code),
    ['E_JOURNAL_DISK_FULL'],
  );
});
