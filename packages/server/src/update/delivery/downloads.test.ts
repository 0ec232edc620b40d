import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { artifactBody } from './artifact-body.ts';
import { type Download, Downloads } from './downloads.ts';
import { FakeArtifact, TestClock } from './lab.testing.ts';
import { BURST_BYTES, DOWNLOADS_MAX, DOWNLOADS_PER_DEVICE_MAX, STALL_MS_MAX } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

class FakeAnswer extends EventEmitter {
  isDestroyed = false;

  destroy(): this {
    this.isDestroyed = true;
    this.emit('close');
    return this;
  }
}

function begin(downloads: Downloads, device: string, answer = new FakeAnswer()): Download {
  const download = downloads.begin(device, answer as never);
  if (download instanceof Refusal) throw new Error(download.code);
  return download;
}

test('a bucket lets a burst go, and then its rate', () => {
  const bucket = new TokenBucket({ perSecond: 1_000, burst: 500 }, 0);
  assert.equal(bucket.take(500, 0), 0);
  assert.equal(bucket.take(1, 0), 1);
  assert.equal(bucket.take(1_000, 1), 1_000);
  assert.equal(bucket.take(500, 100_000), 0, 'a long silence fills it, and no more');
  assert.equal(bucket.take(250, 100_000), 250);
});

test('one download too many of a device ends its oldest; of all devices, it is refused', () => {
  const downloads = new Downloads(new TestClock());
  const answers = Array.from({ length: DOWNLOADS_PER_DEVICE_MAX + 1 }, () => new FakeAnswer());
  for (const answer of answers) begin(downloads, 'pump', answer);
  assert.deepEqual(
    answers.map(({ isDestroyed }) => isDestroyed),
    [true, ...Array.from({ length: DOWNLOADS_PER_DEVICE_MAX }, () => false)],
  );
  for (let at = downloads.counts.open; at < DOWNLOADS_MAX; at += 1) begin(downloads, `d${at}`);
  assert.ok(!downloads.hasRoom);
  const refused = downloads.begin('late', new FakeAnswer() as never);
  assert.ok(refused instanceof Refusal && refused.code === 'E_UPDATE_BUSY');
  begin(downloads, 'pump').end();
  assert.ok(downloads.hasRoom, 'its own oldest made room');
  begin(downloads, 'late').end();
});

test('a peer that stops reading is cut off, and nothing of it stays', () => {
  const clock = new TestClock();
  const downloads = new Downloads(clock);
  const answer = new FakeAnswer();
  const download = begin(downloads, 'pump', answer);
  clock.advance(STALL_MS_MAX - 1);
  download.moved();
  clock.advance(STALL_MS_MAX);
  assert.ok(!answer.isDestroyed, 'the server may take its time');
  download.sent();
  clock.advance(STALL_MS_MAX - 1);
  assert.ok(!answer.isDestroyed);
  clock.advance(1);
  assert.ok(answer.isDestroyed);
  assert.ok(download.isOver);
  assert.equal(downloads.counts.open, 0);
  download.end();
  assert.equal(downloads.counts.open, 0, 'it ends once');
});

test('an answer whose connection ends is over', () => {
  const downloads = new Downloads(new TestClock());
  const answer = new FakeAnswer();
  begin(downloads, 'pump', answer);
  answer.emit('close');
  assert.equal(downloads.counts.open, 0);
});

