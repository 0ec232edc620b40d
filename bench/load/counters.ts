/** The counts that the threads of the load share, each written by one thread. @module */

/** Longs of one thread, a cache line apart. */
const STRIDE = 16;
const FIELD = { sent: 0, acknowledged: 1, distinct: 2, duplicate: 3, foreign: 4 } as const;

/** Name of a count. */
export type CountName = keyof typeof FIELD;

/** What the load does now. */
export const PHASE = { preparing: 0, running: 1, stopped: 2 } as const;

/** Counts in shared memory. */
export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #threads: number;

  constructor({ threads, memory }: { threads: number; memory?: SharedArrayBuffer }) {
    this.memory = memory ?? new SharedArrayBuffer((threads + 1) * STRIDE * 4);
    this.#cells = new Int32Array(this.memory);
    this.#threads = threads;
  }

  get phase(): number {
    return Atomics.load(this.#cells, 0);
  }

  set phase(phase: number) {
    Atomics.store(this.#cells, 0, phase);
  }

  /** Adds to a count of one thread. */
  add(thread: number, name: CountName, count = 1): void {
    const at = (thread + 1) * STRIDE + FIELD[name];
    Atomics.store(this.#cells, at, (this.#cells[at] ?? 0) + count);
  }

  /** The sum of a count over all threads. */
  sum(name: CountName): number {
    let sum = 0;
    for (let thread = 1; thread <= this.#threads; thread += 1) {
      sum += Atomics.load(this.#cells, thread * STRIDE + FIELD[name]);
    }
    return sum;
  }
}

/** Milliseconds on the one monotonic clock of the machine, the same in all threads. */
export function monotonicMs(): number {
  return performance.now() + OFFSET_MS;
}

/** The reading with the least time between its two looks at the clock: the first ones are slow. */
function offsetMs(): number {
  let least = Infinity;
  let offset = 0;
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const before = performance.now();
    const now = process.hrtime.bigint();
    const after = performance.now();
    if (after - before >= least) continue;
    least = after - before;
    offset = Number(now) / 1e6 - (before + after) / 2;
  }
  return offset;
}

const OFFSET_MS = offsetMs();
