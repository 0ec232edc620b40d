import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lackingFor } from './page-needs.ts';

test('a page is of use to whoever may do one of the things on it', () => {
  assert.equal(lackingFor('/people', ['person:read']), undefined);
  assert.deepEqual(lackingFor('/people', ['device:read']), ['person:read']);
  assert.deepEqual(lackingFor('/devices/pump-1/commands', []), ['device:read']);
  assert.deepEqual(lackingFor('/', []), ['server:read']);
});

test('a page with something of everybody’s own is for everybody', () => {
  for (const path of ['/account', '/access', '/nowhere'])
    assert.equal(lackingFor(path, []), undefined);
});

test('where nobody told what is permitted, the server refuses, not the page', () => {
  assert.equal(lackingFor('/people', undefined), undefined);
});
