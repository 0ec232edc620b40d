/** A device in one folder: slots, a boot loader as each kind has it, and an agent. @module */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Release } from '@holdfast/firmware';
import { type AgentDisk, writeImage } from '../src/agent/agent-disk.ts';
import { countStart, formatEntryName, readEntryName } from '../src/agent/boot-entry.ts';
import { DirectorySlots } from '../src/agent/directory-slots.ts';
import { Installer, type InstallerDeps } from '../src/agent/installer.ts';
import { type SlotName, type Slots, nextStart } from '../src/agent/slots.ts';
import { SystemdBootSlots } from '../src/agent/systemd-boot-slots.ts';
import { runTrial } from '../src/agent/trial.ts';
import { formatEnvironment, newerOf, readEnvironment } from '../src/agent/u-boot-environment.ts';
import { UBootSlots } from '../src/agent/u-boot-slots.ts';
import { UpdateJournal } from '../src/agent/update-journal.ts';
import { systemClock } from '../src/clock.ts';
import { CuttableDisk } from './cuttable-disk.ts';

export const SLOT_KINDS = [
  'directory',
  'u-boot',
  'u-boot-redundant',
  'u-boot-copy',
  'systemd-boot',
] as const;
export type SlotKind = (typeof SLOT_KINDS)[number];

export const V1 = Buffer.alloc(300, 'version 1 ');
export const V2 = Buffer.alloc(400, 'version 2 ');

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A release of an image. */
export function releaseOf(image: Uint8Array, version: string, counter: number): Release {
  return {
    id: `thermo@${version}`,
    path: `thermo/${version}/image.bin`,
    length: image.length,
    sha256: sha256(image),
    custom: { line: 'thermo', version, hardware: ['thermo-a'], counter },
  };
}

/** One device. Its folder outlives its boots. */
export class AgentMachine {
  readonly root: string;
  readonly kind: SlotKind;
  #size = 1_024;

