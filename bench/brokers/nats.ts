/** NATS with its MQTT listener, as Debian ships it. @module */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningBroker, StartContext, Target } from './broker.ts';
import { writeIdentity } from './identity-files.ts';
import { findCommand, freePort, listensOn, startProcess } from './run-process.ts';

/** NATS with JetStream, which its MQTT needs; QoS 1 goes through a stream on the disk. */
export const nats: Target = {
  name: 'nats',
  what: 'mutual TLS, JetStream file store',
  form: 1,
  subscriberLevel: 4,
  missing: () => (findCommand('nats-server') === undefined ? 'not installed' : undefined),
  start,
};

async function start({ folder, fleet }: StartContext): Promise<RunningBroker> {
  const port = await freePort();
  const files = writeIdentity(folder, fleet);
  const path = join(folder, 'nats.conf');
  writeFileSync(path, settings({ folder, port, files }));
  const broker = startProcess(findCommand('nats-server') ?? 'nats-server', ['-c', path], {
    folder,
  });
  await listensOn(port, broker);
  const stop = async (): Promise<object> => {
    await broker.stop();
    return {};
  };
  return { pid: broker.pid, port, stop };
}

/** Go takes TLS 1.3 with every client that has it, as the load has. */
function settings(known: {
  folder: string;
  port: number;
  files: ReturnType<typeof writeIdentity>;
}): string {
  const { folder, port, files } = known;
  return `
server_name: bench
listen: "127.0.0.1:-1"
jetstream { store_dir: "${folder}" }
mqtt {
  listen: "127.0.0.1:${port}"
  max_ack_pending: 20000
  tls {
    cert_file: "${files.certificate}"
    key_file: "${files.key}"
    ca_file: "${files.clientAnchors}"
    verify: true
    timeout: 30
  }
}
`;
}
