import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Directory } from './directory.ts';
import { parseDirectory } from './stored-directory.ts';

function stored(): string {
  const directory = new Directory(1);
  const values = [{ path: 'celsius', value: 21.5, kind: 'number' as const }];
  directory.usage.add(7, 1_000, 100);
  directory.add({ topic: '', timeMs: 1_000, values }, 7);
  return directory.toText();
}

test('a stored directory is read as it was written', () => {
  assert.equal(new Directory(1, stored()).toText(), stored());
  assert.deepEqual(parseDirectory(stored()), JSON.parse(stored()));
});

test('a stored directory with anything of another form is not taken', () => {
  const wrongs: [string, string][] = [
    ['"streams":[', '"streams":[7,'],
    ['"topic":""', '"topic":7'],
    ['"path":"celsius"', '"path":null'],
    ['"kind":"number"', '"kind":"text"'],
    ['"count":1', '"count":1.5'],
    ['"firstMs":1000', '"firstMs":9007199254740992'],
    ['"lastIndex":7', '"lastIndex":"7"'],
    ['"lastValue":21.5', '"lastValue":1e400'],
    ['"chunks":[[', '"chunks":[["0",'],
    ['"usage":{', '"usage":[],"other":{'],
    ['"indexes":[7]', '"indexes":{"0":7}'],
    ['"passedOver":0', '"passedOver":true'],
  ];
  for (const [right, wrong] of wrongs) {
    const text = stored().replace(right, wrong);
    assert.notEqual(text, stored(), right);
    assert.throws(() => parseDirectory(text), /has another form/, wrong);
  }
  assert.throws(() => parseDirectory('null'), /has another form/);
  assert.throws(() => parseDirectory('{'));
});
