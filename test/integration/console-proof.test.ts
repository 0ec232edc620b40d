/**
 * Goal: the check of evidence in the browser says of every bundle what the command line says, which
 * checks with OpenSSL: of a good one, and of one in which any byte that counts was changed.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkEvidence } from '@holdfast/protocol';
import type { Evidence } from '@holdfast/protocol/api';
import { encodePublish } from '@holdfast/protocol/mqtt';
import { RawClient, signedPayload, startInProcess } from '@holdfast/testkit';
import { evidenceTools } from '../../packages/cli/src/evidence-tools.ts';
import { readCertificate } from '../../packages/console/src/proof/certificate.ts';
import { checkEvidenceHere } from '../../packages/console/src/proof/check-evidence.ts';

const ID = 'valve-3';

/** Flips a bit of base64 somewhere in the middle, or at the end. */
function flipped(base64: string, from = 0.5): string {
  const bytes = Buffer.from(base64, 'base64');
  const at = Math.min(bytes.length - 1, Math.floor(bytes.length * from));
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString('base64');
}

/** As a bundle, with one thing in it changed. */
function changes(good: Evidence): readonly (readonly [string, Evidence])[] {
  const { reading, acts, certificates, checkpoint } = good;
  const [act] = acts;
  const [own = '', issuer = '', root = ''] = certificates;
  assert.ok(act);
  const lines = checkpoint.split('\n');
  const lastLine = lines.at(-2) ?? '';
  const [, name, signature = ''] = lastLine.split(' ');
  const signed = (text: string): string => [...lines.slice(0, -2), text, ''].join('\n');
  const changed = (part: Partial<Evidence>): Evidence => ({ ...good, ...part });
  return [
    [
      'the size',
      changed({ checkpoint: checkpoint.replace(/\n(\d+)\n/u, (_, n) => `\n${Number(n) + 1}\n`) }),
    ],
    ['the signature', changed({ checkpoint: signed(`— ${name} ${flipped(signature)}`) })],
    ['the leaf', changed({ reading: { ...reading, leaf: flipped(reading.leaf, 0.9) } })],
    ['the salt', changed({ reading: { ...reading, leaf: flipped(reading.leaf, 0) } })],
    ['the index', changed({ reading: { ...reading, index: reading.index - 1 } })],
    [
      'the proof',
      changed({ reading: { ...reading, proof: reading.proof.map((one) => flipped(one)) } }),
    ],
    ['the device', changed({ device: 'valve-4' })],
    ['an act', changed({ acts: [{ ...act, leaf: flipped(act.leaf, 0.9) }, ...acts.slice(1)] })],
    ['the order', changed({ acts: acts.toReversed() })],
    ['its key', changed({ certificates: [flipped(own, 0.4), issuer, root] })],
    ['its end', changed({ certificates: [flipped(own, 0.98), issuer, root] })],
    ['the issuer', changed({ certificates: [own, flipped(issuer, 0.98), root] })],
    ['no issuer', changed({ certificates: [own, root] })],
    ['the wrong way round', changed({ certificates: [own, root, issuer] })],
    ['no root', changed({ certificates: [own, issuer] })],
    ['no certificate', changed({ certificates: ['AAAA'] })],
  ];
}

test('the browser and OpenSSL agree on good evidence and on changed evidence', async (t) => {
  const server = await startInProcess(t);
  const bundle = await server.enroll(ID);
  const client = await RawClient.connect(bundle);
  for (let ctr = 1; ctr <= 3; ctr += 1) {
    const payload = signedPayload(bundle, { ctr, flow: ctr / 8 });
    client.send(encodePublish(`d/${ID}/telemetry`, payload, { qos: 1, packetId: ctr }));
    await client.expect('puback');
  }
  await client.abort();
  const good = await server.client.proveReading(ID);
  const log = good.verifierKey;
  const here = await checkEvidenceHere(good, log);
  assert.deepEqual(here, checkEvidence(good, evidenceTools({ log, witnesses: [] })));
  assert.deepEqual(here.problems, []);
  assert.equal(here.certificate?.length, 64);

  for (const [what, evidence] of changes(good)) {
    const { problems } = await checkEvidenceHere(evidence, log);
    assert.deepEqual(
      problems,
      checkEvidence(evidence, evidenceTools({ log, witnesses: [] })).problems,
      what,
    );
    assert.notDeepEqual(problems, [], what);
  }
  const other = `${log.slice(0, -6)}AAAAAA`;
  assert.match((await checkEvidenceHere(good, other)).problems[0] ?? '', /^the key of the log/u);
});

test('certificates are read as OpenSSL reads them', async (t) => {
  const server = await startInProcess(t);
  await server.enroll(ID);
  const pem = readFileSync(join(server.dataDir, '..', 'bundles', ID, 'client.crt'), 'utf8');
  const theirs = new X509Certificate(pem);
  const ours = readCertificate(theirs.raw);
  assert.equal(ours?.serial, theirs.serialNumber.toLowerCase());
  assert.equal(ours.notBeforeMs, theirs.validFromDate.getTime());
  assert.equal(ours.notAfterMs, theirs.validToDate.getTime());
  assert.equal(`URI:${ours.uri}`, theirs.subjectAltName);
  assert.equal(ours.keyAlgorithm, 'ECDSA P-256');
  assert.equal(ours.isAuthority, theirs.ca);
  for (const length of [0, 1, 100, theirs.raw.length - 1]) {
    assert.equal(readCertificate(theirs.raw.subarray(0, length)), undefined, `${length} bytes`);
  }
});
