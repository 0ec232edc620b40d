import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RELEASE, RolloutLab, idsOf, percentStages, planOf } from './lab.testing.ts';
import { OFFER_FRESH_MS } from './limits.ts';
import { placeOf } from './place.ts';
import { wantedOf } from './rollout-records.ts';

const HOUR_MS = 3_600_000;

function running(plan: Parameters<typeof planOf>[0], count = 10): RolloutLab {
  return new RolloutLab(planOf(plan)).start(idsOf(count)).tick();
}

describe('the stages of a rollout', () => {
  it('reaches the share of each stage, and the next one when enough are confirmed', () => {
    const lab = running({ stages: percentStages(10, 50, 100) }, 20);
    assert.equal(lab.in('offered').length, 2);
    const [first = '', second = ''] = lab.in('offered');
    lab.report(first, 'confirmed').tick();
    assert.equal(lab.state.head.stage, 0, 'one of two is not 90 %');
    lab.report(second, 'confirmed').tick().tick();
    assert.equal(lab.state.head.stage, 1);
    assert.equal(lab.in('offered').length, 8);
    for (const device of lab.in('offered')) lab.report(device, 'confirmed');
    lab.tick().tick();
    assert.equal(lab.in('offered').length, 10);
    for (const device of lab.in('offered')) lab.report(device, 'confirmed');
    lab.tick();
    assert.equal(lab.state.head.state, 'finished');
  });

  it('reaches one device at least, however small the share', () => {
    assert.equal(running({ stages: percentStages(1, 100) }).in('offered').length, 1);
  });

  it('begins with those whose place is first, and a larger fleet does not change the place', () => {
    const lab = running({ stages: percentStages(20, 100) }, 10);
    const byPlace = idsOf(10).sort((a, b) => placeOf('ab12cd34', a) - placeOf('ab12cd34', b));
    assert.deepEqual(lab.in('offered'), byPlace.slice(0, 2).sort());
    const joining = idsOf(40).slice(10);
    const before = lab.in('offered');
    lab.send({ kind: 'join', members: joining.map((device) => ({ device, group: '' })) }).tick();
    assert.equal(lab.in('offered').length, 8);
    for (const device of before) assert.ok(lab.in('offered').includes(device));
  });

  it('waits for the soak time, and begins it again when the rate is missed', () => {
    const stages = [{ select: { count: 1 }, soakMs: HOUR_MS }, { select: { percent: 100 } }];
    const lab = running({ stages, pauseOn: { failures: 1 } }, 4);
    const [first = ''] = lab.in('offered');
    lab.report(first, 'confirmed').tick();
    lab.atMs += HOUR_MS - 1;
    assert.equal(lab.tick().state.head.stage, 0);
    lab.report(first, 'reverted').tick();
    lab.atMs += HOUR_MS;
    assert.equal(lab.tick().state.head.stage, 0);
  });

  it('opens after exactly the soak time', () => {
    const stages = [{ select: { count: 1 }, soakMs: HOUR_MS }, { select: { percent: 100 } }];
    const lab = running({ stages }, 4);
    lab.report(lab.in('offered')[0] ?? '', 'confirmed').tick();
    lab.atMs += HOUR_MS;
    assert.equal(lab.tick().state.head.stage, 1);
  });

  it('takes groups and lists as stages', () => {
    const stages = [
      { select: { group: 'lab' } },
      { select: { devices: ['t-3'] } },
      { select: { percent: 100 } },
    ];
    const groupOf = (device: string): string => (device === 't-1' ? 'lab' : '');
    const lab = new RolloutLab(planOf({ stages })).start(idsOf(6)).tick({ groupOf });
    assert.deepEqual(lab.in('offered'), ['t-1']);
    lab.report('t-1', 'confirmed').tick({ groupOf }).tick({ groupOf });
    assert.deepEqual(lab.in('offered'), ['t-3']);
  });

  it('passes over a device that may not have it, and takes another one in its place', () => {
    const first = running({ stages: percentStages(10, 100) }).in('offered')[0];
    const whyNot = (device: string): string | undefined =>
      device === first ? 'it is quarantined' : undefined;
    const lab = new RolloutLab(planOf({ stages: percentStages(10, 100) })).start(idsOf(10));
    lab.tick({ whyNot });
    assert.deepEqual(lab.in('skipped'), [first]);
    assert.equal(lab.state.head.stage, 0);
    assert.equal(lab.tick({ whyNot }).in('offered').length, 1);
  });
});

