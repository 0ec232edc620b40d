/** Mosquitto as Debian ships it. @module */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningBroker, StartContext, Target } from './broker.ts';
import { writeIdentity } from './identity-files.ts';
import { findCommand, freePort, listensOn, startProcess } from './run-process.ts';

/** Mosquitto with nothing on but mutual TLS: no verification, no authorization, no storage. */
export const mosquitto: Target = {
  name: 'mosquitto',
  what: 'mutual TLS only',
  form: 1,
  subscriberLevel: 5,
  missing: () => (findCommand('mosquitto') === undefined ? 'not installed' : undefined),
  start,
};

async function start({ folder, fleet }: StartContext): Promise<RunningBroker> {
  const port = await freePort();
  const files = writeIdentity(folder, fleet);
  const path = join(folder, 'mosquitto.conf');
  writeFileSync(path, `${settings(port, files).join('\n')}\n`);
  const broker = startProcess(findCommand('mosquitto') ?? 'mosquitto', ['-c', path], { folder });
  await listensOn(port, broker);
  const stop = async (): Promise<object> => {
    await broker.stop();
    return {};
  };
  return { pid: broker.pid, port, stop };
}

/** 0 means no limit: nothing may be dropped for a queue that is too short. */
function settings(port: number, files: ReturnType<typeof writeIdentity>): string[] {
  return [
    `listener ${port} 127.0.0.1`,
    `cafile ${files.clientAnchors}`,
    `certfile ${files.certificate}`,
    `keyfile ${files.key}`,
    'require_certificate true',
    'use_identity_as_username true',
    'allow_anonymous false',
    'tls_version tlsv1.3',
    'max_inflight_messages 0',
    'max_inflight_bytes 0',
    'max_queued_messages 0',
    'max_queued_bytes 0',
    'max_connections -1',
    'set_tcp_nodelay true',
    'persistence false',
    'log_dest none',
    // As root it would change to a user who cannot read the key.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
  ];
}
