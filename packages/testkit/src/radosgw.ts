/**
 * Runs Ceph's object gateway, from Debian: a store that speaks the API of S3 and enforces what it
 * says. Behind it are one monitor and one object store that keeps everything in memory.
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { selfSigned } from './pebble.ts';
import { type Run, collect, run, waitFor } from './run.ts';

/** A gateway that runs. */
export interface Radosgw {
  readonly endpoint: string;
  /** PEM file that proves its address. */
  readonly caFile: string;
  /** Makes a user; gives the file with its access key. Its ARN is `arn:aws:iam:::user/<name>`. */
  addUser(name: string): Promise<string>;
  /** Ends the gateway, as a store that cannot be reached. */
  stop(): Promise<void>;
}

/** Why it cannot run here; undefined when it can. */
export function whyNoRadosgw(): string | undefined {
  const commands = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-authtool', 'monmaptool'];
  const missing = commands.find(
    (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).error !== undefined,
  );
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/** Free ports: where the gateway is to listen, and its monitor. */
export interface RadosgwPorts {
  readonly port: number;
  readonly monitorPort: number;
}

/** Starts a gateway over TLS, which takes about 12 s. */
export async function startRadosgw(
  t: TestContext,
  { port, monitorPort }: RadosgwPorts,
): Promise<Radosgw> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-rgw-'));
  const children: { child: ChildProcess; ended: Promise<void> }[] = [];
  t.after(async () => {
    for (const { child } of children) child.kill('SIGKILL');
    await Promise.all(children.map(({ ended }) => ended));
    rmSync(folder, { recursive: true, force: true });
  });
  const daemon = (command: string, ...args: string[]) => {
    const child = spawn(command, ['-f', '-c', 'ceph.conf', ...args], { cwd: folder });
    collect(child);
    const ended = new Promise<void>((resolve) => {
      child.on('close', () => resolve());
    });
    const running = { child, ended };
    children.push(running);
    return running;
  };
  const done = async (command: string, ...args: string[]): Promise<Run> => {
    const result = await run(command, args, { cwd: folder });
    if (result.code === 0) return result;
    throw new Error(`${command} ${args.join(' ')}: ${result.stderr}`);
  };
  await selfSigned(folder);
  const id = randomUUID();
  writeFileSync(join(folder, 'ceph.conf'), configuration(folder, { id, monitorPort, port }));
  for (const name of ['mon', 'osd', 'run']) mkdirSync(join(folder, name));

  await makeKeyring(done);
  const address = `[v2:127.0.0.1:${monitorPort}]`;
  await done('monmaptool', '--create', '--fsid', id, '--addv', 'a', address, 'monmap');
  const monitor = ['-i', 'a', '--monmap', 'monmap', '--keyring', 'keyring'];
  await done('ceph-mon', '-c', 'ceph.conf', '--mkfs', ...monitor);
  daemon('ceph-mon', '-i', 'a');
  const store = randomUUID();
  await done('ceph', '-c', 'ceph.conf', 'osd', 'new', store);
  await done('ceph-osd', '-c', 'ceph.conf', '-i', '0', '--mkfs', '--osd-uuid', store);
  daemon('ceph-osd', '-i', '0');
  const gateway = daemon('radosgw', '-n', GATEWAY);
  const endpoint = `https://localhost:${port}`;
  const caFile = join(folder, 'cert.pem');
  const answers = async (): Promise<boolean> =>
    (await run('curl', ['-s', '--cacert', caFile, endpoint])).code === 0;
  await waitFor('the gateway', answers);
  return {
    endpoint,
    caFile,
    async addUser(name) {
      const [accessKeyId, secretAccessKey] = [randomBytes(10), randomBytes(20)].map((bytes) =>
        bytes.toString('hex').toUpperCase(),
      );
      const key = ['--access-key', String(accessKeyId), '--secret-key', String(secretAccessKey)];
      const user = ['user', 'create', '--uid', name, '--display-name', name, ...key];
      await done('radosgw-admin', '-c', 'ceph.conf', '-n', GATEWAY, ...user);
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify({ accessKeyId, secretAccessKey }), { mode: 0o600 });
      return file;
    },
    stop() {
      gateway.child.kill('SIGKILL');
      return gateway.ended;
    },
  };
}

const GATEWAY = 'client.rgw';

async function makeKeyring(done: (command: string, ...args: string[]) => Promise<Run>) {
  const key = (name: string, ...caps: string[]): Promise<Run> =>
    done('ceph-authtool', 'keyring', '--gen-key', '-n', name, ...caps);
  const all = ['--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *'];
  await done('ceph-authtool', '--create-keyring', 'keyring');
  await key('mon.', '--cap', 'mon', 'allow *');
  await key('client.admin', ...all);
  await key('osd.0', '--cap', 'mon', 'allow profile osd', '--cap', 'osd', 'allow *');
  await key(GATEWAY, ...all);
}

function configuration(
  folder: string,
  { id, monitorPort, port }: { id: string; monitorPort: number; port: number },
): string {
  const at = (name: string): string => join(folder, name);
  return `[global]
fsid = ${id}
mon host = [v2:127.0.0.1:${monitorPort}/0]
mon initial members = a
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${at('keyring')}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
run dir = ${at('run')}
admin socket = ${at('run')}/$cluster-$name.$pid.asok
log file = ${at('run')}/$name.log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
[mon.a]
mon data = ${at('mon')}
mon cluster log file = ${at('run')}/cluster.log
[osd.0]
osd data = ${at('osd')}
osd objectstore = memstore
memstore device bytes = 268435456
[${GATEWAY}]
rgw frontends = beast ssl_endpoint=127.0.0.1:${port} ssl_certificate=${at('cert.pem')} ssl_private_key=${at('key.pem')}
rgw thread pool size = 16
`;
}
