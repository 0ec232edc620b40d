/** Debian's U-Boot on QEMU's `virt` machine, with a disk and what it prints. @module */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

/** What is put into a machine. */
export interface Machine {
  /** The control tree: stands for one in the ROM. */
  readonly controlTree: string;
  /** A FAT file system. */
  readonly disk: string;
  /** The second flash chip, where this build of U-Boot looks for its environment. */
  readonly flash?: string | undefined;
  /** Typed without end from the first moment on. */
  readonly keys?: string | undefined;
  /** The power is cut as soon as this is printed. */
  readonly cutAt?: string | undefined;
}

/** The programs and files that are needed, and are not there. */
export function missingParts(): string[] {
  const programs = ['qemu-system-aarch64', 'mkimage', 'mformat', 'mcopy'];
  const missing = programs.filter((program) => spawnSync(program, ['-h']).error !== undefined);
  return spawnSync('test', ['-f', U_BOOT]).status === 0 ? missing : [...missing, U_BOOT];
}

/** The tree that QEMU makes for its machine. */
export function machineTree(folder: string): Buffer {
  const path = join(folder, 'machine.dtb');
  const args = machineArgs('/dev/null').with(1, `virt,dumpdtb=${path}`);
  const made = spawnSync('qemu-system-aarch64', args, { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`QEMU made no device tree: ${made.stderr}`);
  return readFileSync(path);
}

/** Starts the machine and gives all that it printed until it was switched off. */
export async function boot(machine: Machine): Promise<string> {
  const args = [...machineArgs(machine.disk), '-bios', U_BOOT, '-dtb', machine.controlTree];
  if (machine.flash !== undefined) {
    args.push('-drive', `if=pflash,unit=1,format=raw,file=${machine.flash}`);
  }
  const child = spawn('qemu-system-aarch64', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let printed = '';
  const take = (chunk: Buffer): void => {
    printed += chunk.toString('latin1');
    if (machine.cutAt !== undefined && printed.includes(machine.cutAt)) child.kill('SIGKILL');
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  // The pipe breaks when the machine is switched off.
  child.stdin.on('error', () => undefined);
  const ended = new Promise<boolean>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(true));
  });
  const typing = machine.keys === undefined ? undefined : type(child.stdin, machine.keys, ended);
  const isOff = await Promise.race([ended, after(BOOT_MS_MAX, false, { ref: false })]);
  if (!isOff) {
    child.kill('SIGKILL');
    await ended;
    throw new Error(`the machine was not switched off:\n${printed}`);
  }
  await typing;
  return printed;
}

async function type(
  stdin: NodeJS.WritableStream,
  keys: string,
  ended: Promise<boolean>,
): Promise<void> {
  let isOff = false;
  while (!isOff) {
    stdin.write(keys);
    isOff = await Promise.race([ended, after(5, false)]);
  }
}

function machineArgs(disk: string): string[] {
  const drive = ['-drive', `if=none,id=disk,format=raw,file=${disk}`];
  return [...MACHINE.split(' '), ...drive, '-device', 'virtio-blk-device,drive=disk'];
}

const MACHINE = '-machine virt -cpu cortex-a57 -m 128 -nic none -nographic';
const U_BOOT = '/usr/lib/u-boot/qemu_arm64/u-boot.bin';
/** Many times what several boots take. */
const BOOT_MS_MAX = 180_000;
