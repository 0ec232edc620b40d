import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionTable, connectionLimits } from './connection-table.ts';
import { CONNECTIONS_MAX, CONNECTIONS_PER_NETWORK_MAX, DESCRIPTORS_RESERVED } from './limits.ts';

const wasAdmitted = false;

test('one below, at, and one above the limit of a network; others go on', () => {
  const table = new ConnectionTable({ total: 10, perNetwork: 2 });
  assert.equal(table.enter('a'), undefined);
  assert.equal(table.enter('a'), undefined);
  assert.equal(table.enter('a')?.code, 'E_WIRE_CONNECTIONS');
  assert.equal(table.enter('b'), undefined);
  table.leave('a', { wasAdmitted });
  assert.equal(table.enter('a'), undefined);
  assert.equal(table.count, 3);
});

test('one below, at, and one above the total', () => {
  const table = new ConnectionTable({ total: 2, perNetwork: 10 });
  assert.equal(table.enter('a'), undefined);
  assert.equal(table.isFull, false);
  assert.equal(table.enter('b'), undefined);
  assert.equal(table.isFull, true);
  assert.equal(table.enter('c')?.code, 'E_WIRE_CONNECTIONS');
  table.leave('b', { wasAdmitted });
  assert.equal(table.enter('c'), undefined);
});

test('those who were let in are counted until they leave', () => {
  const table = new ConnectionTable({ total: 10, perNetwork: 10 });
  table.enter('a');
  table.enter('a');
  assert.equal(table.admittedCount('a'), 0);
  table.admit('a');
  assert.equal(table.admittedCount('a'), 1);
  table.leave('a', { wasAdmitted: false });
  assert.equal(table.admittedCount('a'), 1);
  table.leave('a', { wasAdmitted: true });
  assert.equal(table.admittedCount('a'), 0);
  table.leave('a', { wasAdmitted });
  assert.equal(table.count, 0, 'a network that is not there changes nothing');
});

test('the total follows the descriptors that the process may open', () => {
  const total = (openFiles: string): number =>
    connectionLimits(`Limit  Soft Limit  Hard Limit\nMax open files   ${openFiles}  files\n`).total;
  assert.equal(total(`${CONNECTIONS_MAX + DESCRIPTORS_RESERVED} 1048576`), CONNECTIONS_MAX);
  assert.equal(total(`${CONNECTIONS_MAX + DESCRIPTORS_RESERVED - 1} x`), CONNECTIONS_MAX - 1);
  assert.equal(total('1024 4096'), 1_024 - DESCRIPTORS_RESERVED);
  assert.equal(total('100 100'), 50, 'half of very little');
  assert.equal(total('unlimited unlimited'), CONNECTIONS_MAX);
  assert.equal(connectionLimits(undefined).perNetwork, CONNECTIONS_PER_NETWORK_MAX);
  assert.ok(connectionLimits().total > 0);
});

test('a connection moves to another network where that has room, and else stays', () => {
  const table = new ConnectionTable({ total: 3, perNetwork: 2 });
  for (const network of ['proxy', 'proxy', 'a']) table.enter(network);
  assert.equal(table.isFull, true);
  assert.equal(table.move('proxy', 'a'), undefined);
  assert.equal(table.move('proxy', 'a')?.code, 'E_WIRE_CONNECTIONS');
  assert.equal(table.count, 3);
  assert.equal(table.move('proxy', 'proxy'), undefined);
  table.leave('proxy', { wasAdmitted });
  table.leave('proxy', { wasAdmitted });
  assert.equal(table.count, 2, 'there was one left to leave');
});
