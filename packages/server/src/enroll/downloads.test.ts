import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { Clock } from '../kernel/index.ts';
import { Downloads } from './downloads.ts';
import { DOWNLOADS_MAX, DOWNLOADS_PER_NETWORK_MAX, DOWNLOAD_MS_MAX } from './limits.ts';

/** An answer on its way. */
class FakeResponse extends EventEmitter {
  isDestroyed = false;

  destroy(): void {
    this.isDestroyed = true;
    this.emit('close');
  }

  asResponse(): ServerResponse {
    return this as unknown as ServerResponse;
  }
}

class FakeClock implements Clock {
  readonly timers = new Map<object, { delayMs: number; task: () => void }>();
  nowMs = (): number => 0;
  monotonicMs = (): number => 0;

  after(delayMs: number, task: () => void): () => void {
    const key = {};
    this.timers.set(key, { delayMs, task });
    return () => this.timers.delete(key);
  }
}

function begin(downloads: Downloads, address: string): FakeResponse | undefined {
  const response = new FakeResponse();
  return downloads.begin(address, response.asResponse()) === undefined ? response : undefined;
}

test('a network has so many downloads at a time, and gets a place back when one ends', () => {
  const clock = new FakeClock();
  const downloads = new Downloads(clock);
  const open = Array.from({ length: DOWNLOADS_PER_NETWORK_MAX }, () =>
    begin(downloads, '192.0.2.1'),
  );
  assert.ok(open.every((response) => response !== undefined));
  assert.equal(begin(downloads, '192.0.2.1'), undefined);
  assert.ok(begin(downloads, '192.0.2.2'));
  open[0]?.emit('close');
  assert.ok(begin(downloads, '192.0.2.1'));
  assert.equal(begin(downloads, '192.0.2.1'), undefined);
});

test('all networks together have so many', () => {
  const downloads = new Downloads(new FakeClock());
  for (let at = 0; at < DOWNLOADS_MAX; at += 1) assert.ok(begin(downloads, `192.0.2.${at}`));
  assert.equal(begin(downloads, '198.51.100.1'), undefined);
});

test('a peer that reads too slowly is cut off', () => {
  const clock = new FakeClock();
  const downloads = new Downloads(clock);
  const slow = begin(downloads, '192.0.2.1');
  const [timer] = clock.timers.values();
  assert.equal(timer?.delayMs, DOWNLOAD_MS_MAX);
  timer.task();
  assert.ok(slow?.isDestroyed);
  assert.equal(clock.timers.size, 0);
  const done = begin(downloads, '192.0.2.1');
  assert.equal(clock.timers.size, 1);
  done?.emit('close');
  assert.equal(clock.timers.size, 0, 'nothing waits for a download that is over');
});

test('the place of an answer that tells nobody of its end is given back in time', () => {
  const clock = new FakeClock();
  const downloads = new Downloads(clock);
  for (let at = 0; at < DOWNLOADS_PER_NETWORK_MAX; at += 1) {
    const silent = new FakeResponse();
    // As one of a pipelined request, whose connection ended before it was its turn.
    silent.destroy = () => {};
    assert.equal(downloads.begin('192.0.2.1', silent.asResponse()), undefined);
  }
  assert.equal(begin(downloads, '192.0.2.1'), undefined);
  for (const { task } of clock.timers.values()) task();
  assert.ok(begin(downloads, '192.0.2.1'));
});

test('a download that was cut off gives back one place, and not two', () => {
  const clock = new FakeClock();
  const downloads = new Downloads(clock);
  const open = Array.from({ length: DOWNLOADS_PER_NETWORK_MAX }, () =>
    begin(downloads, '192.0.2.1'),
  );
  const [timer] = clock.timers.values();
  timer?.task();
  open[0]?.emit('close');
  assert.ok(begin(downloads, '192.0.2.1'));
  assert.equal(begin(downloads, '192.0.2.1'), undefined);
});
