/**
 * Slots that U-Boot starts. Its environment has `slot` (a or b: confirmed), `trial` (a, b or
 * empty) and `tries`; the boot script takes one try away and saves the environment BEFORE it
 * starts `trial`, and starts `slot` when none is left.
 * @module
 */
import { type AgentDisk, agentDisk, hashImage, readIfThere, writeImage } from './agent-disk.ts';
import { runningSlot } from './kernel-command-line.ts';
import { ENVIRONMENT_BYTES } from './limits.ts';
import {
  type BootState,
  type SlotName,
  type Slots,
  inactiveSlot,
  otherSlot,
  slotsError,
} from './slots.ts';
import {
  type EnvironmentCopy,
  formatEnvironment,
  newerOf,
  readEnvironment,
} from './u-boot-environment.ts';

/** Where things are. */
export interface UBootPlaces {
  /** `uboot.env` on the mounted FAT file system. */
  readonly environment: string;
  /** The second copy, where U-Boot was built with one (`uboot-redund.env`). */
  readonly redundant?: string | undefined;
  /** A second copy that the boot script itself writes first, and reads when the first is torn. */
  readonly copy?: string | undefined;
  /** File or block device of each slot. */
  readonly images: Readonly<Record<SlotName, string>>;
  /** Where the kernel says how it was started. Default: `/proc/cmdline`. */
  readonly commandLine?: string | undefined;
}

/** Slots by way of the environment of U-Boot. */
export class UBootSlots implements Slots {
  readonly #places: UBootPlaces;
  readonly #disk: AgentDisk;

  constructor(places: UBootPlaces, disk: AgentDisk = agentDisk) {
    this.#places = places;
    this.#disk = disk;
  }

  running(): SlotName {
    return runningSlot(this.#places.commandLine);
  }

  boot(): BootState {
    const { variables } = this.#newest();
    const [slot, trial] = [variables.get('slot'), variables.get('trial')];
    if (slot !== 'a' && slot !== 'b') {
      throw this.#damaged('The environment of U-Boot does not say which slot is confirmed');
    }
    if (trial !== 'a' && trial !== 'b') return { slot, trial: undefined, tries: 0 };
    // U-Boot counts in hexadecimal; one digit reads alike in both.
    const tries = variables.get('tries') ?? '';
    return { slot, trial, tries: /^[0-9]$/u.test(tries) ? Number(tries) : 0 };
  }

  async write(image: AsyncIterable<Uint8Array>): Promise<void> {
    await writeImage(this.#disk, { path: this.imagePath(inactiveSlot(this)), image });
  }

  digest(slot: SlotName, length: number): Promise<string> {
    return hashImage(this.imagePath(slot), length);
  }

  imagePath(slot: SlotName): string {
    return this.#places.images[slot];
  }

  markForTrial(tries: number): void {
    const { slot } = this.boot();
    this.#set({ slot, trial: otherSlot(slot), tries });
  }

  confirm(): void {
    const { slot, trial } = this.boot();
    this.#set({ slot: trial ?? slot, trial: undefined, tries: 0 });
  }

  revert(): void {
    this.#set({ slot: this.boot().slot, trial: undefined, tries: 0 });
  }

  #set({ slot, trial = '', tries }: Omit<BootState, 'trial'> & { trial?: string | undefined }) {
    const { environment, redundant, copy } = this.#places;
    const { copies, newest } = this.#read();
    const variables = new Map([...newest.variables, ['slot', slot], ['trial', trial]]);
    variables.set('tries', String(tries));
    const isRedundant = redundant !== undefined;
    const next = { variables, serial: (newest.serial + 1) % 256, size: newest.size };
    const bytes = formatEnvironment(next, { isRedundant });
    if (bytes === undefined) throw this.#damaged('The environment of U-Boot is full');
    // One of the two is whole at any time; the first counts as long as it is. Where it is torn, the
    // other one is all that there is, and is written last.
    const isTorn = copies[0] === undefined;
    if (copy !== undefined && !isTorn) this.#disk.write(copy, bytes);
    // The copy that counts stays as it is until the other one is durable.
    const isFirstNewest = copies[0] === newest;
    this.#disk.write(isRedundant && isFirstNewest ? redundant : environment, bytes);
    if (copy !== undefined && isTorn) this.#disk.write(copy, bytes);
  }

  #newest(): EnvironmentCopy {
    return this.#read().newest;
  }

  #read() {
    const { environment, redundant, copy } = this.#places;
    const isRedundant = redundant !== undefined;
    const paths = [environment, redundant ?? copy].filter((path) => path !== undefined);
    const copies = paths.map((path) => {
      const bytes = readIfThere(path, ENVIRONMENT_BYTES.max);
      return bytes === undefined ? undefined : readEnvironment(bytes, { isRedundant });
    });
    const [first, second] = copies;
    const isBoth = isRedundant && first !== undefined && second !== undefined;
    const newest = isBoth ? newerOf(first, second) : (first ?? second);
    if (newest === undefined) throw this.#damaged('The environment of U-Boot cannot be read');
    return { copies, newest };
  }

  #damaged(what: string): Error {
    const { environment } = this.#places;
    const fix = 'Make a new one with mkenvimage, of the size that U-Boot was built with.';
    return slotsError(`${what} (${environment})`, { fix });
  }
}
