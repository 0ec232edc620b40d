import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Directory } from './directory.ts';
import { SERIES_PER_DEVICE_MAX, SERIES_PER_TOPIC_MAX, TOPICS_PER_DEVICE_MAX } from './limits.ts';

test('a row counts with the places that it takes, not with its values', () => {
  const directory = new Directory(1);
  let [index, counted] = [0, 0];
  const send = (path: string): void => {
    const values = [{ path, value: 1, kind: 'number' as const }];
    counted += directory.add({ topic: '', timeMs: 1, values }, index++);
  };
  for (let at = 0; at < 40; at += 1) send(`s${at % 20}`);
  const { columns } = directory.streams[0]?.pending ?? {};
  const places = [...(columns?.values() ?? [])].reduce((sum, { length }) => sum + length, 0);
  assert.equal(counted, 40 * 20);
  assert.equal(places, counted);
});

test('a device has so many series at most, whatever its topics', () => {
  const directory = new Directory(1);
  for (let topic = 0; topic < TOPICS_PER_DEVICE_MAX; topic += 1) {
    const values = Array.from({ length: SERIES_PER_TOPIC_MAX }, (_, at) => ({
      path: `s${at}`,
      value: 1,
      kind: 'number' as const,
    }));
    directory.add({ topic: `t${topic}`, timeMs: 1, values }, topic);
  }
  const all = TOPICS_PER_DEVICE_MAX * SERIES_PER_TOPIC_MAX;
  assert.equal(directory.seriesCount, SERIES_PER_DEVICE_MAX);
  assert.equal(directory.passedOver, all - SERIES_PER_DEVICE_MAX);
  assert.equal(new Directory(1, directory.toText()).seriesCount, SERIES_PER_DEVICE_MAX);
});
