/** Runs Pebble, the ACME server that Let's Encrypt makes for tests, from Debian. @module */
import { spawn, spawnSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from './holdfast.ts';
import { type Run, type RunOptions, collect, run, waitFor } from './run.ts';

/** A Pebble that runs. */
export interface Pebble {
  readonly directoryUrl: string;
  /** PEM of what proves its own address. */
  readonly anchorPem: string;
  /** PEM of the root of the certificates that it issues; a new one at each start. */
  issuedAnchorPem(): Promise<string>;
  /** What it wrote. */
  log(): string;
  /** Ends it, as an authority that cannot be reached. */
  stop(): Promise<void>;
}

/** Where Pebble is to listen and to check, and whom it knows. */
export interface PebbleOptions {
  readonly port: number;
  readonly managementPort: number;
  readonly dnsPort: number;
  /** Where it checks tls-alpn-01, in place of 443. */
  readonly tlsPort: number;
  /** External accounts, key by key id; with any, it wants one. */
  readonly externalAccounts?: Readonly<Record<string, string>>;
  /** Life of what it issues, in seconds. */
  readonly lifeS?: number;
}

/** Why Pebble cannot run here; undefined when it can. */
export function whyNoPebble(): string | undefined {
  const { error } = spawnSync('pebble', ['-h'], { stdio: 'ignore' });
  return error === undefined ? undefined : 'pebble is not installed';
}

/** Starts Pebble, with a DNS server for which every name is this machine. */
export async function startPebble(t: TestContext, options: PebbleOptions): Promise<Pebble> {
  const folder = temporaryFolder(t);
  await selfSigned(folder);
  const { externalAccounts = {}, port, managementPort, dnsPort, tlsPort } = options;
  const isBound = Object.keys(externalAccounts).length > 0;
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: join(folder, 'cert.pem'),
    privateKey: join(folder, 'key.pem'),
    httpPort: 1,
    tlsPort,
    ocspResponderURL: '',
    externalAccountBindingRequired: isBound,
    ...(isBound && { externalAccountMACKeys: externalAccounts }),
    ...(options.lifeS !== undefined && { certificateValidityPeriod: options.lifeS }),
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ pebble }));
  const dns = ['-dns01', `127.0.0.1:${dnsPort}`, '-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''];
  const others = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-management', '127.0.0.1:0'];
  start(t, 'pebble-challtestsrv', [...dns, ...others]);
  const args = ['-config', join(folder, 'config.json'), '-dnsserver', `127.0.0.1:${dnsPort}`];
  const started = start(t, 'pebble', [...args, '-strict']);
  const management = `https://localhost:${managementPort}`;
  const directoryUrl = `https://localhost:${port}/dir`;
  const ask = (url: string): Promise<Run> =>
    run('curl', ['-sS', '--cacert', join(folder, 'cert.pem'), url]);
  const answers = async (): Promise<boolean> => {
    if (!(await resolves(dnsPort))) return false;
    const asked = await Promise.all([directoryUrl, `${management}/roots/0`].map(ask));
    return asked.every(({ code }) => code === 0);
  };
  // It says that it listens before it does, and its names come of another program.
  await waitFor('pebble to be up', answers);
  const anchorPem = readFileSync(join(folder, 'cert.pem'), 'utf8');
  return {
    directoryUrl,
    anchorPem,
    async issuedAnchorPem() {
      return (await ask(`${management}/roots/0`)).stdout;
    },
    log: started.text,
    stop: started.stop,
  };
}

/** Whether a DNS server of this machine answers. */
function resolves(dnsPort: number): Promise<boolean> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${dnsPort}`]);
  return resolver.resolve4('up.example.test').then(
    () => true,
    () => false,
  );
}

/** Makes cert.pem for localhost, and key.pem, in a folder. */
export async function selfSigned(folder: string): Promise<void> {
  const options: RunOptions = { cwd: folder };
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-noenc',
    '-keyout',
    'key.pem',
  ];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await run('openssl', ['req', '-x509', ...key, ...names, '-out', 'cert.pem'], options);
}

function start(
  t: TestContext,
  command: string,
  args: readonly string[],
): { text: () => string; stop: () => Promise<void> } {
  // Each order is checked: an authorization of two months ago has ended at any authority.
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0' };
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const output = collect(child);
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
  });
  const stop = (): Promise<void> => {
    child.kill('SIGKILL');
    return ended;
  };
  t.after(stop);
  return { text: () => output.stdout + output.stderr, stop };
}
