/** RabbitMQ with its MQTT plugin, as Debian ships it. @module */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningBroker, StartContext, Target } from './broker.ts';
import { writeIdentity } from './identity-files.ts';
import { findCommand, freePort, listensOn, startProcess } from './run-process.ts';

/** Debian's script in /usr/sbin changes to a user who cannot read our folder; this one does not. */
const COMMAND = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** RabbitMQ with transient queues. */
export const rabbitmq: Target = {
  name: 'rabbitmq',
  what: 'mutual TLS only',
  form: 1,
  subscriberLevel: 4,
  missing: () => (findCommand('rabbitmq-server') === undefined ? 'not installed' : undefined),
  start,
};

async function start({ folder, fleet }: StartContext): Promise<RunningBroker> {
  const [port, nodePort, mapperPort] = [await freePort(), await freePort(), await freePort()];
  const files = writeIdentity(folder, fleet);
  writeFileSync(join(folder, 'rabbitmq.conf'), settings(port, files));
  writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_mqtt].\n');
  const env = {
    ...process.env,
    HOME: folder,
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: 'bench@localhost',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_DIST_PORT: String(nodePort),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
  };
  // The name service of Erlang, on a port of its own, so that it ends with the broker.
  const mapper = startProcess(findCommand('epmd') ?? 'epmd', [], { folder, env });
  const broker = startProcess(COMMAND, [], { folder, env });
  const stop = async (): Promise<object> => {
    await broker.stop();
    await mapper.stop();
    return {};
  };
  await listensOn(port, broker).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { pid: broker.pid, port, stop };
}

function settings(port: number, files: ReturnType<typeof writeIdentity>): string {
  return [
    'listeners.tcp = none',
    'mqtt.listeners.tcp = none',
    `mqtt.listeners.ssl.default = 127.0.0.1:${port}`,
    `ssl_options.cacertfile = ${files.clientAnchors}`,
    `ssl_options.certfile = ${files.certificate}`,
    `ssl_options.keyfile = ${files.key}`,
    'ssl_options.verify = verify_peer',
    'ssl_options.fail_if_no_peer_cert = true',
    'ssl_options.versions.1 = tlsv1.3',
    'mqtt.allow_anonymous = true',
    'mqtt.prefetch = 65535',
    'mqtt.tcp_listen_options.nodelay = true',
    'log.console = true',
    'log.console.level = warning',
    '',
  ].join('\n');
}
