/** The same at the broker by programs that we did not write. @module */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connectPacket, run } from '@holdfast/testkit';
import type { Exchange } from './doors.ts';
import type { Credential } from './forge.ts';
import type { Lab } from './lab.ts';

type Program = (
  lab: Lab,
  options: { credential: Credential | undefined; address: string },
) => Promise<Exchange>;

/** Publishes by mosquitto_pub; it sees something when it succeeds. */
const mosquitto: Program = async (lab, { credential, address }) => {
  const { cert, key, ca } = files(lab, credential);
  const own = credential === undefined ? [] : ['--cert', cert, '--key', key];
  const where = ['-h', 'localhost', '-p', String(lab.place.ports.broker), '-A', address];
  const what = ['-i', 'pump-1', '-t', 'd/pump-1/telemetry', '-m', '{}', '-q', '1'];
  const { code, stdout } = await run('mosquitto_pub', ['--cafile', ca, ...own, ...where, ...what]);
  return { seen: code === 0 ? 'published' : stdout, ticket: undefined, isResumed: false };
};

/** Sends CONNECT by `openssl s_client`; it sees what the server sends. */
const sClient: Program = async (lab, { credential, address }) => {
  const { cert, key, ca } = files(lab, credential);
  const own = credential === undefined ? [] : ['-cert', cert, '-key', key];
  const where = ['-connect', `127.0.0.1:${lab.place.ports.broker}`, '-bind', `${address}:0`];
  const quiet = ['-quiet', '-no_ign_eof', '-CAfile', ca, '-verify_return_error'];
  const child = spawn('openssl', ['s_client', ...quiet, ...own, ...where]);
  const chunks: Buffer[] = [];
  child.stdin.on('error', () => {});
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin.write(connectPacket({ device: 'pump-1' }));
  await new Promise((resolve) => {
    child.on('close', resolve);
  });
  return {
    seen: Buffer.concat(chunks).toString('latin1'),
    ticket: undefined,
    isResumed: false,
  };
};

export const PROGRAMS: Readonly<Record<string, Program>> = {
  'broker by mosquitto_pub': mosquitto,
  'broker by openssl s_client': sClient,
};

function files(
  { forge, place }: Lab,
  credential: Credential | undefined,
): { cert: string; key: string; ca: string } {
  const [cert, key, ca] = ['tool.crt', 'tool.key', 'tool-ca.crt'].map((name) => forge.path(name));
  writeFileSync(ca ?? '', place.anchorPem);
  if (credential !== undefined) {
    writeFileSync(cert ?? '', credential.cert);
    writeFileSync(key ?? '', credential.key, { mode: 0o600 });
  }
  return { cert: cert ?? '', key: key ?? '', ca: ca ?? '' };
}
