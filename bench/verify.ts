/**
 * How fast a log is verified: makes one of a million entries as a fleet would, and verifies it.
 * `node bench/verify.ts [--entries N] [--devices N] [--batch N] [--bytes N]`; `--devices 1` seals
 * whole batches in one segment, many devices give segments of few entries.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeEntry } from '@holdfast/protocol';
import { Problem } from '@holdfast/protocol/merkle';
import {
  LogFiles,
  SealedLog,
  checkpointVerifier,
  verifierKeyText,
  verifyLog,
} from '../packages/server/src/audit/index.ts';
import { generatePrivateKey, softwareKeyHandle } from '../packages/server/src/crypto/index.ts';
import { systemClock, systemRandom } from '../packages/server/src/kernel/index.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    devices: { type: 'string', default: '100' },
    batch: { type: 'string', default: '2000' },
    bytes: { type: 'string', default: '200' },
    repeat: { type: 'string', default: '3' },
  },
});
const [entries, devices, batch, bytes, repeat] = [
  values.entries,
  values.devices,
  values.batch,
  values.bytes,
  values.repeat,
].map(Number) as [number, number, number, number, number];

const folder = mkdtempSync(join(tmpdir(), 'holdfast-verify-'));
const path = join(folder, 'log.db');
const origin = 'bench/log';
const signer = softwareKeyHandle('Ed25519', generatePrivateKey('Ed25519'));
const keys = Array.from({ length: devices }, () => systemRandom(32));
const keyOf = (keyRef: number): Uint8Array => keys[keyRef - 1] ?? systemRandom(32);

try {
  fill();
  const megabytes = (statSync(path).size / 1e6).toFixed(0);
  console.log(`${entries} entries of ${devices} devices, ${batch} a batch: ${megabytes} MB`);
  for (let round = 0; round < repeat; round += 1) verify();
} finally {
  rmSync(folder, { recursive: true });
}

/** Payloads that differ in what payloads differ in: a counter, a time, a value, a signature. */
function fill(): void {
  const log = new SealedLog(path, {
    clock: systemClock,
    random: systemRandom,
    origin,
    signer,
    keyOf,
    layoutKeyRef: () => 1,
  });
  for (let first = 0; first < entries; first += batch) {
    const count = Math.min(batch, entries - first);
    const signatures = systemRandom(32 * count);
    const pending = Array.from({ length: count }, (_, at) => {
      const device = (first + at) % devices;
      const sig = signatures.subarray(at * 32, (at + 1) * 32).toHex();
      const pad = 'x'.repeat(Math.max(0, bytes - 130));
      const body = `{"ctr":${first + at},"t":${20 + (at % 90) / 10},"pad":"${pad}","sig":"${sig}"}`;
      const principal = `pump-${device}`;
      const record = encodeEntry({
        kind: 'message',
        atMs: 1_780_000_000_000 + first + at,
        principal,
        topic: `d/${principal}/telemetry`,
        kid: '1.1',
        body: Buffer.from(body),
      });
      return { keyRef: device + 1, counterMax: first + at, record };
    });
    log.append(pending);
  }
  log.close();
}

function verify(): void {
  const verifier = checkpointVerifier(verifierKeyText(origin, signer));
  if (verifier instanceof Problem) throw new Error(verifier.problem);
  const files = LogFiles.openReadOnly(path);
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const run = verifyLog({ files, verifier, keyOf });
  let step = run.next();
  while (step.done !== true) step = run.next();
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  files.close();
  if (step.value.findings.length > 0) throw new Error(JSON.stringify(step.value.findings[0]));
  const rate = (time: number): string => Math.round(entries / time).toLocaleString('en');
  console.log(
    `${seconds.toFixed(2)} s: ${rate(seconds)} entries/s, ` +
      `${rate((user + system) / 1e6)} for each second of CPU`,
  );
}
