import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../kernel/index.ts';
import { MEMORY_SAMPLE_MS } from './limits.ts';
import { MemoryBudget, type MemoryUse, memoryBudgetBytes } from './memory-budget.ts';

const WITHIN: MemoryUse = {
  usedBytes: 100,
  budgetBytes: 100,
  heapUsedBytes: 50,
  heapBudgetBytes: 50,
};

function openBudget(): { budget: MemoryBudget; time: { ms: number }; lab: { use: MemoryUse } } {
  const time = { ms: 0 };
  const lab = { use: WITHIN };
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => time.ms, after: () => () => {} };
  return { budget: new MemoryBudget(clock, () => lab.use), time, lab };
}

test('at the budget nothing is refused; one byte above, everything is', () => {
  for (const above of [{ usedBytes: 101 }, { heapUsedBytes: 51 }]) {
    const { budget, lab } = openBudget();
    lab.use = { ...WITHIN, ...above };
    assert.equal(budget.check()?.code, 'E_WIRE_MEMORY');
  }
  assert.equal(openBudget().budget.check(), undefined);
});

test('memory is looked at once a second, and what is freed counts', () => {
  const { budget, time, lab } = openBudget();
  assert.equal(budget.check(), undefined);
  lab.use = { ...WITHIN, usedBytes: 101 };
  time.ms = MEMORY_SAMPLE_MS - 1;
  assert.equal(budget.check(), undefined);
  time.ms = MEMORY_SAMPLE_MS;
  assert.equal(budget.check()?.code, 'E_WIRE_MEMORY');
  lab.use = WITHIN;
  time.ms = 2 * MEMORY_SAMPLE_MS;
  assert.equal(budget.check(), undefined);
});

test('a container that has less than its machine decides', () => {
  assert.equal(memoryBudgetBytes(0, 1_000), 750);
  assert.equal(memoryBudgetBytes(2 ** 64, 1_000), 750);
  assert.equal(memoryBudgetBytes(400, 1_000), 300);
});

test('this process is within its budget', () => {
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => {} };
  assert.equal(new MemoryBudget(clock).check(), undefined);
});
