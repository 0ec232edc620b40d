import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SIZE_MAX } from './arithmetic.ts';
import {
  formatCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  verifyCheckpoint,
} from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import { formatNote, parseNote, signNote } from './note.ts';
import type { NoteSigner, NoteVerifier } from './note.ts';
import { Problem } from './problem.ts';
import { EMPTY_ROOT } from './tree.ts';

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');
const ORIGIN = 'holdfast.example/audit';

function newSigner(name: string): NoteSigner & NoteVerifier {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    name,
    publicKey: publicKey.export({ format: 'raw-public' }),
    sign: (message) => sign(null, message, privateKey),
    verify: ({ publicKey, message, signature }) => {
      const x = publicKey.toBase64({ alphabet: 'base64url', omitPadding: true });
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      return verify(null, message, key, signature);
    },
  };
}

const log = newSigner(ORIGIN);
const root = sha256(Uint8Array.of(7)).slice();
const body = { origin: ORIGIN, size: 20_852_163, root, extensions: [] };
const isProblem = (value: unknown): boolean => value instanceof Problem;

function checkpoint(value: Checkpoint | Problem): Checkpoint {
  assert.ok(!(value instanceof Problem), 'expected a checkpoint');
  return value;
}

// The example of the specification, with the cosignature of a witness. Its key is not published.
const EXAMPLE = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

test('parses the example of the specification [tlog-checkpoint]', () => {
  const { signatures, ...head } = checkpoint(parseCheckpoint(EXAMPLE));
  assert.deepEqual(head, {
    origin: 'example.com/behind-the-sofa',
    size: 20_852_163,
    root: Uint8Array.fromBase64('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='),
    extensions: [],
  });
  assert.equal(formatCheckpoint(head), EXAMPLE.slice(0, EXAMPLE.indexOf('\n\n') + 1));
  const [first, second] = signatures;
  assert.ok(first && second);
  assert.equal(first.name, 'example.com/behind-the-sofa');
  assert.equal(first.keyId.toHex(), '033de0ae');
  assert.equal(first.signature.length, 64);
  // A timestamped cosignature: 8 bytes of time before the signature.
  assert.equal(second.name, 'witness.example.com/w1');
  assert.equal(second.signature.length, 72);
});

test('signs and verifies any checkpoint', () => {
  const line = fc.string({ unit: 'grapheme', minLength: 1 });
  const size = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, SIZE_MAX));
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(line, size, hash, fc.array(line), (origin, size, root, extensions) => {
      const body = { origin, size, root, extensions };
      const text = signCheckpoint(sha256, formatCheckpoint(body), log);
      const verified = checkpoint(verifyCheckpoint(sha256, text, { ...log, origin }));
      const { signatures, ...head } = verified;
      assert.deepEqual(head, body);
      assert.equal(signatures.length, 1);
      assert.deepEqual(checkpoint(parseCheckpoint(text)), verified);
    }),
  );
});

test('detects a change of any line and of any character', () => {
  const text = signCheckpoint(sha256, formatCheckpoint({ ...body, extensions: ['more'] }), log);
  assert.ok(!isProblem(verifyCheckpoint(sha256, text, log)));
  const lines = text.split('\n');
  for (const at of lines.keys()) {
    for (const changed of [
      lines.toSpliced(at, 1),
      lines.toSpliced(at, 0, lines[at] ?? ''),
      lines.toSpliced(at, 0, 'line'),
      lines.with(at, 'line'),
    ]) {
      // A doubled signature line is the one change that changes nothing.
      if (changed.join('\n') === text.concat(lines[5] ?? '', '\n')) continue;
      assert.ok(isProblem(verifyCheckpoint(sha256, changed.join('\n'), log)), changed.join('\n'));
    }
  }
  for (let at = 0; at < text.length; at += 1) {
    for (const instead of ['', '0', 'A', '\n']) {
      if (instead === text[at]) continue;
      const changed = text.slice(0, at) + instead + text.slice(at + 1);
      assert.ok(isProblem(verifyCheckpoint(sha256, changed, log)), changed);
    }
  }
});

