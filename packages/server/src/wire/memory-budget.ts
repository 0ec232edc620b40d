/** Sheds new connections before the process runs out of memory. @module */
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Clock } from '../kernel/index.ts';
import { HEAP_BUDGET_SHARE, MEMORY_BUDGET_SHARE, MEMORY_SAMPLE_MS } from './limits.ts';

/** Memory in bytes: what the process uses and may use, in all and on the heap of V8. */
export interface MemoryUse {
  readonly usedBytes: number;
  readonly budgetBytes: number;
  readonly heapUsedBytes: number;
  readonly heapBudgetBytes: number;
}

/** Refuses new connections while memory is short; who is connected stays so. */
export class MemoryBudget {
  readonly #clock: Clock;
  readonly #read: () => MemoryUse;
  #sampledAtMs = Number.NEGATIVE_INFINITY;
  #refusal: Refusal | undefined;

  constructor(clock: Clock, read: () => MemoryUse = memoryUse) {
    this.#clock = clock;
    this.#read = read;
  }

  /** Refuses with `E_WIRE_MEMORY`, by a look at the memory that is at most a second old. */
  check(): Refusal | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#sampledAtMs >= MEMORY_SAMPLE_MS) {
      this.#sampledAtMs = nowMs;
      this.#refusal = judge(this.#read());
    }
    return this.#refusal;
  }
}

function judge(use: MemoryUse): Refusal | undefined {
  const { usedBytes, budgetBytes, heapUsedBytes, heapBudgetBytes } = use;
  if (usedBytes > budgetBytes) {
    return refuse('E_WIRE_MEMORY', `${inMb(usedBytes)} of ${inMb(budgetBytes)} are used`);
  }
  if (heapUsedBytes > heapBudgetBytes) {
    const detail = `${inMb(heapUsedBytes)} of ${inMb(heapBudgetBytes)} of the heap are used`;
    return refuse('E_WIRE_MEMORY', detail);
  }
  return undefined;
}

function memoryUse(): MemoryUse {
  const { used_heap_size: heapUsedBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
  return {
    usedBytes: process.memoryUsage.rss(),
    budgetBytes: memoryBudgetBytes(process.constrainedMemory(), totalmem()),
    heapUsedBytes,
    heapBudgetBytes: heapLimitBytes * HEAP_BUDGET_SHARE,
  };
}

/**
 * What the process may use of the memory of its machine, or of its container where that is less.
 * @param constrainedBytes - The limit of the container; 0 or a huge number where there is none.
 */
export function memoryBudgetBytes(constrainedBytes: number, machineBytes: number): number {
  const isConstrained = constrainedBytes > 0 && constrainedBytes < machineBytes;
  return Math.floor((isConstrained ? constrainedBytes : machineBytes) * MEMORY_BUDGET_SHARE);
}

function inMb(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`;
}
