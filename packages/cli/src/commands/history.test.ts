import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError } from '@holdfast/client';
import type { FollowOptions } from '@holdfast/client';
import type { ReadingView, RefusalView } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';
import { withoutSignature } from './readings.ts';

const SIG = 'ab'.repeat(32);

const reading = (index: number): ReadingView => ({
  index,
  at: '2026-11-21T03:05:06.789Z',
  device: 'thermostat-1',
  topic: 'd/thermostat-1/telemetry',
  kid: '1.1',
  payload: `{"ctr": ${index}, "temp": 23.0, "sig": "${SIG}"}`,
});

const refusal: RefusalView = {
  index: 3,
  at: '2026-11-21T03:05:06.789Z',
  code: 'E_VERIFY_SIG',
  what: 'The signature does not match.',
  fix: 'Check payload.key.',
  detail: 'tag differs\u001B[2J',
  principal: 'thermostat-1',
  address: '192.0.2.7',
  topic: 'd/thermostat-1/telemetry',
  claimed: 'thermostat-2',
  count: 37,
};

describe('readings', () => {
  it('prints the oldest first, without the signature, numbers as they were sent', async () => {
    const client = { readings: () => Promise.resolve([reading(2), reading(1)]) };
    const world = new FakeWorld({ client });
    assert.equal(await world.run('readings', 'thermostat-1'), 0);
    assert.equal(
      world.outText,
      '2026-11-21 04:05:06  d/thermostat-1/telemetry  {"ctr": 1, "temp": 23.0}\n' +
        '2026-11-21 04:05:06  d/thermostat-1/telemetry  {"ctr": 2, "temp": 23.0}\n',
    );
  });

  it('fits each reading on one line of the terminal', async () => {
    const payload = JSON.stringify({ text: '🌡'.repeat(200) });
    const client = { readings: () => Promise.resolve([{ ...reading(1), payload }]) };
    const world = new FakeWorld({ client, isTty: true });
    await world.run('readings', 'thermostat-1');
    const [line = ''] = world.outText.split('\n');
    assert.match(line, /…$/u);
    assert.ok(Array.from(line).length <= 80);
  });

  it('gives the exact payload with --json', async () => {
    const client = { readings: () => Promise.resolve([reading(2), reading(1)]) };
    const world = new FakeWorld({ client });
    await world.run('readings', 'thermostat-1', '--json');
    const lines = world.outText.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line): unknown => JSON.parse(line)),
      [reading(1), reading(2)],
    );
  });

  it('follows from the newest that it printed, and says when the connection is lost', async () => {
    let after: number | undefined;
    async function* followReadings(_: string, options: FollowOptions) {
      after = options.after;
      const error = new ApiError({ code: 'E_X', message: 'Gone.', fix: '' });
      options.onLost?.(error, 2_000);
      yield reading(3);
    }
    const client = { readings: () => Promise.resolve([reading(2)]), followReadings };
    const world = new FakeWorld({ client });
    await world.run('readings', 'thermostat-1', '--follow');
    assert.equal(after, 2);
    assert.match(world.errText, /Gone\. Trying again in 2 s/u);
    assert.equal(world.outText.split('\n').length, 3);
  });

  it('takes a limit from 1 to 1,000', async () => {
    for (const [limit, code] of [
      ['0', 2],
      ['1', 0],
      ['1000', 0],
      ['1001', 2],
      ['1e2', 2],
      ['x', 2],
    ] as const) {
      const limits: number[] = [];
      const readings = (_: string, page: { limit?: number } = {}) => {
        limits.push(page.limit ?? -1);
        return Promise.resolve([]);
      };
      const world = new FakeWorld({ client: { readings } });
      assert.equal(await world.run('readings', 'a', '--limit', limit), code, limit);
      assert.deepEqual(limits, code === 0 ? [Number(limit)] : []);
    }
  });
});

describe('withoutSignature', () => {
  it('leaves the signature out, wherever it stands', () => {
    for (const [payload, shown] of [
      [`{"sig": "${SIG}", "a": 1}`, '{"a": 1}'],
      [`{"a": 1, "sig": "${SIG}", "t": 2}`, '{"a": 1, "t": 2}'],
      [`{"a":1,"sig":"${SIG}"}`, '{"a":1}'],
      [`{"sig": "${SIG}"}`, '{}'],
      ['{"sig": "short"}', '{"sig": "short"}'],
    ] as const) {
      assert.equal(withoutSignature(payload), shown);
    }
  });

  it('takes no longer for a long run of white space', () => {
    // Goal: each run would take minutes where a search starts over at each white space.
    const run = ' '.repeat(100_000);
    for (const [payload, shown] of [
      [`${run}{${run}"sig"${run}:${run}"${SIG}"${run},${run}"a": 1}`, `${run}{${run}"a": 1}`],
      [`{"a": 1${run},${run}"sig"${run}:${run}"${SIG}"}`, `{"a": 1${run}}`],
      [`{"a":${run}1}`, `{"a":${run}1}`],
      [`{"a": 1,${run}"sig"${run}:${run}1}`, `{"a": 1,${run}"sig"${run}:${run}1}`],
      [run, run],
    ] as const) {
      // A comparison, because a difference of texts of this length would take long to print.
      assert.ok(withoutSignature(payload) === shown, shown.replaceAll(/ {9,}/gu, '<run>'));
    }
  });
});

