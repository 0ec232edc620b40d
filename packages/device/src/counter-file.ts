/** The counter of sent messages: no number is ever given out twice, not even after SIGKILL. @module */
import { existsSync, readFileSync } from 'node:fs';
import { DeviceError } from './device-error.ts';
import { COUNTER_BLOCK } from './limits.ts';
import { writePrivateFile } from './private-file.ts';

/**
 * Gives out counters from blocks that are reserved in a file before the first of them is used.
 * The file holds the first number that is not reserved.
 */
export class CounterFile {
  readonly #path: string;
  #next: number;
  /** First number beyond the block in use. */
  #end: number;

  /**
   * @param nowMs - the time, in milliseconds since 1970. Counting never begins below it: it is
   *   above the counters of a lost file, and of programs that take theirs from the clock.
   * @throws DeviceError `E_DEVICE_COUNTER` when the file is damaged
   */
  constructor(path: string, nowMs: number) {
    this.#path = path;
    this.#next = Math.max(this.#read() ?? 0, nowMs);
    this.#end = this.#next;
  }

  /**
   * The counter that {@link take} will give.
   * @throws DeviceError `E_DEVICE_COUNTER` when a block cannot be made durable
   */
  peek(): number {
    if (this.#next === this.#end) this.#reserve();
    return this.#next;
  }

  /** A counter that was never given out before, higher than all before. Throws as {@link peek}. */
  take(): number {
    const counter = this.peek();
    this.#next += 1;
    return counter;
  }

  #reserve(): void {
    // Read again: should a second process use the bundle by mistake, it has its own blocks.
    const first = Math.max(this.#next, this.#read() ?? 0);
    const end = first + COUNTER_BLOCK;
    try {
      writePrivateFile(this.#path, `${end}\n`);
    } catch (cause) {
      throw counterError(`${this.#path} cannot be written`, cause);
    }
    this.#next = first;
    this.#end = end;
  }

  #read(): number | undefined {
    if (!existsSync(this.#path)) return undefined;
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (cause) {
      throw counterError(`${this.#path} cannot be read`, cause);
    }
    const value = FORM.test(text) ? Number(text) : Number.NaN;
    if (value <= Number.MAX_SAFE_INTEGER - COUNTER_BLOCK) return value;
    throw counterError(`${this.#path} is damaged`);
  }
}

function counterError(what: string, cause?: unknown): DeviceError {
  return new DeviceError('E_DEVICE_COUNTER', {
    message: `${what}.`,
    fix: 'Check the disk. If only the file is damaged, remove it: counting goes on from the clock.',
    cause,
  });
}

const FORM = /^\d{1,16}\n$/u;
