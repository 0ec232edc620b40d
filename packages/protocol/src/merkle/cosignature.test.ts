import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  formatCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  verifyCheckpoint,
} from './checkpoint.ts';
import { cosign, formatCosignerKey, parseCosignerKey, verifyCosignature } from './cosignature.ts';
import { formatNote, parseNote } from './note.ts';
import type { NoteSignature, NoteSigner, NoteVerifier } from './note.ts';
import { Problem } from './problem.ts';
import { formatVerifierKey } from './verifier-key.ts';

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');

function newSigner(name: string): NoteSigner & NoteVerifier {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    name,
    publicKey: publicKey.export({ format: 'raw-public' }),
    sign: (message) => sign(null, message, privateKey),
    verify({ publicKey, message, signature }) {
      const x = publicKey.toBase64({ alphabet: 'base64url', omitPadding: true });
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      return verify(null, message, key, signature);
    },
  };
}

const log = newSigner('example.com/log');
const witness = newSigner('witness.example.com/w1');
const TIME_S = 1_679_315_147;

function checkpoint(size = 7): string {
  const body = { origin: log.name, size, root: new Uint8Array(32).fill(size), extensions: [] };
  return signCheckpoint(sha256, formatCheckpoint(body), log);
}

function withLine(note: string, signature: NoteSignature): string {
  const parsed = parseNote(note);
  assert.ok(!(parsed instanceof Problem));
  return formatNote({ text: parsed.text, signatures: [...parsed.signatures, signature] });
}

const isProblem = (value: unknown): boolean => value instanceof Problem;

test('a cosignature is made and verified, and the log key still verifies [tlog-cosignature]', () => {
  const note = checkpoint();
  const cosigned = withLine(note, cosign(sha256, { note, timeS: TIME_S }, witness));
  assert.deepEqual(verifyCosignature(sha256, cosigned, witness), { timeS: TIME_S });
  assert.ok(!isProblem(verifyCheckpoint(sha256, cosigned, log)));
  assert.ok(isProblem(verifyCosignature(sha256, note, witness)), 'without its line');
  assert.ok(isProblem(verifyCosignature(sha256, cosigned, newSigner(witness.name))));
});

test('the signed message is that of the specification, byte by byte', () => {
  const note = checkpoint();
  const { signature } = cosign(sha256, { note, timeS: TIME_S }, witness);
  assert.equal(Buffer.from(signature.subarray(0, 8)).readBigUInt64BE(), BigInt(TIME_S));
  const body = note.slice(0, note.indexOf('\n\n') + 1);
  const message = Buffer.from(`cosignature/v1\ntime 1679315147\n${body}`);
  const { publicKey } = witness;
  assert.ok(witness.verify({ publicKey, message, signature: signature.subarray(8) }));
});

test('reads the example of the specification', () => {
  const example =
    'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
    '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv' +
    '2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
    '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2' +
    'oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n';
  const parsed = parseCheckpoint(example);
  assert.ok(!(parsed instanceof Problem));
  const { signature } = parsed.signatures[1] ?? assert.fail();
  assert.equal(Buffer.from(signature).readBigUInt64BE(0), BigInt(TIME_S));
  assert.equal(signature.length, 72);
});

test('the time and the text are both signed; every line of the key must verify', () => {
  const note = checkpoint();
  const line = cosign(sha256, { note, timeS: TIME_S }, witness);
  fc.assert(
    fc.property(fc.nat(71), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const signature = line.signature.slice();
      signature[at] = (signature[at] ?? 0) ^ change;
      const changed = withLine(note, { ...line, signature });
      assert.ok(isProblem(verifyCosignature(sha256, changed, witness)));
      assert.ok(isProblem(verifyCosignature(sha256, withLine(changed, line), witness)));
    }),
  );
  const moved = withLine(checkpoint(8), line);
  assert.ok(isProblem(verifyCosignature(sha256, moved, witness)), 'moved to another checkpoint');
  const later = cosign(sha256, { note, timeS: TIME_S + 9 }, witness);
  const both = withLine(withLine(note, later), line);
  assert.deepEqual(verifyCosignature(sha256, both, witness), { timeS: TIME_S + 9 });
});

test('nothing but a checkpoint is cosigned', () => {
  const note = checkpoint();
  assert.throws(() => cosign(sha256, { note: 'x\n', timeS: 1 }, witness), RangeError);
  assert.throws(() => cosign(sha256, { note, timeS: -1 }, witness), RangeError);
  assert.throws(() => cosign(sha256, { note, timeS: 1.5 }, witness), RangeError);
});

test('a witness key has a type of its own, and one spelling', () => {
  const text = formatCosignerKey(sha256, witness);
  const { name, publicKey } = witness;
  const parsed = parseCosignerKey(sha256, text);
  assert.ok(!(parsed instanceof Problem));
  assert.equal(parsed.name, name);
  assert.deepEqual(Buffer.from(parsed.publicKey), Buffer.from(publicKey));
  assert.ok(isProblem(parseCosignerKey(sha256, formatVerifierKey(sha256, witness))), 'a log key');
  for (let at = 0; at < text.length; at += 1) {
    for (const instead of ['', 'x', '+', ' ', '=']) {
      if (instead === text[at]) continue;
      const changed = text.slice(0, at) + instead + text.slice(at + 1);
      assert.ok(isProblem(parseCosignerKey(sha256, changed)), changed);
    }
  }
});
