/**
 * Slots that systemd-boot starts: an entry each in `loader/entries`, the newest version first. An
 * entry on trial counts its starts in its file name, and is "bad", so the last choice, when none
 * is left. Confirming takes the counter off, as systemd-bless-boot does.
 * @see https://systemd.io/AUTOMATIC_BOOT_ASSESSMENT/
 * @module
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentDisk, agentDisk, hashImage, writeImage } from './agent-disk.ts';
import { type EntryName, formatEntryName, readEntryName } from './boot-entry.ts';
import { runningSlot } from './kernel-command-line.ts';
import {
  type BootState,
  SLOT_NAMES,
  type SlotName,
  type Slots,
  inactiveSlot,
  otherSlot,
  slotsError,
} from './slots.ts';

/** Where things are. */
export interface SystemdBootPlaces {
  /** `loader/entries` on the mounted boot partition. */
  readonly entries: string;
  /** File or block device of each slot. */
  readonly images: Readonly<Record<SlotName, string>>;
  /**
   * Lines of the entry of each slot, without `version` and `sort-key`: `efi /EFI/…/b.efi`, or
   * `linux …` and `options … holdfast.slot=b`.
   */
  readonly lines: Readonly<Record<SlotName, readonly string[]>>;
  /** Where the kernel says how it was started. Default: `/proc/cmdline`. */
  readonly commandLine?: string | undefined;
}

/** Slots by way of boot loader entries. */
export class SystemdBootSlots implements Slots {
  readonly #places: SystemdBootPlaces;
  readonly #disk: AgentDisk;

  constructor(places: SystemdBootPlaces, disk: AgentDisk = agentDisk) {
    this.#places = places;
    this.#disk = disk;
  }

  running(): SlotName {
    return runningSlot(this.#places.commandLine);
  }

  boot(): BootState {
    const entries = this.#entries();
    const trial = entries.find(({ left }) => left !== undefined);
    const [confirmed] = entries
      .filter(({ left }) => left === undefined)
      .toSorted((one, other) => other.version - one.version);
    if (confirmed === undefined) {
      throw slotsError(`${this.#places.entries} has no entry of a confirmed slot`, {
        fix: 'Make holdfast-a.conf or holdfast-b.conf there, for the slot that runs.',
      });
    }
    const { slot } = confirmed;
    if (trial === undefined || trial.slot === slot) return { slot, trial: undefined, tries: 0 };
    return { slot, trial: trial.slot, tries: trial.left ?? 0 };
  }

  async write(image: AsyncIterable<Uint8Array>): Promise<void> {
    const slot = inactiveSlot(this);
    // Its entry, of an older release, would start what is half written.
    this.#remove(slot);
    await writeImage(this.#disk, { path: this.imagePath(slot), image });
  }

  digest(slot: SlotName, length: number): Promise<string> {
    return hashImage(this.imagePath(slot), length);
  }

  imagePath(slot: SlotName): string {
    return this.#places.images[slot];
  }

  markForTrial(tries: number): void {
    const slot = otherSlot(this.boot().slot);
    const version = 1 + Math.max(0, ...this.#entries().map((entry) => entry.version));
    this.#remove(slot);
    const lines = [...this.#places.lines[slot], 'sort-key holdfast', `version ${version}`];
    const name = { name: NAMES[slot], left: tries, done: 0 };
    this.#disk.write(this.#pathOf(name), `${lines.join('\n')}\n`);
  }

  confirm(): void {
    const { trial } = this.boot();
    const entry = this.#entries().find(({ slot }) => slot === trial);
    if (entry === undefined) return;
    this.#disk.rename(this.#pathOf(entry), this.#pathOf({ ...entry, left: undefined }));
  }

  revert(): void {
    const { trial } = this.boot();
    if (trial !== undefined) this.#remove(trial);
  }

  #remove(slot: SlotName): void {
    for (const entry of this.#entries()) {
      if (entry.slot === slot) this.#disk.remove(this.#pathOf(entry));
    }
  }

  #entries() {
    const { entries } = this.#places;
    return readdirSync(entries).flatMap((file) => {
      const name = readEntryName(file);
      const slot = SLOT_NAMES.find((one) => NAMES[one] === name?.name);
      if (name === undefined || slot === undefined) return [];
      const text = readFileSync(join(entries, file), 'utf8');
      return [{ ...name, slot, version: Number(/^version\s+(\d{1,9})$/mu.exec(text)?.[1] ?? 0) }];
    });
  }

  #pathOf(entry: EntryName): string {
    return join(this.#places.entries, formatEntryName(entry));
  }
}

const NAMES: Readonly<Record<SlotName, string>> = { a: 'holdfast-a', b: 'holdfast-b' };
