/** Bundles for tests, written as enrollment writes them. @module */
import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Bundle, loadBundle } from '../src/bundle.ts';
import { type TestPki, issue, pinsOf } from './test-pki.ts';

/** A folder that goes away with the test. */
export function testFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-device-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a test bundle is to say. */
export interface TestBundleOptions {
  readonly pki: TestPki;
  readonly port: number;
  readonly host?: string;
  readonly pins?: unknown;
  readonly anchorPem?: string;
  readonly notAfterMs?: number;
  /** Port of the enrollment listener; without it the bundle names none. */
  readonly enrollmentPort?: number;
  readonly apiKey?: string;
}

/** Writes the bundle of the device `thermostat-1`. */
export function writeTestBundle(folder: string, options: TestBundleOptions): Bundle {
  const { pki, port, host = 'localhost', pins = pinsOf(pki.server), notAfterMs } = options;
  const { enrollmentPort, apiKey } = options;
  const device = issue({
    name: 'thermostat-1',
    issuer: pki.issuer,
    purpose: 'client',
    hosts: ['thermostat-1'],
    ...(notAfterMs !== undefined && { notAfterMs }),
  });
  const settings = { version: 1, device: 'thermostat-1', tenant: 'default', kid: '1.1' };
  const files = {
    'ca.crt': options.anchorPem ?? pki.root.pem,
    'client.crt': device.pem + pki.issuer.pem,
    'client.key': device.keyPem,
    'payload.key': `${randomBytes(32).toString('hex')}\n`,
    'command.key': `${randomBytes(32).toString('hex')}\n`,
    'holdfast.json': JSON.stringify({
      ...settings,
      broker: `mqtts://${host}:${port}`,
      ...(enrollmentPort !== undefined && { enrollment: `https://${host}:${enrollmentPort}` }),
      pins,
    }),
    'server.pin': '',
    ...(apiKey !== undefined && { 'api.key': `${apiKey}\n` }),
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  }
  return loadBundle(folder);
}

/** A key that no bundle holds. */
export function foreignKey(): ReturnType<typeof createSecretKey> {
  return createSecretKey(randomBytes(32));
}