describe('the limits of a rollout', () => {
  it('has so many devices in progress, and those that never begin take no place for ever', () => {
    const lab = running({ inProgressMax: 3 });
    assert.equal(lab.in('offered').length, 3);
    lab.atMs += OFFER_FRESH_MS - 1;
    assert.equal(lab.tick().in('offered').length, 3);
    lab.atMs += 1;
    assert.equal(lab.tick().in('offered').length, 6);
  });

  it('offers it to so many in a minute', () => {
    const lab = running({ perMinuteMax: 4 });
    assert.equal(lab.in('offered').length, 4);
    lab.atMs += 59_999;
    assert.equal(lab.tick().in('offered').length, 4);
    lab.atMs += 1;
    assert.equal(lab.tick().in('offered').length, 8);
  });

  it('offers it in its windows only, and takes back at their end what has not begun', () => {
    const window = { days: [6], fromMinute: 720, toMinute: 780, timeZone: 'UTC' };
    const lab = running({ windows: [window] });
    assert.equal(lab.in('offered').length, 10);
    lab.report('t-4', 'downloading');
    lab.atMs += HOUR_MS;
    lab.tick();
    assert.deepEqual(lab.in('offered'), []);
    assert.deepEqual(lab.in('downloading'), ['t-4']);
    const record = lab.state.devices.get('t-1');
    assert.ok(record?.isOwed);
    assert.equal(wantedOf(lab.state.head, record), 'thermostat@1.0.0');
  });
});

describe('a rollout that pauses', () => {
  it('goes on at the limit, and stops above it, with the figures', () => {
    const lab = running({ pauseOn: { failures: 0.1 } }, 20);
    lab.report('t-0', 'failed').report('t-1', 'reverted').tick();
    assert.equal(lab.state.head.state, 'running');
    lab.report('t-2', 'failed');
    assert.equal(lab.state.head.state, 'paused');
    assert.equal(lab.state.head.stateBy, 'server');
    assert.match(
      lab.state.head.stateReason,
      /20 devices of stage 1: 2 failed, 1 reverted; over 10/,
    );
    assert.equal(lab.state.head.notices.at(-1)?.action, 'rollout.pause');
    assert.deepEqual(lab.in('offered'), [], 'what has not begun is taken back');
  });

  // hawkBit #2161: the second group that asked for the pause failed, and took the first with it.
  it('stays paused when a second stage would pause it as well, or somebody does', () => {
    const lab = running({ stages: percentStages(50, 100), pauseOn: { failures: 0.1 } }, 20);
    for (const device of lab.in('offered')) lab.report(device, 'confirmed');
    lab.tick().tick();
    const [a = '', b = ''] = lab.in('offered');
    const [c = '', d = ''] = lab.in('confirmed');
    for (const device of [a, b, c, d]) lab.report(device, 'reverted');
    assert.equal(lab.state.head.state, 'paused');
    const { stateReason, notices } = lab.state.head;
    lab.send({ kind: 'pause', by: 'person:ada', reason: 'enough' });
    assert.equal(lab.state.head.stateReason, stateReason);
    assert.equal(notices.filter(({ action }) => action === 'rollout.pause').length, 1);
  });

  it('offers nothing until it is resumed; what was seen then does not pause it again', () => {
    const lab = running({ pauseOn: { failures: 0 } });
    lab.report('t-1', 'failed').tick();
    assert.deepEqual(lab.in('offered'), []);
    lab.send({ kind: 'resume', by: 'person:ada', reason: 'seen' }).tick();
    assert.equal(lab.state.head.state, 'running');
    assert.equal(lab.in('offered').length, 9);
    lab.report('t-2', 'failed');
    assert.equal(lab.state.head.state, 'paused');
  });

  it('pauses on devices that begin and are not confirmed in time', () => {
    const lab = running({ pauseOn: { failures: 0, unconfirmedMs: HOUR_MS } });
    lab.report('t-1', 'downloading').report('t-2', 'downloading');
    lab.atMs += HOUR_MS;
    assert.equal(lab.report('t-2', 'confirmed').tick().state.head.state, 'running');
    lab.atMs += 1;
    assert.equal(lab.tick().state.head.state, 'paused');
    assert.match(lab.state.head.stateReason, /1 overdue/);
  });

  it('pauses on updated devices that are not heard of any more', () => {
    const silentMs = HOUR_MS;
    const lab = running({ pauseOn: { failures: 0, silentMs } });
    lab.report('t-1', 'confirmed');
    lab.atMs += HOUR_MS;
    assert.equal(lab.tick().state.head.state, 'running');
    lab.atMs += 1;
    const seen = lab.atMs - HOUR_MS;
    assert.equal(lab.tick({ lastSeenMs: () => seen }).state.head.state, 'running');
    assert.equal(lab.tick().state.head.state, 'paused');
    assert.match(lab.state.head.stateReason, /1 silent/);
  });

  it('pauses on a finding about an updated device, from a severity on', () => {
    const lab = running({});
    lab.report('t-1', 'trial');
    const finding = { code: 'F_TRAFFIC', severity: 'medium' } as const;
    lab.send({ kind: 'finding', device: 't-1', finding });
    lab.send({ kind: 'finding', device: 't-2', finding: { ...finding, severity: 'critical' } });
    assert.equal(lab.state.head.state, 'running', 'too small, and not updated');
    lab.send({ kind: 'finding', device: 't-1', finding: { ...finding, severity: 'high' } });
    assert.equal(lab.state.head.state, 'paused');
    assert.match(lab.state.head.stateReason, /F_TRAFFIC \(high\) about t-1/);
  });
});

