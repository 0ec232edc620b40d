/*
 * The same code on a PC, for the tests:
 *   host sign FOLDER JSON                   prints the reading, signed with FOLDER/payload.key
 *   host publish FOLDER PORT ID JSON        publishes it, with TLS 1.3 by mbedTLS; needs 3.6
 * FOLDER is a device bundle, with the pins in FOLDER/server.pin.
 */
#include "holdfast.h"

#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static char *read_file(const char *folder, const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path);
  char *text = calloc(1, 16384);
  if (fread(text, 1, 16383, file) == 0) fail(path);
  fclose(file);
  return text;
}

static char *sign(const char *folder, const char *json) {
  uint8_t key[HF_KEY_BYTES];
  char *hex = read_file(folder, "payload.key");
  char *out = malloc(strlen(json) + HF_SIGNATURE_BYTES);
  if (hf_from_hex(hex, key) != 0) fail("payload.key is no key");
  if (hf_sign(key, json, out, strlen(json) + HF_SIGNATURE_BYTES) != 0) fail("not signed");
  free(hex);
  return out;
}

#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
#include "publish.h"
#endif

int main(int count, char **args) {
  if (psa_crypto_init() != PSA_SUCCESS) fail("no PSA");
  if (count == 4 && strcmp(args[1], "sign") == 0) {
    char *signed_json = sign(args[2], args[3]);
    puts(signed_json);
    free(signed_json);
    return 0;
  }
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
  if (count == 6 && strcmp(args[1], "publish") == 0) {
    char *signed_json = sign(args[2], args[5]);
    publish(args[2], args[3], args[4], signed_json);
    free(signed_json);
    return 0;
  }
#endif
  fail("see the top of host.c");
}
