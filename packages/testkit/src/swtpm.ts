/** TPMs in software: Debian's swtpm, spoken to by tpm2-tools. @module */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { collect, run, waitFor } from './run.ts';

/** A TPM of a test. */
export interface SoftTpm {
  /** How tools reach it: the value of `TPM2TOOLS_TCTI`. */
  readonly tcti: string;
  /** A folder for what tools read and write. */
  readonly folder: string;
  /** Runs a tool in the folder, such as `tpm2_quote`. @throws Error when it fails. */
  tool(name: string, ...args: string[]): Promise<string>;
}

/** Why tests with TPMs cannot run here; undefined when they can. */
export function whyNoTpms(): string | undefined {
  const missing = ['swtpm', 'tpm2_quote'].find(
    (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined,
  );
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/** Starts a TPM without keys, as after a boot; it is gone after the test. */
export async function softTpm(t: TestContext): Promise<SoftTpm> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-tpm-'));
  const state = join(folder, 'state');
  mkdirSync(state);
  const socket = join(folder, 'tpm');
  const child = spawn(
    'swtpm',
    [
      'socket',
      '--tpm2',
      '--flags=not-need-init,startup-clear',
      `--tpmstate=dir=${state}`,
      `--server=type=unixio,path=${socket}`,
      // The tools look for it beside the other one, under this name.
      `--ctrl=type=unixio,path=${socket}.ctrl`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const output = collect(child);
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
  });
  t.after(async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  await waitFor('swtpm', () => {
    if (child.exitCode !== null) throw new Error(`swtpm ended: ${output.stderr}`);
    return isListening(socket);
  });
  const tcti = `swtpm:path=${socket}`;
  const env = { ...process.env, TPM2TOOLS_TCTI: tcti };
  const tool = async (name: string, ...args: string[]): Promise<string> => {
    const done = await run(name, args, { cwd: folder, env });
    if (done.code !== 0) throw new Error(`${name} failed: ${done.stderr}`);
    // Nobody manages its memory: what a tool leaves there is in the way of the next.
    await run('tpm2_flushcontext', ['-t'], { cwd: folder, env });
    return done.stdout;
  };
  return { tcti, folder, tool };
}

/** A socket is there a moment before anybody listens on it: tools would be refused until then. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on('error', () => resolve(false));
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
  });
}
