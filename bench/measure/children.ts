/** Child processes that must not outlive the benchmark. @module */
import type { ChildProcess } from 'node:child_process';

const children = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Kills a child when this process ends before it. */
export function endWithUs(child: ChildProcess): void {
  children.add(child);
  child.on('close', () => children.delete(child));
}
