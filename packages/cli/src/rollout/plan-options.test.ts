import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pauseOption, shareOption, spanOption, stageOption, windowOption } from './plan-options.ts';

const usage = { code: 'E_CLI_USAGE' };

describe('the options of a plan', () => {
  it('reads stages', () => {
    for (const [text, stage] of [
      ['1%', { select: { percent: 1 } }],
      ['0.5%', { select: { percent: 0.5 } }],
      ['50', { select: { count: 50 } }],
      ['group=lab', { select: { group: 'lab' } }],
      ['device=a,device=b', { select: { devices: ['a', 'b'] } }],
      ['10%,soak=1h', { select: { percent: 10 }, soakMs: 3_600_000 }],
      [
        'soak=30s,success=95%,100%',
        { select: { percent: 100 }, soakMs: 30_000, successRate: 0.95 },
      ],
    ] as const) {
      assert.deepEqual(stageOption(text), stage, text);
    }
    for (const text of [
      '',
      '0%',
      '101%',
      '0',
      'x',
      '1%,2%',
      '1%,device=a',
      'soak=1h',
      '1%,soak=1',
    ]) {
      assert.throws(() => stageOption(text), usage, text);
    }
  });

  it('reads windows', () => {
    const berlin = { fromMinute: 60, toMinute: 300, timeZone: 'Europe/Berlin' };
    assert.deepEqual(windowOption('mon-fri 01:00-05:00 Europe/Berlin', 'UTC'), {
      days: [1, 2, 3, 4, 5],
      ...berlin,
    });
    assert.deepEqual(windowOption('sat,sun 22:30-04:00', 'UTC'), {
      days: [6, 7],
      fromMinute: 1_350,
      toMinute: 240,
      timeZone: 'UTC',
    });
    assert.deepEqual(windowOption('fri-mon 0:00-24:00', 'UTC').days, [1, 5, 6, 7]);
    for (const text of [
      '',
      'mon',
      'mon 1-5',
      'mo 01:00-02:00',
      'mon 01:60-02:00',
      'mon 01:00-24:01',
    ]) {
      assert.throws(() => windowOption(text, 'UTC'), usage, text);
    }
  });

  it('reads rules', () => {
    assert.deepEqual(pauseOption('failures=2%,unconfirmed=2h,silent=15m,findings=none'), {
      failures: 0.02,
      unconfirmedMs: 7_200_000,
      silentMs: 900_000,
      findings: 'none',
    });
    for (const text of ['failures=2', 'failures', 'findings=bad', 'x=1', 'silent=']) {
      assert.throws(() => pauseOption(text), usage, text);
    }
  });

  it('has bounds', () => {
    assert.equal(spanOption('90d', 'soak'), 7_776_000_000);
    assert.throws(() => spanOption('91d', 'soak'), usage);
    assert.equal(shareOption('100%', 'x'), 1);
    assert.throws(() => shareOption('100.1%', 'x'), usage);
  });
});
