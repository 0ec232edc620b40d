/** PKCS#11 tokens in software: Debian's softhsm2. @module */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A token of a test. */
export interface SoftToken {
  /** Path of the PKCS#11 module. */
  readonly module: string;
  readonly label: string;
  readonly pin: string;
  /** Environment of processes that use it; this process has it, too. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes the token away, and gives it back. */
  unplug(): void;
  plug(): void;
}

const MODULES = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib64/softhsm/libsofthsm2.so'];

/** Why tests with tokens cannot run here; undefined when they can. */
export function whyNoTokens(): string | undefined {
  if (!MODULES.some((path) => existsSync(path))) return 'softhsm2 is not installed';
  try {
    createRequire(import.meta.url).resolve('pkcs11js');
    return undefined;
  } catch {
    return 'pkcs11js is not installed';
  }
}

/** Makes a token, which is gone after the test. One process has one such folder of tokens. */
export function softToken(t: TestContext, label = 'holdfast test'): SoftToken {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-token-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [tokens, away] = [join(folder, 'tokens'), join(folder, 'away')];
  mkdirSync(tokens);
  const config = join(folder, 'softhsm2.conf');
  writeFileSync(config, `directories.tokendir = ${tokens}\nlog.level = ERROR\n`);
  const env = { SOFTHSM2_CONF: config };
  process.env['SOFTHSM2_CONF'] = config;
  const pin = '7391-token';
  const { status, stderr } = spawnSync(
    'softhsm2-util',
    ['--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', 'so-pin-1'],
    { env: { ...process.env, ...env } },
  );
  if (status !== 0) throw new Error(`softhsm2-util failed: ${stderr.toString()}`);
  return {
    module: MODULES.find((path) => existsSync(path)) ?? '',
    label,
    pin,
    env,
    unplug: () => {
      renameSync(tokens, away);
      mkdirSync(tokens);
    },
    plug: () => {
      rmSync(tokens, { recursive: true });
      renameSync(away, tokens);
    },
  };
}