describe('refusals', () => {
  it('says what, who and how to fix it, and obeys no control character', async () => {
    const client = { refusals: () => Promise.resolve([refusal]) };
    const world = new FakeWorld({ client });
    assert.equal(await world.run('refusals'), 0);
    assert.equal(
      world.outText,
      String.raw`2026-11-21 04:05:06  E_VERIFY_SIG  thermostat-1  × 37
  The signature does not match.
  detail  tag differs\u{1b}[2J
  topic   d/thermostat-1/telemetry
  claims  to be thermostat-2 (not proven)
  from    192.0.2.7
  fix     Check payload.key.

`,
    );
  });

  it('prints JSON that reads back the same', async () => {
    const client = { refusals: () => Promise.resolve([refusal]) };
    const world = new FakeWorld({ client });
    await world.run('refusals', '--json');
    assert.deepEqual(JSON.parse(world.outText), refusal);
  });
});

describe('refusals that are searched and counted', () => {
  it('asks for what was named', async () => {
    const queries: unknown[] = [];
    const findRefusals = (query: unknown) => {
      queries.push(query);
      return Promise.resolve({ refusals: [refusal] });
    };
    const world = new FakeWorld({ client: { findRefusals } });
    const line = '--device pump-1 --code E_VERIFY_SIG --address ::1 --from -1h --limit 5';
    assert.equal(await world.run('refusals', ...line.split(' ')), 0, world.errText);
    const since = new Date(world.time - 3_600_000).toISOString();
    const wanted = { limit: 5, device: 'pump-1', address: '::1', code: 'E_VERIFY_SIG', since };
    assert.deepEqual(queries, [wanted]);
    assert.match(world.outText, /E_VERIFY_SIG {2}thermostat-1/u);
  });

  it('counts them, the most frequent first', async () => {
    const at = '2026-11-21T03:05:06Z';
    const codes = [{ code: 'E_VERIFY_SIG', what: '', count: 9 }];
    const group = { firstAt: at, lastAt: at, codes, devices: 2, addresses: 1 };
    const summary = {
      by: 'device',
      span: 'hour',
      groups: [
        { ...group, key: 'pump-1', count: 9 },
        { ...group, key: '', count: 1 },
      ],
      others: 3,
      total: 13,
      isComplete: false,
      since: at,
    } as const;
    const queries: unknown[] = [];
    const refusalSummary = (query: unknown) => {
      queries.push(query);
      return Promise.resolve({ ...summary, groups: [...summary.groups] });
    };
    const world = new FakeWorld({ client: { refusalSummary } });
    assert.equal(await world.run('refusals', '--by', 'device', '--span', 'hour'), 0);
    assert.deepEqual(queries, [{ by: 'device', span: 'hour' }]);
    assert.equal(
      world.outText,
      `DEVICE                 COUNT  LAST                 CODES
pump-1                 9      2026-11-21 04:05:06  9 E_VERIFY_SIG
nobody who was proven  1      2026-11-21 04:05:06  9 E_VERIFY_SIG
and 3 of others
Only those since 2026-11-21 04:05:06 were counted.
`,
    );
  });

  it('refuses options that do not go together', async () => {
    for (const line of [
      '--follow --by code',
      '--follow --device a',
      '--by code --code E_X',
      '--by who',
    ]) {
      const world = new FakeWorld();
      assert.equal(await world.run('refusals', ...line.split(' ')), 2, line);
      assert.equal(world.connections.length, 0);
    }
  });
});

describe('audit acts', () => {
  it('prints who did what, and why', async () => {
    const act = {
      index: 1,
      at: '2026-11-21T03:05:06Z',
      action: 'device.revoke',
      principal: 'local',
    };
    const acts = [{ ...act, target: 'thermostat-1', reason: 'stolen' }];
    const world = new FakeWorld({ client: { acts: () => Promise.resolve(acts) } });
    await world.run('audit', 'acts');
    assert.equal(
      world.outText,
      '2026-11-21 04:05:06  local           ' +
        'device.revoke     Revoked a device      thermostat-1  (stolen)\n',
    );
    const raw = new FakeWorld({ client: { acts: () => Promise.resolve(acts) } });
    await raw.run('audit', 'acts', '--json');
    assert.deepEqual(JSON.parse(raw.outText), acts[0]);
  });
});
