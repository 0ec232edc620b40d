import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEVICE_CLASS_LIST,
  DEVICE_TAGS_MAX,
  ImportDevicesRequestSchema,
} from '@holdfast/protocol/api';
import { csvLine, readDeviceCsv } from './device-csv.ts';

test('reads what spreadsheets write', () => {
  const pump = { id: 'pump-1', class: 'actuator', group: 'north', tags: ['cold', 'roof'] };
  for (const text of [
    'id,class,group,tags\npump-1,actuator,north,cold roof\n',
    '\uFEFFID,Class,Group,Tags\r\n"pump-1","actuator","north","cold  roof"\r\n',
    'tags,group,class,id\rcold roof,north,actuator,pump-1',
    'id,class,group,tags\n\n\npump-1,actuator,north,cold roof\n\n',
  ]) {
    const { devices, problems } = readDeviceCsv(text);
    assert.deepEqual(problems, [], text);
    assert.deepEqual(
      devices.map(({ device }) => device),
      [pump],
    );
    const request = { devices: devices.map(({ device }) => device) };
    assert.equal(ImportDevicesRequestSchema.safeParse(request).success, true);
  }
  const { devices } = readDeviceCsv('id,class\na,sensor\nb,sensor\n');
  assert.deepEqual(
    devices.map(({ line, device }) => [line, device.id, device.group, device.tags]),
    [
      [2, 'a', '', []],
      [3, 'b', '', []],
    ],
  );
});

test('every class of the API can be imported', () => {
  for (const name of DEVICE_CLASS_LIST) {
    assert.deepEqual(readDeviceCsv(`id,class\na,${name}\n`).problems, []);
  }
  const tags = (count: number): string =>
    Array.from({ length: count }, (_, at) => `t${at}`).join(' ');
  assert.equal(
    readDeviceCsv(`id,class,tags\na,sensor,${tags(DEVICE_TAGS_MAX)}`).problems.length,
    0,
  );
  assert.equal(
    readDeviceCsv(`id,class,tags\na,sensor,${tags(DEVICE_TAGS_MAX + 1)}`).problems.length,
    1,
  );
});

test('shows all that is wrong, each with its line', () => {
  const text =
    'id,class,group,tags\n-x,senser,x y,Roof\na,sensor,,\na,sensor,,\nb,sensor\n"c,sensor,,';
  const { problems } = readDeviceCsv(text);
  assert.deepEqual(
    problems.map(({ line, what }) => `${line} ${what.slice(0, 24)}`),
    [
      '2 "-x" is no id: it takes ',
      '2 "senser" is no class: se',
      '2 "x y" is no group: it ta',
      '2 "Roof" is no tag: it tak',
      '4 It names a, as line 3 do',
      '5 It has 2 columns, and th',
      '6 A quoted field does not ',
    ],
  );
  for (const [bad, told] of [
    ['', /empty/u],
    ['id;class\na;sensor', /commas/u],
    ['a,sensor\n', /no column "a"/u],
    ['id,group\na,x\n', /first line has to be/u],
    ['id,class\n', /no device below/u],
    [`id,class\n${'a,sensor\n'.repeat(10_001)}`, /more than 10000/u],
  ] as const) {
    assert.match(readDeviceCsv(bad).problems[0]?.what ?? '', told);
  }
});

test('writes fields that hold commas and quotation marks', () => {
  assert.equal(csvLine(['a', 'b,c', 'd"e']), 'a,"b,c","d""e"\r\n');
});
