import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fernet } from './fernet.ts';
import { FERNET_TOKEN_CHARACTERS_MAX } from './limits.ts';

/** The one known answer of the specification: its key, its text, its vector, its time. */
const KNOWN = {
  key: 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=',
  token:
    'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==',
  atMs: Date.parse('1985-10-26T01:20:00-07:00'),
  iv: Uint8Array.from({ length: 16 }, (_, at) => at),
  text: 'hello',
} as const;

/** Shows what encryption hides: the vector. */
class KnownFernet extends Fernet {
  encryptWith(text: string, { atMs, iv }: { atMs: number; iv: Uint8Array }): string {
    return this.seal(Buffer.from(text), { atS: atMs / 1_000, iv });
  }
}

/** A token whose parts are as a test wants them, signed for all that. */
function crafted(part: {
  version?: number;
  atS?: number;
  iv?: Buffer;
  sealed?: Buffer;
  mac?: Buffer;
}): string {
  const key = Buffer.from(KNOWN.key, 'base64url');
  const iv = part.iv ?? Buffer.from(KNOWN.iv);
  const cipher = createCipheriv('aes-128-cbc', key.subarray(16), Buffer.from(KNOWN.iv));
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(part.atS ?? KNOWN.atMs / 1_000));
  const sealed = part.sealed ?? Buffer.concat([cipher.update(KNOWN.text), cipher.final()]);
  const signed = Buffer.concat([Buffer.of(part.version ?? 0x80), time, iv, sealed]);
  const mac = part.mac ?? createHmac('sha256', key.subarray(0, 16)).update(signed).digest();
  return urlSafe(Buffer.concat([signed, mac]));
}

const urlSafe = (bytes: Buffer): string =>
  bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');

test('generate: the known answer of the specification', () => {
  const { key, token, text } = KNOWN;
  assert.equal(new KnownFernet(key).encryptWith(text, KNOWN), token);
  assert.equal(crafted({}), token, 'the tokens that this test makes are of the same form');
});

test('verify: the known answer opens within its time to live, both ends included', () => {
  const fernet = new Fernet(KNOWN.key);
  const at = (seconds: number, ttlS = 60): string =>
    fernet.decrypt(KNOWN.token, { ttlS, nowMs: KNOWN.atMs + seconds * 1_000 }).toString();
  for (const seconds of [0, 1, 60, -60]) assert.equal(at(seconds), KNOWN.text);
  for (const seconds of [61, -61, 3_600]) {
    assert.throws(() => at(seconds), { code: 'E_DEVICE_FERNET_TOKEN' }, `${seconds}`);
  }
  assert.equal(fernet.decrypt(KNOWN.token).toString(), KNOWN.text, 'without one, at any age');
});

test('invalid: each way in which a token can be wrong, of the specification and beyond', () => {
  const fernet = new Fernet(KNOWN.key);
  const invalid: Record<string, string> = {
    'an HMAC of something else': crafted({ mac: randomBytes(32) }),
    'too short for an HMAC': urlSafe(Buffer.from(KNOWN.token, 'base64url').subarray(0, 40)),
    nothing: '',
    'no ciphertext': crafted({ sealed: Buffer.alloc(0) }),
    'a ciphertext of no whole blocks': crafted({ sealed: randomBytes(17) }),
    'no base64: a percent sign': `%${KNOWN.token.slice(1)}`,
    'no base64: one character less': KNOWN.token.slice(0, -1),
    'padding left out': KNOWN.token.replaceAll('=', ''),
    'the alphabet that is not URL-safe': KNOWN.token.replaceAll('_', '/'),
    'a line feed at the end': `${KNOWN.token}\n`,
    'bits behind the end': KNOWN.token.replace('DA==', 'DB=='),
    'signed, and padded wrongly': crafted({ sealed: randomBlockOfWrongPadding() }),
    'another version': crafted({ version: 0x81 }),
    'another vector, so that the padding is wrong': crafted({ iv: wrongVector() }),
    'longer than is opened': 'A'.repeat(FERNET_TOKEN_CHARACTERS_MAX + 4),
  };
  for (const [what, token] of Object.entries(invalid)) {
    assert.throws(() => fernet.decrypt(token), { code: 'E_DEVICE_FERNET_TOKEN' }, what);
  }
  const ahead = crafted({ atS: KNOWN.atMs / 1_000 + 61 });
  assert.throws(() => fernet.decrypt(ahead, { ttlS: 60, nowMs: KNOWN.atMs }), {
    code: 'E_DEVICE_FERNET_TOKEN',
  });
});