test('takes cosignatures, and verifies the log beside unknown ones', () => {
  const witness = newSigner('witness.example/w');
  const text = formatCheckpoint(body);
  const signed = parseNote(signCheckpoint(sha256, text, log));
  const cosigned = parseNote(signNote(sha256, text, witness));
  assert.ok(!(signed instanceof Problem) && !(cosigned instanceof Problem));
  const unknown = { name: 'x', keyId: new Uint8Array(4), signature: new Uint8Array(2_420) };
  const signatures = [unknown, ...cosigned.signatures, ...signed.signatures];
  const both = formatNote({ text, signatures });
  assert.deepEqual(checkpoint(verifyCheckpoint(sha256, both, log)).signatures, signatures);
  const witnessed = verifyCheckpoint(sha256, both, { ...witness, origin: ORIGIN });
  assert.deepEqual(checkpoint(witnessed).size, body.size);
  assert.ok(isProblem(verifyCheckpoint(sha256, both, newSigner(ORIGIN))));
});

test('refuses a checkpoint of another log under the same key', () => {
  const other = { ...body, origin: 'holdfast.example/other' };
  const text = signCheckpoint(sha256, formatCheckpoint(other), log);
  assert.ok(isProblem(verifyCheckpoint(sha256, text, log)));
  assert.ok(!isProblem(verifyCheckpoint(sha256, text, { ...log, origin: other.origin })));
});

test('refuses a signed note that is no checkpoint', () => {
  const text = signNote(sha256, 'a message\n', log);
  assert.ok(isProblem(verifyCheckpoint(sha256, text, { ...log, origin: 'a message' })));
  assert.throws(() => signCheckpoint(sha256, 'a message\n', log), RangeError);
});

test('refuses malformed checkpoints', () => {
  const parse = (text: string): unknown => parseCheckpoint(`${text}\n— a AAAAAAA=\n`);
  const hash = root.toBase64();
  const accepted = [
    `o\n1\n${hash}\n`,
    `o\n0\n${EMPTY_ROOT.toBase64()}\n`,
    `o o+\n10\n${hash}\nextension\n more \n`,
    `o\n9007199254740991\n${hash}\n`,
  ];
  for (const text of accepted) assert.ok(!isProblem(parse(text)), text);
  const refused = [
    '',
    '\n',
    'o\n1\n',
    `\n1\n${hash}\n`,
    `o\n\n${hash}\n`,
    `o\n1\n\n`,
    `o\n1\n${hash}\n\n`,
    `o\n1\n${hash}\n\nextension\n`,
    `o\n01\n${hash}\n`,
    `o\n00\n${hash}\n`,
    `o\n-1\n${hash}\n`,
    `o\n+1\n${hash}\n`,
    `o\n1.0\n${hash}\n`,
    `o\n1e3\n${hash}\n`,
    `o\n0x1\n${hash}\n`,
    `o\n 1\n${hash}\n`,
    `o\n1 \n${hash}\n`,
    `o\n١\n${hash}\n`,
    `o\n9007199254740992\n${hash}\n`,
    `o\n18446744073709551615\n${hash}\n`,
    `o\n1\n${hash} \n`,
    `o\n1\n${hash.slice(0, -1)}\n`,
    `o\n1\n${hash}=\n`,
    `o\n1\n${root.toHex()}\n`,
    `o\n1\n${root.subarray(1).toBase64()}\n`,
    `o\n1\n${Uint8Array.of(...root, 0).toBase64()}\n`,
    `o\r\n1\r\n${hash}\r\n`,
  ];
  for (const text of refused) assert.ok(isProblem(parse(text)), text);
});

test('does not print what is no checkpoint', () => {
  const bad = [
    { ...body, origin: '' },
    { ...body, origin: 'a\n1' },
    { ...body, origin: 'a\0' },
    { ...body, size: -1 },
    { ...body, size: 0.5 },
    { ...body, size: SIZE_MAX + 1 },
    { ...body, root: root.subarray(1) },
    { ...body, extensions: [''] },
    { ...body, extensions: ['a\nb'] },
  ];
  for (const head of bad) assert.throws(() => formatCheckpoint(head), RangeError);
});

test('never throws on any text', () => {
  const piece = fc.constantFrom('o\n', '1\n', '\n', `${root.toBase64()}\n`, '— a AAAAAAA=\n', ' ');
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (text) => {
      const parsed = parseCheckpoint(text);
      if (!(parsed instanceof Problem)) {
        assert.ok(text.startsWith(`${formatCheckpoint(parsed)}\n`));
      }
      assert.ok(isProblem(verifyCheckpoint(sha256, text, log)));
    }),
    { numRuns: 500 },
  );
});
