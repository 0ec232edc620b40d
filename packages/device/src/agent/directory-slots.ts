/**
 * Slots in a folder, for programs under a supervisor: `a/image`, `b/image`, and `current`, a
 * symbolic link to the slot that was started last. The supervisor is the boot loader.
 * @module
 */
import { mkdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../device-error.ts';
import { type AgentDisk, agentDisk, hashImage, writeImage } from './agent-disk.ts';
import { withFolder } from './folder-mutex.ts';
import { RedundantFile } from './redundant-file.ts';
import {
  type BootState,
  SLOT_NAMES,
  type SlotName,
  type Slots,
  inactiveSlot,
  nextStart,
  otherSlot,
  slotsError,
} from './slots.ts';

/** Slots and boot state in one folder. */
export class DirectorySlots implements Slots {
  readonly root: string;
  readonly #disk: AgentDisk;
  readonly #state: RedundantFile;

  /** Makes the folders that are missing. The image of the factory belongs into `a/image`. */
  constructor(root: string, disk: AgentDisk = agentDisk) {
    this.root = root;
    this.#disk = disk;
    this.#state = new RedundantFile(disk, { path: join(root, 'boot'), kind: 'holdfast-boot/1' });
    for (const slot of SLOT_NAMES) mkdirSync(join(root, slot), { recursive: true, mode: 0o755 });
  }

  running(): SlotName {
    const target = this.#current();
    return target === 'a' || target === 'b' ? target : this.boot().slot;
  }

  boot(): BootState {
    const { body, isDamaged } = this.#state.read();
    if (body === undefined && !isDamaged) return FACTORY;
    const state = readState(body ?? '');
    if (state !== undefined) return state;
    const fix = 'Find out which image is good, and remove both files; slot a is started then.';
    throw slotsError(`boot.0 and boot.1 in ${this.root} are damaged`, { fix });
  }

  async write(image: AsyncIterable<Uint8Array>): Promise<void> {
    await writeImage(this.#disk, { path: this.imagePath(inactiveSlot(this)), image });
  }

  digest(slot: SlotName, length: number): Promise<string> {
    return hashImage(this.imagePath(slot), length);
  }

  imagePath(slot: SlotName): string {
    return join(this.root, slot, 'image');
  }

  markForTrial(tries: number): void {
    this.#change(({ slot }) => ({ slot, trial: otherSlot(slot), tries }));
  }

  confirm(): void {
    this.#change(({ slot, trial }) => {
      if (trial !== undefined && this.#current() !== trial) {
        const fix = 'Nothing: the update counts as reverted.';
        throw slotsError(`The trial of slot ${trial} was over before it was confirmed`, { fix });
      }
      return { slot: trial ?? slot, trial: undefined, tries: 0 };
    });
  }

  revert(): void {
    this.#change(({ slot }) => ({ slot, trial: undefined, tries: 0 }));
  }

  /**
   * What a boot loader does before each start: takes a try away from the trial, durably, and
   * points `current` to what is started. Only for the supervisor. Where the disk is full, a try
   * cannot be counted, so it is not made: the confirmed slot is started.
   */
  start(): SlotName {
    return withFolder(this.root, () => {
      const start = this.#countStart();
      if (this.#current() !== start) this.#disk.link(start, join(this.root, 'current'));
      return start;
    });
  }

  #countStart(): SlotName {
    const state = this.boot();
    const { start, after } = nextStart(state);
    try {
      if (after !== state) this.#writeState(after);
      return start;
    } catch (cause) {
      if (systemCode(cause) === undefined) throw cause;
      return state.slot;
    }
  }

  /** The supervisor may count a start while the agent confirms. */
  #change(change: (state: BootState) => BootState): void {
    withFolder(this.root, () => this.#writeState(change(this.boot())));
  }

  #writeState({ slot, trial, tries }: BootState): void {
    this.#state.write(`slot=${slot} trial=${trial ?? ''} tries=${tries}\n`);
  }

  #current(): string | undefined {
    try {
      return readlinkSync(join(this.root, 'current'));
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return undefined;
      const fix = 'Remove it: the supervisor makes it a link to the slot that it starts.';
      throw slotsError(`${join(this.root, 'current')} is no link`, { fix, cause });
    }
  }
}

function readState(text: string): BootState | undefined {
  const [, slot, trial, tries] = /^slot=(a|b) trial=(a|b|) tries=(\d{1,9})\n$/u.exec(text) ?? [];
  if (slot !== 'a' && slot !== 'b') return undefined;
  if (trial !== 'a' && trial !== 'b') return { slot, trial: undefined, tries: 0 };
  return { slot, trial, tries: Number(tries) };
}

const FACTORY: BootState = { slot: 'a', trial: undefined, tries: 0 };
