/** Goal: what is wrong with a device is said with the next step, and nothing is said of a healthy one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceDetail, DeviceView, RefusalView } from '@holdfast/protocol/api';
import { type TroubleFacts, deviceTroubles } from './troubles.ts';

const NOW = Date.UTC(2026, 10, 21);
const HOUR = 3_600_000;
const iso = (ms: number): string => new Date(ms).toISOString();

function detail(part: Partial<DeviceView> = {}, ageMs = HOUR): DeviceDetail {
  const certificate = {
    fingerprint: 'ab',
    serial: '01',
    notBefore: iso(NOW - ageMs),
    notAfter: iso(NOW - ageMs + 24 * HOUR),
    status: 'current' as const,
  };
  const device: DeviceView = {
    id: 'pump-1',
    class: 'sensor',
    group: '',
    state: 'active',
    stateReason: '',
    stateBy: 'pump-1',
    createdAt: iso(NOW - 48 * HOUR),
    online: true,
    lastSeen: iso(NOW),
    certificateEndsAt: certificate.notAfter,
    ...part,
  };
  return { device, certificates: [certificate] };
}

function titles(part: Partial<TroubleFacts>): string[] {
  const none = { sessions: undefined, update: undefined, refusals: [], hasOlderRefusals: false };
  const facts = { detail: detail(), ...none, nowMs: NOW, ...part };
  return deviceTroubles(facts).map(({ title }) => title);
}

test('nothing is wrong with a connected device that renews in time', () => {
  assert.deepEqual(titles({}), []);
  assert.deepEqual(titles({ detail: detail({ state: 'retired', online: false }) }), []);
});

test('a device that is kept out comes first, with what was refused behind it', () => {
  const refusal = { at: iso(NOW - HOUR), count: 3, what: 'Altered.', fix: 'Look.' };
  const found = titles({
    detail: detail({ state: 'quarantined', online: false }),
    refusals: [refusal as RefusalView],
  });
  assert.match(found[0] ?? '', /quarantine/u);
  assert.equal(found[1], '3 refusals in the last 24 hours.');
  assert.match(
    titles({ refusals: [refusal as RefusalView], hasOlderRefusals: true })[0] ?? '',
    /^At least 3 refusals/u,
  );
  assert.deepEqual(
    titles({ refusals: [{ ...refusal, at: iso(NOW - 24 * HOUR) } as RefusalView] }),
    [],
  );
});

test('a certificate is worth a word in the last quarter of its life, and when it has ended', () => {
  assert.deepEqual(titles({ detail: detail({}, 18 * HOUR) }), []);
  assert.match(titles({ detail: detail({}, 18 * HOUR + 1) })[0] ?? '', /ends in 5 hours/u);
  assert.match(titles({ detail: detail({}, 24 * HOUR) })[0] ?? '', /ended 0 seconds ago/u);
  assert.deepEqual(
    titles({ detail: detail({ state: 'revoked' }, 25 * HOUR) }).length,
    1,
    'only that it is revoked',
  );
});

test('an active device is away after a quarter of an hour', () => {
  const away = (ms: number) =>
    titles({ detail: detail({ online: false, lastSeen: iso(NOW - ms) }) });
  assert.deepEqual(away(HOUR / 4 - 1), []);
  assert.deepEqual(away(HOUR / 4), ['It has been away for 15 minutes.']);
});

test('an update that failed, and a release that was taken back', () => {
  const at = iso(NOW);
  const reported = { release: 'a@2.0.0', state: 'failed', since: at, at, why: 'no space' };
  assert.match(titles({ update: { device: 'pump-1', reported } })[0] ?? '', /failed/u);
  const assigned = { release: 'a@2.0.0', since: at, by: 'local', isPublished: false };
  assert.match(titles({ update: { device: 'pump-1', assigned } })[0] ?? '', /taken back/u);
});
