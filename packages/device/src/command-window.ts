/** Which commands were accepted: each at most once, across restarts. @module */
import { existsSync, readFileSync } from 'node:fs';
import { DeviceError } from './device-error.ts';
import { COMMAND_WINDOW } from './limits.ts';
import { writePrivateFile } from './private-file.ts';

/**
 * A sliding window over the counters of commands, kept in a file.
 * @see RFC 4303 §3.4.3
 */
export class CommandWindow {
  readonly #path: string;
  #highest = -1;
  /** Bit n stands for the counter `highest - n`. */
  #seen = 0n;

  /** @throws DeviceError `E_DEVICE_COUNTER` when the file is damaged */
  constructor(path: string) {
    this.#path = path;
    if (!existsSync(path)) return;
    const [, highest, seen] = FORM.exec(readFileSync(path, 'utf8')) ?? [];
    if (highest === undefined || !Number.isSafeInteger(Number(highest))) throw damaged(path);
    this.#highest = Number(highest);
    this.#seen = BigInt(`0x${seen}`);
  }

  /**
   * Marks a counter, durably, and tells whether that was its first time. It is marked before the
   * command runs: after a crash in between, a lost command is better than one that runs twice.
   *
   * @param counter - 0 to 2^53 - 1
   * @returns false for a counter that was marked before or is too old
   * @throws DeviceError `E_DEVICE_COUNTER` when the mark cannot be made durable; then nothing is
   *   marked
   */
  accept(counter: number): boolean {
    const highest = Math.max(counter, this.#highest);
    const age = highest - counter;
    if (age >= COMMAND_WINDOW) return false;
    const step = highest - this.#highest;
    // A shift by more than the window would only make a huge number to cut off again.
    const before = step >= COMMAND_WINDOW ? 0n : (this.#seen << BigInt(step)) & MASK;
    const bit = 1n << BigInt(age);
    if ((before & bit) !== 0n) return false;
    this.#save(highest, before | bit);
    return true;
  }

  #save(highest: number, seen: bigint): void {
    try {
      writePrivateFile(this.#path, `${highest} ${seen.toString(16)}\n`);
    } catch (cause) {
      throw new DeviceError('E_DEVICE_COUNTER', {
        message: `${this.#path} cannot be written.`,
        fix: 'Check the disk: until it works, no command is carried out.',
        cause,
      });
    }
    this.#highest = highest;
    this.#seen = seen;
  }
}

function damaged(path: string): DeviceError {
  return new DeviceError('E_DEVICE_COUNTER', {
    message: `${path} is damaged.`,
    fix: 'Check the disk. Removing the file lets commands of the last five minutes run once more.',
  });
}

const MASK = (1n << BigInt(COMMAND_WINDOW)) - 1n;
const FORM = /^(\d{1,16}) ([0-9a-f]{1,16})\n$/u;
