/** What a new image has to show on the device itself before it is confirmed. @module */
import { spawn } from 'node:child_process';

/** One check. */
export interface LocalCheck {
  /** For reports and people. */
  readonly name: string;
  readonly withinMs: number;
  /** Rejects when it does not pass. Should end when the signal does. */
  run(signal: AbortSignal): Promise<void>;
}

/** A check that a program does: it passes with the exit code 0. It gets no input. */
export function commandCheck({
  name,
  command: [program, ...args],
  withinMs,
}: {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly withinMs: number;
}): LocalCheck {
  return {
    name,
    withinMs,
    run: (signal) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, { stdio: 'ignore', signal, killSignal: 'SIGKILL' });
        child.on('error', reject);
        child.on('exit', (code, by) => {
          if (code === 0) resolve();
          else reject(new Error(code === null ? `it was ended by ${by}` : `exit code ${code}`));
        });
      }),
  };
}