async function readAll(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('the body holds the bytes of the range, at the rate of the device', async () => {
  const clock = new TestClock({ runsByItself: true });
  const rate = 1_000_000;
  const downloads = new Downloads(clock, { deviceBytesPerSecond: rate });
  const bytes = Buffer.alloc(3 * rate, 'holdfast');
  const artifact = new FakeArtifact(bytes);
  const download = begin(downloads, 'pump');
  const range = { start: 5, end: bytes.length - 7 };
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => void faults.push(error);
  const body = artifactBody({ artifact, range, download, clock, onFault });
  assert.ok((await readAll(body)).equals(bytes.subarray(range.start, range.end)));
  const tookMs = clock.monotonicMs();
  const atBestMs = ((range.end - range.start - BURST_BYTES) / rate) * 1_000;
  assert.ok(tookMs >= atBestMs && tookMs < atBestMs + 200, `${tookMs} ms`);
  assert.deepEqual(faults, []);
  assert.equal(downloads.counts.open, 0);
  assert.equal(downloads.counts.bytes, range.end - range.start);
});

test('all devices together keep the total rate', async () => {
  const clock = new TestClock({ runsByItself: true });
  const rate = 1_000_000;
  const downloads = new Downloads(clock, { totalBytesPerSecond: rate });
  const bytes = Buffer.alloc(rate);
  const onFault = (): void => assert.fail();
  const bodies = ['a', 'b', 'c'].map((device) => {
    const parts = { artifact: new FakeArtifact(bytes), range: { start: 0, end: bytes.length } };
    return readAll(artifactBody({ ...parts, download: begin(downloads, device), clock, onFault }));
  });
  await Promise.all(bodies);
  const tookMs = clock.monotonicMs();
  assert.ok(tookMs >= 2_700 && tookMs < 3_100, `${tookMs} ms`);
});

test('nothing is read ahead of the peer, and nothing after it has gone', async () => {
  const clock = new TestClock({ runsByItself: true });
  const artifact = new FakeArtifact(Buffer.alloc(10_000_000));
  const download = begin(new Downloads(clock), 'pump');
  const range = { start: 0, end: artifact.length };
  const body = artifactBody({ artifact, range, download, clock, onFault: () => assert.fail() });
  const reader = body.getReader();
  assert.equal(artifact.chunksRead, 0);
  await reader.read();
  assert.equal(artifact.chunksRead, 1);
  await reader.cancel();
  assert.equal(artifact.chunksRead, 1);
  assert.ok(download.isOver);
});

test('an artifact that turns out to be damaged breaks the answer off', async () => {
  const clock = new TestClock({ runsByItself: true });
  const artifact = new FakeArtifact(Buffer.alloc(10_000_000));
  artifact.damagedFrom = 5_000_000;
  const downloads = new Downloads(clock);
  const faults: unknown[] = [];
  const answer = new FakeAnswer();
  const body = artifactBody({
    artifact,
    range: { start: 0, end: artifact.length },
    download: begin(downloads, 'pump', answer),
    clock,
    onFault: (error) => void faults.push(error),
  });
  const read = await readAll(body);
  assert.ok(read.length < artifact.length && answer.isDestroyed);
  assert.equal(faults.length, 1);
  assert.equal(downloads.counts.open, 0);
});

test('a device that may connect no more is broken off, and others are not', () => {
  const downloads = new Downloads(new TestClock());
  const [first, second, other] = [new FakeAnswer(), new FakeAnswer(), new FakeAnswer()];
  for (const answer of [first, second]) begin(downloads, 'pump', answer);
  begin(downloads, 'fan', other);
  downloads.breakOff('pump');
  assert.deepEqual([first.isDestroyed, second.isDestroyed, other.isDestroyed], [true, true, false]);
  downloads.breakOff('pump');
  assert.equal(downloads.counts.open, 1);
});

test('who asks for many small parts gets no more than its rate', () => {
  const clock = new TestClock();
  const rate = 16_384;
  const downloads = new Downloads(clock, { deviceBytesPerSecond: rate });
  let taken = 0;
  for (let at = 0; at < 100; at += 1) {
    const download = begin(downloads, 'pump');
    if (download.take(65_536) === 0) {
      taken += 65_536;
      download.sent();
    }
    download.end();
    clock.advance(100);
  }
  assert.ok(taken <= BURST_BYTES + 10 * rate, `${taken} bytes in ten seconds`);
});

test('who is cut off over and over owes nothing for what was never sent', () => {
  const clock = new TestClock();
  const downloads = new Downloads(clock, { deviceBytesPerSecond: 16_384 });
  for (let at = 0; at < 100; at += 1) {
    const download = begin(downloads, 'pump');
    download.take(65_536);
    download.end();
  }
  assert.equal(begin(downloads, 'pump').take(65_536), 0);
  assert.equal(downloads.counts.bytes, 65_536);
});
