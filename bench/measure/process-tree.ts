/** What a process with all its threads and children uses, from /proc. Linux only. @module */
import { readFileSync, readdirSync } from 'node:fs';

/** Linux reports processor time in ticks of 10 ms on all common builds. */
const CLOCK_TICKS_PER_SECOND = 100;

/** Processor time of a process and all its descendants so far, in microseconds. */
export function cpuUsOf(rootPid: number): number {
  const ticks = treeOf(rootPid).reduce((sum, { cpuTicks }) => sum + cpuTicks, 0);
  return (ticks / CLOCK_TICKS_PER_SECOND) * 1_000_000;
}

/** Processor time of everything on this machine so far, in microseconds. */
export function machineCpuUs(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  // proc(5): user nice system idle iowait irq softirq steal.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const ticks = user + nice + system + irq + softirq + steal;
  return (ticks / CLOCK_TICKS_PER_SECOND) * 1_000_000;
}

/** Bytes that a process and its descendants have caused to be written to the disk. */
export function writtenBytesOf(rootPid: number): number {
  return sumOf(rootPid, 'io', /^write_bytes: (\d+)$/m);
}

/** Memory of a process and its descendants in bytes: shared pages are divided (PSS). */
export function memoryBytesOf(rootPid: number): number {
  return sumOf(rootPid, 'smaps_rollup', /^Pss:\s+(\d+) kB$/m) * 1_024;
}

/** The processes that a process has started itself. */
export function childrenOf(parentPid: number): number[] {
  return treeOf(parentPid)
    .filter(({ parent }) => parent === parentPid)
    .map(({ pid }) => pid);
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuTicks: number;
}

function treeOf(rootPid: number): Stat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== undefined);
  const tree = all.filter(({ pid }) => pid === rootPid);
  const known = new Set([rootPid]);
  for (let grown = true; grown;) {
    grown = false;
    for (const stat of all) {
      if (known.has(stat.pid) || !known.has(stat.parent)) continue;
      known.add(stat.pid);
      tree.push(stat);
      grown = true;
    }
  }
  return tree;
}

/** proc(5): fields 14 to 17 are user and system time, and those of children waited for. */
function statOf(pid: number): Stat | undefined {
  const text = readProc(pid, 'stat');
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { pid, parent: field(4), cpuTicks: field(14) + field(15) + field(16) + field(17) };
}

function sumOf(rootPid: number, file: string, pattern: RegExp): number {
  return treeOf(rootPid).reduce((sum, { pid }) => {
    const found = pattern.exec(readProc(pid, file) ?? '')?.[1];
    return sum + Number(found ?? 0);
  }, 0);
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It ended in the meantime.
    return undefined;
  }
}
