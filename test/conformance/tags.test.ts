/** How the tags of statements are found, for the page that lists them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tagsOf } from '../../tools/conformance-tags.ts';
import { mqttConformance } from '../../tools/conformance.ts';

// Put together here, or the page would list what this file is about.
const tag = (id: string): string => `[${['MQTT', id].join('-')}]`;
const found = (file: string, text: string): unknown[] =>
  tagsOf(file, text).map(({ id, version, testName }) => [id, version, testName]);

test('a tag in code means the version that is named last before it, on its line', () => {
  const text = `// ${tag('1.1.1-1')}, MQTT 3.1.1 ${tag('1.1.1-2')} and MQTT 5 ${tag('1.1.1-3')}\n// ${tag('1.1.1-4')}`;
  assert.deepEqual(found('packages/a/src/a.ts', text), [
    ['1.1.1-1', undefined, undefined],
    ['1.1.1-2', '3.1.1', undefined],
    ['1.1.1-3', '5', undefined],
    ['1.1.1-4', undefined, undefined],
  ]);
});

test('a tag in a test stands in a name', () => {
  const text = `// ${tag('1.1.1-1')}\ntest('does it ${tag('1.1.1-2')}', () => {});`;
  assert.deepEqual(found('test/a.test.ts', text), [['1.1.1-2', undefined, 'does it']]);
});

test('a tag in a sequence has the version of its group', () => {
  const groups = [
    { group: 'old', ver: 4, tests: [{ name: `${tag('3-8.3-4')} a` }] },
    { group: 'new', ver: 5, tests: [{ name: `${tag('3.8.3-5')} b` }] },
  ];
  assert.deepEqual(found('test/conformance/sequences/a.json', JSON.stringify(groups)), [
    ['3.8.3-4', '3.1.1', 'old: a'],
    ['3.8.3-5', '5', 'new: b'],
  ]);
});

test('what helps tests neither implements nor tests', () => {
  assert.deepEqual(found('packages/a/src/lab.testing.ts', tag('1.1.1-1')), []);
});

test('every tag names a statement', () => {
  assert.deepEqual(mqttConformance().problems, []);
});
