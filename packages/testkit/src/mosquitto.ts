/** Real MQTT clients: Debian's mosquitto-clients and python3-paho-mqtt. @module */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, type RunOptions, run } from './run.ts';

/** Debian's own Python, for which its packages are installed. */
export const DEBIAN_PYTHON = '/usr/bin/python3';

/** The TLS options of mosquitto_pub and mosquitto_sub for a device bundle. */
export function mosquittoTls(bundle: string, port: number): string[] {
  const file = (name: string): string => join(bundle, name);
  return [
    '--cafile',
    file('ca.crt'),
    '--cert',
    file('client.crt'),
    '--key',
    file('client.key'),
    '-h',
    'localhost',
    '-p',
    String(port),
  ];
}

/** What to publish. */
export interface PublishArgs {
  readonly bundle: string;
  readonly port: number;
  readonly id: string;
  readonly topic: string;
  readonly payload: string;
  readonly more?: readonly string[];
}

/** Publishes one message with QoS 1 by mosquitto_pub. */
export function mosquittoPub(publish: PublishArgs, options: RunOptions = {}): Promise<Run> {
  const { bundle, port, id, topic, payload, more = [] } = publish;
  const args = [
    ...mosquittoTls(bundle, port),
    '-i',
    id,
    '-q',
    '1',
    '-t',
    topic,
    '-m',
    payload,
    ...more,
  ];
  return run('mosquitto_pub', args, options);
}

/** Signs a flat object as a device program would; keys must be ASCII and numbers plain. */
export function signPayload(
  bundle: string,
  members: Readonly<Record<string, string | number>>,
): string {
  const key = Buffer.from(readFileSync(join(bundle, 'payload.key'), 'utf8').trim(), 'hex');
  const names = Object.keys(members).sort();
  const canonical = `{${names.map((name) => `"${name}": ${JSON.stringify(members[name])}`).join(', ')}}`;
  const sig = createHmac('sha256', key).update(canonical).digest('hex');
  return JSON.stringify({ ...members, sig });
}
