/**
 * The C of the ESP32 example, on this machine: compiled with all warnings and sanitizers against
 * Debian's mbedTLS. What it signs is what the server verifies, and its bounds hold.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Refusal, parseSignedJson } from '@holdfast/protocol';
import { run, temporaryFolder } from '@holdfast/testkit';

const EXAMPLE = join(import.meta.dirname, '../../examples/esp32');
const FLAGS = '-std=c11 -g -Wall -Wextra -Werror -fsanitize=address,undefined'.split(' ');
const LIBRARIES = ['-lmbedtls', '-lmbedx509', '-lmbedcrypto'];
const KEY = '00112233445566778899aabbccddeeff'.repeat(2);

/** Asserts in C, as only C can ask for a buffer that is a byte too small. */
const BOUNDS = `
#include "holdfast.h"
#include <assert.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
  uint8_t key[HF_KEY_BYTES];
  assert(psa_crypto_init() == PSA_SUCCESS);
  assert(hf_from_hex("${KEY}", key) == 0 && key[1] == 0x11 && key[31] == 0xff);
  assert(hf_from_hex("${KEY}\\n", key) == 0);
  assert(hf_from_hex("${KEY}0", key) == -1);
  assert(hf_from_hex("${KEY.slice(1)}", key) == -1);
  assert(hf_from_hex("${KEY.toUpperCase()}", key) == -1);
  assert(hf_from_hex("", key) == -1);
  const char *json = "{\\"ctr\\": 1}";
  size_t size = strlen(json) + HF_SIGNATURE_BYTES;
  char *out = malloc(size);
  assert(hf_sign(key, json, out, size) == 0);
  assert(hf_sign(key, json, out, size - 1) == -1);
  assert(hf_sign(key, "{}", out, size) == -1);
  assert(hf_sign(key, "[1]", out, size) == -1);
  free(out);
  return 0;
}
`;

async function compile(sources: readonly string[], out: string): Promise<void> {
  const args = [...FLAGS, '-I', EXAMPLE, join(EXAMPLE, 'holdfast.c'), ...sources];
  const built = await run('gcc', [...args, ...LIBRARIES, '-o', out]);
  assert.equal(built.code, 0, built.stderr);
}

test('what it signs is what the server verifies', async (t) => {
  const folder = temporaryFolder(t);
  const host = join(folder, 'host');
  await compile([join(EXAMPLE, 'host.c')], host);
  mkdirSync(join(folder, 'bundle'));
  writeFileSync(join(folder, 'bundle', 'payload.key'), `${KEY}\n`);
  for (const reading of [
    '{"ctr": 1}',
    '{"ctr": 1795292153146, "temp": -20.50, "ts": 1795292153146}',
    '{"air": {"co2": 640, "unit": "\\u00b5"}, "ctr": 2, "list": [1, 2.0, true]}',
  ]) {
    const { code, stdout, stderr } = await run(host, ['sign', join(folder, 'bundle'), reading]);
    assert.equal(code, 0, stderr);
    const parsed = parseSignedJson(Buffer.from(stdout.trim()));
    assert.ok(!(parsed instanceof Refusal), reading);
    assert.equal(Buffer.from(parsed.signedBytes).toString(), reading);
    const tag = createHmac('sha256', Buffer.from(KEY, 'hex')).update(reading).digest();
    assert.deepEqual(Buffer.from(parsed.signature), tag);
  }
});

test('it refuses keys and buffers that do not fit', async (t) => {
  const folder = temporaryFolder(t);
  const source = join(folder, 'bounds.c');
  writeFileSync(source, BOUNDS);
  await compile([source], join(folder, 'bounds'));
  const { code, stderr } = await run(join(folder, 'bounds'), []);
  assert.equal(code, 0, stderr);
});