  /** Version 1 is in slot a, and confirmed. */
  constructor(root: string, kind: SlotKind) {
    this.root = root;
    this.kind = kind;
    for (const name of ['a', 'b', 'entries']) mkdirSync(join(root, name), { recursive: true });
    writeFileSync(this.imagePath('a'), V1);
    writeFileSync(this.#path('cmdline'), 'quiet holdfast.slot=a\n');
    if (kind.startsWith('u-boot')) this.#makeEnvironment();
    if (kind === 'systemd-boot') {
      writeFileSync(join(root, 'entries', 'holdfast-a.conf'), 'efi /a.efi\nversion 1\n');
    }
  }

  imagePath(slot: SlotName): string {
    return join(this.root, slot, 'image');
  }

  slots(disk: AgentDisk): Slots {
    const images = { a: this.imagePath('a'), b: this.imagePath('b') };
    const commandLine = this.#path('cmdline');
    switch (this.kind) {
      case 'directory':
        return new DirectorySlots(this.root, disk);
      case 'u-boot':
      case 'u-boot-redundant':
      case 'u-boot-copy':
        return new UBootSlots({ ...this.environment, images, commandLine }, disk);
      case 'systemd-boot': {
        const lines = { a: ['efi /a.efi'], b: ['efi /b.efi'] };
        return new SystemdBootSlots(
          { entries: this.#path('entries'), images, lines, commandLine },
          disk,
        );
      }
    }
  }

  get environment() {
    const redundant = this.kind === 'u-boot-redundant' ? this.#path('uboot-redund.env') : undefined;
    const copy = this.kind === 'u-boot-copy' ? this.#path('uboot.bak') : undefined;
    return { environment: this.#path('uboot.env'), redundant, copy };
  }

  /** What the boot loader does; returns what it starts. */
  boot(disk: AgentDisk): SlotName {
    if (this.kind === 'directory') return new DirectorySlots(this.root, disk).start();
    const slot = this.kind === 'systemd-boot' ? this.#startEntry(disk) : this.#startUBoot(disk);
    writeFileSync(this.#path('cmdline'), `quiet holdfast.slot=${slot}\n`);
    return slot;
  }

  imageIn(slot: SlotName) {
    const path = this.imagePath(slot);
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  journal(disk: AgentDisk): UpdateJournal {
    return new UpdateJournal(disk, {
      path: this.#path('journal'),
      factory: { release: 'thermo@1.0.0', sha256: sha256(V1), counter: 1 },
      hardware: 'thermo-a',
    });
  }

  get staging(): string {
    return this.#path('staging');
  }

  /** An installer as after a boot; what a test gives replaces the good case. */
  installer(disk: AgentDisk, change: Partial<InstallerDeps> & { isOnline?: boolean } = {}) {
    const { isOnline = true, ...others } = change;
    const staging = this.staging;
    const bounds = { withinMs: 3, steadyMs: 0, offline: 'wait', offlineMs: 6 } as const;
    return new Installer({
      journal: this.journal(disk),
      slots: this.slots(disk),
      disk,
      staging,
      tries: 3,
      sameCounter: 'refuse',
      source: { download: () => writeImage(disk, { path: staging, image: chunksOf(V2) }) },
      canConnect: () => Promise.resolve(true),
      trial: (couldConnect) =>
        runTrial({
          clock: systemClock,
          bounds,
          checks: [],
          couldConnect,
          connect: () => (isOnline ? Promise.resolve() : Promise.reject(new Error('no route'))),
          isApproved: () => false,
          onWaiting: () => {},
        }),
      restart: () => Promise.resolve(),
      ...others,
    });
  }

  #makeEnvironment(): void {
    const { environment, redundant, copy } = this.environment;
    const variables = new Map([
      ['slot', 'a'],
      ['trial', ''],
      ['tries', '0'],
      ['bootdelay', '2'],
    ]);
    const isRedundant = redundant !== undefined;
    const bytes = formatEnvironment({ variables, serial: 1, size: this.#size }, { isRedundant });
    for (const path of [environment, redundant, copy]) {
      if (path !== undefined) writeFileSync(path, bytes ?? '');
    }
  }

  /** As the boot script: the environment is saved before the trial is started. */
  #startUBoot(disk: AgentDisk): SlotName {
    const { environment, redundant, copy: second } = this.environment;
    const isRedundant = redundant !== undefined;
    const paths = [environment, redundant ?? second].filter((path) => path !== undefined);
    const copies = paths.flatMap((path) => {
      const copy = readEnvironment(readFileSync(path), { isRedundant });
      return copy === undefined ? [] : [{ path, ...copy }];
    });
    const [first, other] = copies;
    if (first === undefined) throw new Error('U-Boot has no environment');
    const isOther = isRedundant && other !== undefined && newerOf(first, other) === other;
    const newest = isOther ? other : first;
    const trial = newest.variables.get('trial');
    const state = {
      slot: newest.variables.get('slot') === 'b' ? 'b' : 'a',
      trial: trial === 'a' || trial === 'b' ? trial : undefined,
      tries: Number(newest.variables.get('tries')),
    } as const;
    const { start, after } = nextStart(state);
    if (after === state) return start;
    const variables = new Map([...newest.variables, ['tries', String(after.tries)]]);
    const serial = (newest.serial + 1) % 256;
    const bytes = formatEnvironment({ variables, serial, size: this.#size }, { isRedundant });
    if (isRedundant) {
      disk.write(paths.find((path) => path !== newest.path) ?? environment, bytes ?? '');
    } else {
      const others = paths.filter((path) => path !== first.path);
      for (const path of [...others, first.path]) disk.write(path, bytes ?? '');
    }
    return start;
  }

  /** As systemd-boot: bad entries last, then the newest version. */
  #startEntry(disk: AgentDisk): SlotName {
    const folder = this.#path('entries');
    const entries = readdirSync(folder).flatMap((file) => {
      const name = readEntryName(file);
      if (name === undefined) return [];
      const text = readFileSync(join(folder, file), 'utf8');
      return [{ file, ...name, version: Number(/^version (\d+)$/mu.exec(text)?.[1] ?? 0) }];
    });
    const [best] = entries.toSorted(
      (one, other) =>
        Number(one.left === 0) - Number(other.left === 0) || other.version - one.version,
    );
    if (best === undefined) throw new Error('systemd-boot has no entry');
    const counted = formatEntryName(countStart(best));
    if (counted !== best.file) disk.rename(join(folder, best.file), join(folder, counted));
    return best.name.endsWith('b') ? 'b' : 'a';
  }

  #path(name: string): string {
    return join(this.root, name);
  }
}

/** An image in chunks, each of which is a step of the disk. */
export async function* chunksOf(image: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < image.length; at += 150) {
    yield await Promise.resolve(image.subarray(at, at + 150));
  }
}

/** A disk without cuts. */
export function wholeDisk(): CuttableDisk {
  return new CuttableDisk();
}

/** Swaps two files, as somebody does who wants to see what happens. */
export function swap(one: string, other: string): void {
  renameSync(one, `${one}.swap`);
  renameSync(other, one);
  renameSync(`${one}.swap`, other);
}