test('no bit of a token may change', () => {
  const fernet = new Fernet(KNOWN.key);
  const bytes = Buffer.from(KNOWN.token, 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => fernet.decrypt(urlSafe(changed)), { code: 'E_DEVICE_FERNET_TOKEN' });
  }
});

test('what is no key is refused, and not repeated [E_DEVICE_FERNET_KEY]', () => {
  const bad = [
    '',
    KNOWN.key.slice(0, -1),
    KNOWN.key.replaceAll('_', '/'),
    urlSafe(randomBytes(31)),
  ];
  for (const key of bad) {
    assert.throws(
      () => new Fernet(key),
      (error: Error) =>
        'code' in error &&
        error.code === 'E_DEVICE_FERNET_KEY' &&
        !error.message.includes(key || '\0'),
    );
  }
});

test('keys take over from one another: the first encrypts, all open; rotate keeps the time', () => {
  const [older, newer] = [Fernet.generateKey(), Fernet.generateKey()];
  const token = new Fernet(older).encrypt(Buffer.from('a'), { atMs: KNOWN.atMs });
  const both = new Fernet([newer, older]);
  assert.equal(both.decrypt(token).toString(), 'a');
  const rotated = both.rotate(token);
  assert.throws(() => new Fernet(older).decrypt(rotated), { code: 'E_DEVICE_FERNET_TOKEN' });
  const opened = new Fernet(newer).decrypt(rotated, { ttlS: 0, nowMs: KNOWN.atMs });
  assert.equal(opened.toString(), 'a');
});

test('any bytes come back', () => {
  const fernet = new Fernet(Fernet.generateKey());
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.deepEqual([...fernet.decrypt(fernet.encrypt(bytes))], [...bytes]);
    }),
  );
});

// Debian's own Python, for which its package python3-cryptography is installed.
const PYTHON = process.env['HOLDFAST_PYTHON'] ?? '/usr/bin/python3';

test('Python opens our tokens and we open those of Python, also with several keys', () => {
  const texts = ['', 'a', 'sixteen bytes !!', '{"temp": 23.5}', 'ü'.repeat(1_000)];
  const keys: [string, string] = [Fernet.generateKey(), Fernet.generateKey()];
  const fernet = new Fernet(keys);
  const tokens = texts.map((text) => fernet.encrypt(Buffer.from(text, 'utf8')));
  const program = `
import json, sys
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
given = json.load(sys.stdin)
multi = MultiFernet([Fernet(key) for key in given["keys"]])
own = Fernet.generate_key().decode()
old = Fernet(given["keys"][1])
refused = []
for token in given["bad"]:
    try:
        multi.decrypt(token.encode())
        refused.append(False)
    except InvalidToken:
        refused.append(True)
json.dump({
    "opened": [multi.decrypt(token.encode(), ttl=60).decode() for token in given["tokens"]],
    "key": own,
    "tokens": [Fernet(own).encrypt(text.encode()).decode() for text in given["texts"]],
    "rotated": multi.rotate(old.encrypt_at_time(b"old", 499162800)).decode(),
    "refused": refused,
}, sys.stdout)`;
  const bad = [KNOWN.token, fernet.encrypt(Buffer.from('x')).replace(/^g/u, 'h')];
  const input = JSON.stringify({ keys, texts, tokens, bad });
  const answer: {
    opened: string[];
    key: string;
    tokens: string[];
    rotated: string;
    refused: boolean[];
  } = JSON.parse(execFileSync(PYTHON, ['-c', program], { input, encoding: 'utf8' }));
  assert.deepEqual(answer.opened, texts);
  const theirs = new Fernet(answer.key);
  assert.deepEqual(
    answer.tokens.map((token) => theirs.decrypt(token, { ttlS: 60 }).toString('utf8')),
    texts,
  );
  const first = new Fernet(keys[0]);
  assert.equal(first.decrypt(answer.rotated, { ttlS: 1, nowMs: KNOWN.atMs }).toString(), 'old');
  assert.deepEqual(answer.refused, [true, true]);
});

/** A block that opens to bytes whose last one is no length of padding. */
function randomBlockOfWrongPadding(): Buffer {
  const key = Buffer.from(KNOWN.key, 'base64url').subarray(16);
  const cipher = createCipheriv('aes-128-cbc', key, Buffer.from(KNOWN.iv)).setAutoPadding(false);
  return Buffer.concat([cipher.update(Buffer.alloc(16, 0x11)), cipher.final()]);
}

/** Changes the last byte of the plaintext, which is the length of the padding, to none. */
function wrongVector(): Buffer {
  const iv = Buffer.from(KNOWN.iv);
  iv[15] = (iv[15] ?? 0) ^ 0xf0;
  return iv;
}
