/* What a device in C needs beside its MQTT client: to sign readings, and to pin the server. */
#ifndef HOLDFAST_H
#define HOLDFAST_H

#include <mbedtls/ssl.h>
#include <stddef.h>
#include <stdint.h>

#define HF_KEY_BYTES 32
#define HF_PIN_BYTES 32
/* What hf_sign adds: a comma, the name, 64 digits, and the zero at the end. */
#define HF_SIGNATURE_BYTES 80

/* Reads 64 hexadecimal digits, such as those of payload.key. 0, or -1 for anything else. */
int hf_from_hex(const char *hex, uint8_t out[HF_KEY_BYTES]);

/*
 * Signs a reading. `json` is one object in the form of Python's json.dumps(…, sort_keys=True): names
 * sorted, a blank behind each comma and colon, ASCII only. `out` gets it with its signature; `size`
 * is HF_SIGNATURE_BYTES more than the reading. 0, or -1. Call psa_crypto_init() before.
 */
int hf_sign(const uint8_t key[HF_KEY_BYTES], const char *json, char *out, size_t size);

/* Keys of the server that are accepted: SHA-256 of the public key, now and next. */
struct hf_pins {
  uint8_t spki[2][HF_PIN_BYTES];
};

/*
 * Accepts a server only if its certificate leads to `ca` *and* its key is one of the pins. The host
 * name is checked by mbedTLS. Both have to live for as long as the connection.
 */
void hf_pin(mbedtls_ssl_config *conf, mbedtls_x509_crt *ca, struct hf_pins *pins);

#endif