describe('a rollout that is aborted', () => {
  it('takes back what has not begun, and lets the others finish', () => {
    const lab = running({ stages: percentStages(50, 100) }, 10);
    const [busy = '', idle = ''] = lab.in('offered');
    lab.report(busy, 'trial').send({ kind: 'abort', by: 'person:ada', reason: 'no' });
    assert.equal(lab.in('withdrawn').length, 9);
    const record = lab.state.devices.get(idle);
    assert.ok(record?.isOwed);
    assert.equal(wantedOf(lab.state.head, record), 'thermostat@1.0.0');
    lab.report(busy, 'confirmed').tick();
    assert.deepEqual(lab.in('confirmed'), [busy]);
    assert.equal(lab.refusalOf({ kind: 'resume', by: 'x', reason: '' }), 'E_OPERATE_CONFLICT');
  });
});

describe('reports of devices', () => {
  it('lets a failed device go back to what it ran, and never offers it again', () => {
    const lab = running({ pauseOn: { failures: 1 } });
    lab.send({ kind: 'assigned', device: 't-1', release: RELEASE });
    assert.equal(lab.state.devices.get('t-1')?.isOwed, false);
    lab.report('t-1', 'failed').tick();
    const record = lab.state.devices.get('t-1');
    assert.ok(record?.isOwed && record.state === 'failed');
    assert.equal(wantedOf(lab.state.head, record), 'thermostat@1.0.0');
  });

  it('ignores those of other releases, late ones, and of devices that nobody has offered it', () => {
    const lab = running({ stages: percentStages(50, 100) });
    const [device = ''] = lab.in('offered');
    lab.send({ kind: 'report', device, report: { release: 'thermostat@1.0.0', state: 'failed' } });
    lab.report(device, 'trial').report(device, 'downloading');
    assert.deepEqual(lab.in('trial'), [device]);
    const [other = ''] = lab.in('waiting');
    lab.report(other, 'failed');
    assert.deepEqual(lab.in('failed'), []);
    lab.report(device, 'confirmed').report(device, 'failed');
    assert.deepEqual(lab.in('confirmed'), [device]);
  });
});

describe('the consent of owners', () => {
  it('is waited for, up to its bound', () => {
    const hasOwner = (device: string): boolean => device === 't-1';
    const plan = planOf({ needsConsent: true, consentBoundMs: HOUR_MS });
    const lab = new RolloutLab(plan).start(idsOf(2)).tick({ hasOwner });
    assert.deepEqual(lab.in('offered'), ['t-0']);
    const later = { kind: 'consent', device: 't-1', fromMs: lab.atMs + HOUR_MS } as const;
    assert.equal(lab.refusalOf({ ...later, fromMs: later.fromMs + 1 }), 'E_OPERATE_INPUT');
    lab.send(later);
    lab.atMs += HOUR_MS - 1;
    assert.deepEqual(lab.tick({ hasOwner }).in('waiting'), ['t-1']);
    lab.atMs += 1;
    assert.equal(lab.tick({ hasOwner }).in('offered').length, 2);
  });

  it('is given at once', () => {
    const lab = new RolloutLab(planOf({ needsConsent: true })).start(idsOf(1));
    const hasOwner = (): boolean => true;
    lab.tick({ hasOwner }).send({ kind: 'consent', device: 't-0', fromMs: lab.atMs });
    assert.deepEqual(lab.tick({ hasOwner }).in('offered'), ['t-0']);
    const again = { kind: 'consent', device: 't-0', fromMs: 0 } as const;
    assert.equal(lab.refusalOf(again), 'E_OPERATE_NOT_FOUND');
  });
});
