/** Owners' apps for tests: paired with a device, their files where mosquitto finds them. @module */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type AppClient, type AppIdentity, appClient, pairApp } from '@holdfast/client';
import type { InProcessServer } from './in-process.ts';

/** An app of an owner. */
export interface PairedTestApp {
  readonly identity: AppIdentity;
  readonly client: AppClient;
  /** A folder with `ca.crt`, `client.crt` and `client.key`, as `mosquittoTls` takes it. */
  readonly files: string;
}

/** Pairs a new app, by the code that an operator makes for a device. */
export async function pairTestApp(
  t: TestContext,
  server: InProcessServer,
  deviceId: string,
): Promise<PairedTestApp> {
  const { text } = await server.client.pairCode(deviceId);
  return openTestApp(t, server, await pairApp(text));
}

/** The client and the files of an app. */
export function openTestApp(
  t: TestContext,
  server: InProcessServer,
  identity: AppIdentity,
): PairedTestApp {
  const files = join(
    server.dataDir,
    '..',
    `${identity.app}-${identity.notAfter.replaceAll(':', '')}`,
  );
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, 'ca.crt'), identity.anchorPem);
  writeFileSync(join(files, 'client.crt'), identity.certificatePem);
  writeFileSync(join(files, 'client.key'), identity.keyPem, { mode: 0o600 });
  const client = appClient(identity);
  t.after(() => client.close());
  return { identity, client, files };
}
