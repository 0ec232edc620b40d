import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isKeyName } from './note-text.ts';
import {
  formatNote,
  NOTE_LENGTH_MAX,
  NOTE_SIGNATURES_MAX,
  parseNote,
  signNote,
  verifyNote,
} from './note.ts';
import type { NoteSignature, NoteSigner, NoteVerifier, SignedNote } from './note.ts';
import { Problem } from './problem.ts';
import { formatVerifierKey, noteKeyId, parseVerifierKey } from './verifier-key.ts';

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');

const verifyEd25519: NoteVerifier['verify'] = ({ publicKey, message, signature }) => {
  const x = publicKey.toBase64({ alphabet: 'base64url', omitPadding: true });
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, message, key, signature);
};

function newSigner(name: string): NoteSigner & NoteVerifier {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    name,
    publicKey: publicKey.export({ format: 'raw-public' }),
    sign: (message) => sign(null, message, privateKey),
    verify: verifyEd25519,
  };
}

function note(text: string): SignedNote {
  const parsed = parseNote(text);
  assert.ok(!(parsed instanceof Problem), 'expected a note');
  return parsed;
}

const isProblem = (value: unknown): boolean => value instanceof Problem;

// The example of the specification.
const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const EXAMPLE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONnc' +
  'AlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

test('verifies the example of the specification with its verifier key [signed-note]', () => {
  const key = parseVerifierKey(sha256, EXAMPLE_KEY);
  assert.ok(!(key instanceof Problem));
  assert.equal(key.name, 'example.com/foo');
  assert.equal(noteKeyId(sha256, key).toHex(), '530d903a');
  assert.equal(formatVerifierKey(sha256, key), EXAMPLE_KEY);
  const verified = verifyNote(sha256, EXAMPLE, { ...key, verify: verifyEd25519 });
  assert.ok(!(verified instanceof Problem));
  assert.equal(verified.text, 'This is an example message.\n');
  assert.equal(formatNote(verified), EXAMPLE);
  const tampered = EXAMPLE.replace('message', 'massage');
  assert.ok(isProblem(verifyNote(sha256, tampered, { ...key, verify: verifyEd25519 })));
});

test('signs and verifies a text with empty lines', () => {
  const signer = newSigner('example.com/log');
  for (const text of ['\n', 'a\n', 'a\n\n', 'a\n\nb\n', '\n\n', 'è subito sera\n']) {
    const verified = verifyNote(sha256, signNote(sha256, text, signer), signer);
    assert.ok(!(verified instanceof Problem));
    assert.equal(verified.text, text);
  }
  for (const text of ['', 'a', 'a\r\n', 'a\0\n', '\u001f\n', '\ud800\n']) {
    assert.throws(() => signNote(sha256, text, signer), RangeError);
  }
});

test('keeps unknown signatures, and needs one of the known key', () => {
  const [log, witness, stranger] = ['log', 'witness', 'stranger'].map(newSigner);
  assert.ok(log && witness && stranger);
  const signed = signNote(sha256, 'text\n', log);
  const cosignature = note(signNote(sha256, 'text\n', witness)).signatures;
  const both = formatNote({
    text: 'text\n',
    signatures: [...note(signed).signatures, ...cosignature],
  });
  for (const verifier of [log, witness]) {
    const verified = verifyNote(sha256, both, verifier);
    assert.ok(!(verified instanceof Problem));
    assert.deepEqual(
      verified.signatures.map(({ name }) => name),
      ['log', 'witness'],
    );
  }
  assert.ok(isProblem(verifyNote(sha256, both, stranger)));
  // The same name with another key, and the same key with another name, are other keys.
  assert.ok(isProblem(verifyNote(sha256, both, { ...stranger, name: 'log' })));
  assert.ok(isProblem(verifyNote(sha256, both, { ...log, name: 'stranger' })));
});

test('ignores a signature that shares only the name or only the id of the known key', () => {
  const [log, namesake] = [newSigner('log'), newSigner('log')];
  const [own] = note(signNote(sha256, 'text\n', log)).signatures;
  const [other] = note(signNote(sha256, 'text\n', namesake)).signatures;
  assert.ok(own && other);
  const sameId = { ...own, name: 'other', signature: other.signature };
  const text = formatNote({ text: 'text\n', signatures: [other, sameId, own] });
  assert.deepEqual(note(text).signatures.length, 3);
  assert.ok(!isProblem(verifyNote(sha256, text, log)));
  const others = formatNote({ text: 'text\n', signatures: [other, sameId] });
  assert.ok(isProblem(verifyNote(sha256, others, log)));
});

test('refuses a note when one signature of the known key does not verify', () => {
  const log = newSigner('log');
  const [good] = note(signNote(sha256, 'text\n', log)).signatures;
  const [other] = note(signNote(sha256, 'other\n', log)).signatures;
  assert.ok(good && other);
  const check = (signatures: readonly NoteSignature[], verifier: NoteVerifier = log): unknown =>
    verifyNote(sha256, formatNote({ text: 'text\n', signatures }), verifier);
  assert.ok(!isProblem(check([good, good])));
  assert.ok(isProblem(check([good, other])));
  assert.ok(isProblem(check([other, good])));
  for (const length of [1, 63, 65]) {
    const signature: Uint8Array = Uint8Array.from({ length }, (_, at) => good.signature[at] ?? 0);
    assert.ok(isProblem(check([{ ...good, signature }], { ...log, verify: () => true })));
  }
});

