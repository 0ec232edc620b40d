import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWithin, windowProblem } from './windows.ts';

const berlin = { days: [1, 2, 3, 4, 5], fromMinute: 60, toMinute: 300, timeZone: 'Europe/Berlin' };
const at = (iso: string): number => Date.parse(iso);

describe('windows', () => {
  it('are always open when there is none', () => assert.ok(isWithin([], 0)));

  it('open and close by the clock on the wall, in summer and in winter', () => {
    for (const [iso, isOpen] of [
      ['2026-11-20T00:00:00Z', true],
      ['2026-11-19T23:59:59Z', false],
      ['2026-11-20T03:59:59Z', true],
      ['2026-11-20T04:00:00Z', false],
      ['2026-07-09T23:00:00Z', true],
      ['2026-07-09T22:59:59Z', false],
      ['2026-07-10T03:00:00Z', false],
      ['2026-11-21T01:00:00Z', false],
    ] as const) {
      assert.equal(isWithin([berlin], at(iso)), isOpen, iso);
    }
  });

  it('last through the hour that summer time skips, and both of the one that it repeats', () => {
    const sunday = { ...berlin, days: [7], fromMinute: 120, toMinute: 180 };
    // 2026-03-29: 02:00 does not exist there; 2026-10-25: it comes twice.
    assert.equal(isWithin([sunday], at('2026-03-29T00:59:00Z')), false);
    assert.equal(isWithin([sunday], at('2026-03-29T01:00:00Z')), false);
    assert.equal(isWithin([sunday], at('2026-10-25T00:30:00Z')), true);
    assert.equal(isWithin([sunday], at('2026-10-25T01:30:00Z')), true);
  });

  it('go over midnight into the next day, which need not be named', () => {
    const night = { days: [7], fromMinute: 1_320, toMinute: 120, timeZone: 'UTC' };
    for (const [iso, isOpen] of [
      ['2026-11-22T22:00:00Z', true],
      ['2026-11-23T01:59:00Z', true],
      ['2026-11-23T02:00:00Z', false],
      ['2026-11-23T22:00:00Z', false],
    ] as const) {
      assert.equal(isWithin([night], at(iso)), isOpen, iso);
    }
  });

  it('are refused in a time zone that does not exist', () => {
    assert.equal(windowProblem([berlin]), undefined);
    const problem = windowProblem([{ ...berlin, timeZone: 'Europe/Atlantis' }]);
    assert.equal(problem?.code, 'E_OPERATE_INPUT');
  });
});
