#include "holdfast.h"

#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>

static int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

int hf_from_hex(const char *hex, uint8_t out[HF_KEY_BYTES]) {
  for (int i = 0; i < HF_KEY_BYTES; i++) {
    int high = digit_of(hex[2 * i]);
    int low = high < 0 ? -1 : digit_of(hex[2 * i + 1]);
    if (low < 0) return -1;
    out[i] = (uint8_t)(high << 4 | low);
  }
  /* A file ends with a line feed. */
  return digit_of(hex[2 * HF_KEY_BYTES]) < 0 ? 0 : -1;
}

static psa_status_t mac_of(const uint8_t key[HF_KEY_BYTES], const char *text, uint8_t mac[32]) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_HMAC);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
  psa_set_key_algorithm(&attributes, PSA_ALG_HMAC(PSA_ALG_SHA_256));
  psa_key_id_t id;
  psa_status_t status = psa_import_key(&attributes, key, HF_KEY_BYTES, &id);
  if (status != PSA_SUCCESS) return status;
  size_t length;
  status = psa_mac_compute(id, PSA_ALG_HMAC(PSA_ALG_SHA_256), (const uint8_t *)text, strlen(text),
                           mac, 32, &length);
  psa_destroy_key(id);
  return status;
}

int hf_sign(const uint8_t key[HF_KEY_BYTES], const char *json, char *out, size_t size) {
  size_t length = strlen(json);
  uint8_t mac[32];
  if (length < 3 || json[length - 1] != '}' || size < length + HF_SIGNATURE_BYTES) return -1;
  if (mac_of(key, json, mac) != PSA_SUCCESS) return -1;
  memcpy(out, json, length - 1);
  char *at = out + length - 1;
  at += sprintf(at, ", \"sig\": \"");
  for (int i = 0; i < 32; i++) at += sprintf(at, "%02x", mac[i]);
  sprintf(at, "\"}");
  return 0;
}

/* mbedTLS asks for each certificate of the chain, after it has judged it; the server's has depth 0. */
static int check_pin(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags) {
  if (depth != 0) return 0;
  const struct hf_pins *pins = context;
  uint8_t hash[HF_PIN_BYTES];
  size_t length;
  psa_status_t status = psa_hash_compute(PSA_ALG_SHA_256, certificate->pk_raw.p,
                                         certificate->pk_raw.len, hash, sizeof hash, &length);
  int is_pinned = status == PSA_SUCCESS && (memcmp(hash, pins->spki[0], HF_PIN_BYTES) == 0 ||
                                            memcmp(hash, pins->spki[1], HF_PIN_BYTES) == 0);
  if (!is_pinned) *flags |= MBEDTLS_X509_BADCERT_NOT_TRUSTED;
  return 0;
}

void hf_pin(mbedtls_ssl_config *conf, mbedtls_x509_crt *ca, struct hf_pins *pins) {
  mbedtls_ssl_conf_authmode(conf, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_ca_chain(conf, ca, NULL);
  mbedtls_ssl_conf_verify(conf, check_pin, pins);
}