test('refuses malformed notes', () => {
  const line = EXAMPLE.slice(EXAMPLE.indexOf('—'), -1);
  assert.ok(!isProblem(parseNote(`text\n\n${line}\n`)));
  const malformed = [
    '',
    '\n',
    '\n\n',
    'text\n',
    'text\n\n',
    `text\n${line}\n`,
    `text\n\n${line}`,
    `text\n\n${line}\n\n`,
    `text\r\n\r\n${line}\r\n`,
    `te\txt\n\n${line}\n`,
    `text\n\n${line}\nmore\n`,
    `text\n\nmore\n${line}\n`,
    `text\n\n ${line}\n`,
    `text\n\n${line} \n`,
    `text\n\n${line} more\n`,
    `text\n\n${line.replace('—', '-')}\n`,
    `text\n\n${line.replace('— ', '—')}\n`,
    `text\n\n${line.replace('— ', '—  ')}\n`,
    `text\n\n${line.replace('— ', '—\u00a0')}\n`,
    `text\n\n${line.replace('.com', '+com')}\n`,
    `text\n\n${line.replace('.com', '\u00a0com')}\n`,
    `text\n\n${line.replace('example.com/foo ', '')}\n`,
    `text\n\n${line.replace('example.com/foo', '')}\n`,
    `text\n\n${line.slice(0, -1)}\n`,
    `text\n\n${line}=\n`,
    `text\n\n${line.replace('QM=', 'QN=')}\n`,
    `text\n\n${line.replace('Uw2', 'U-2')}\n`,
    'text\n\n— a\n',
    'text\n\n— a \n',
    'text\n\n— a AAAAAA==\n',
    `\ud800text\n\n${line}\n`,
  ];
  for (const text of malformed) assert.ok(isProblem(parseNote(text)), JSON.stringify(text));
  // Five bytes: a key id and the shortest signature.
  assert.ok(!isProblem(parseNote('text\n\n— a AAAAAAA=\n')));
});

test('takes as many signatures and as long a note as the limits say, and no more', () => {
  const lines = (count: number): string => '— a AAAAAAA=\n'.repeat(count);
  assert.equal(note(`a\n\n${lines(NOTE_SIGNATURES_MAX - 1)}`).signatures.length, 99);
  assert.equal(note(`a\n\n${lines(NOTE_SIGNATURES_MAX)}`).signatures.length, 100);
  assert.ok(isProblem(parseNote(`a\n\n${lines(NOTE_SIGNATURES_MAX + 1)}`)));
  const end = `\n\n${lines(1)}`;
  const text = 'a'.repeat(NOTE_LENGTH_MAX - end.length);
  assert.ok(!isProblem(parseNote(text.slice(1) + end)));
  assert.ok(!isProblem(parseNote(text + end)));
  assert.ok(isProblem(parseNote(`${text}a${end}`)));
});

test('does not print what is no note', () => {
  const good = { name: 'a', keyId: new Uint8Array(4), signature: new Uint8Array(1) };
  assert.doesNotThrow(() => formatNote({ text: 'a\n', signatures: [good] }));
  assert.throws(() => formatNote({ text: 'a', signatures: [good] }), RangeError);
  assert.throws(() => formatNote({ text: 'a\n', signatures: [] }), RangeError);
  for (const bad of [
    { ...good, name: '' },
    { ...good, name: 'a b' },
    { ...good, name: 'a AAAAAAA=\n— b' },
    { ...good, keyId: new Uint8Array(3) },
    { ...good, keyId: new Uint8Array(5) },
    { ...good, signature: new Uint8Array() },
  ]) {
    assert.throws(() => formatNote({ text: 'a\n', signatures: [good, bad] }), RangeError);
  }
});

test('key names have no space, plus or control character', () => {
  for (const name of ['a', 'example.com/log-1', 'é', '—', '\u{1f512}', 'a\u007f']) {
    assert.ok(isKeyName(name));
  }
  for (const name of ['', 'a b', 'a+b', 'a\n', '\t', '\u0001', 'a\u0085', '\u00a0', '\u2028']) {
    assert.ok(!isKeyName(name), JSON.stringify(name));
  }
  assert.ok(!isKeyName('\ud800'));
});

test('a parsed note prints as the same text; parsing never throws', () => {
  const piece = fc.constantFrom('\n', '\n\n', '— ', 'a', ' ', 'AAAAAAA=', '+', '\r', '\ud800', 'é');
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
    fc.array(piece, { maxLength: 8 }).map((pieces) => `${pieces.join('')}\n\n— a AAAAAAA=\n`),
  );
  let noteCount = 0;
  fc.assert(
    fc.property(text, (text) => {
      const parsed = parseNote(text);
      if (parsed instanceof Problem) return;
      noteCount += 1;
      assert.equal(formatNote(parsed), text);
    }),
    { numRuns: 500 },
  );
  assert.ok(noteCount > 20);
});
