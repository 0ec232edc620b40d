/** The `openssl` command as an oracle, and an authority on a clock that stands still. @module */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseDeviceId, parseTenantName } from '@holdfast/protocol';
import type { DeviceId, TenantName } from '@holdfast/protocol';
import { type Clock, systemRandom } from '../kernel/index.ts';
import { present } from '../kernel/refusal.testing.ts';
import { type Authority, openAuthority } from './authority.ts';
import { type Issuer, subjectOf } from './certificate.ts';
import { createAuthority } from './generations.ts';

export { codeOf, present } from '../kernel/refusal.testing.ts';

/** 2026-11-21T00:00:00Z */
export const NOW_MS: number = Date.UTC(2026, 10, 21);

/** A clock that the test moves. */
export class ManualClock implements Clock {
  ms: number;

  constructor(ms: number = NOW_MS) {
    this.ms = ms;
  }

  nowMs(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  after(): () => void {
    throw new Error('nothing here waits');
  }
}

/** What one run of `openssl` gave. */
export interface OpensslRun {
  readonly isOk: boolean;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A folder of its own, in which `openssl` runs. */
export interface OpensslLab {
  path(name: string): string;
  write(name: string, content: string | Uint8Array): string;
  openssl(args: string, input?: string | Uint8Array): OpensslRun;
}

export function opensslLab(context: TestContext): OpensslLab {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-pki-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  return {
    path,
    write(name, content) {
      writeFileSync(path(name), content);
      return path(name);
    },
    openssl(args, input = '') {
      const { status, stdout, stderr } = spawnSync('openssl', args.split(' '), {
        cwd: folder,
        input,
      });
      return { isOk: status === 0, stdout, stderr: stderr.toString() };
    },
  };
}

export function newAuthority(clock: Clock = new ManualClock()): Authority {
  const deps = { clock, random: systemRandom };
  return openAuthority(createAuthority({ ...deps, tenant: tenantName('default') }), deps);
}

/** The authority of devices that issues now, to sign what it never would. */
export function devicesIssuer(authority: Authority): Issuer {
  const [first] = authority.devicesIssuers();
  if (first === undefined) throw new Error('no issuer');
  return { name: subjectOf(first.certificate.raw), key: first.key };
}

export function tenantName(text: string): TenantName {
  return present(parseTenantName(text));
}

export function deviceId(text: string): DeviceId {
  return present(parseDeviceId(text));
}
