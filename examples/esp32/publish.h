/* Publishes one reading with QoS 1 and waits for its acknowledgement. Part of host.c. */
#include <mbedtls/base64.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>

/* server.pin has the pin of the key in its first line, and that of the next key in its third. */
static void read_pins(const char *folder, struct hf_pins *pins) {
  char *text = read_file(folder, "server.pin");
  int found = 0;
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    size_t length;
    if (strncmp(line, "sha256//", 8) != 0 || found == 2) continue;
    if (mbedtls_base64_decode(pins->spki[found++], HF_PIN_BYTES, &length, (uint8_t *)line + 8,
                              strlen(line + 8)) != 0)
      fail("server.pin has no pin");
  }
  if (found != 2) fail("server.pin has not two pins");
  free(text);
}

static size_t put_text(uint8_t *at, const char *text) {
  size_t length = strlen(text);
  at[0] = (uint8_t)(length >> 8);
  at[1] = (uint8_t)length;
  memcpy(at + 2, text, length);
  return length + 2;
}

static size_t put_head(uint8_t *at, uint8_t type, size_t length) {
  at[0] = type;
  at[1] = (uint8_t)(length % 128 | 128);
  at[2] = (uint8_t)(length / 128);
  return 3;
}

static void write_all(mbedtls_ssl_context *ssl, const uint8_t *bytes, size_t length) {
  if (mbedtls_ssl_write(ssl, bytes, length) != (int)length) fail("not written");
}

static void expect(mbedtls_ssl_context *ssl, uint8_t type, size_t length) {
  uint8_t answer[8] = {0};
  int got;
  /* With TLS 1.3 a ticket may come first. */
  do got = mbedtls_ssl_read(ssl, answer, length);
  while (got == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET || got == MBEDTLS_ERR_SSL_WANT_READ);
  if (got != (int)length || answer[0] != type || answer[length - 1] > 1) fail("not accepted");
}

static void publish(const char *folder, const char *port, const char *id, const char *payload) {
  mbedtls_net_context net;
  mbedtls_ssl_context ssl;
  mbedtls_ssl_config conf;
  mbedtls_x509_crt ca, own;
  mbedtls_pk_context key;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  struct hf_pins pins;
  char *files[3] = {read_file(folder, "ca.crt"), read_file(folder, "client.crt"),
                    read_file(folder, "client.key")};
  mbedtls_net_init(&net);
  mbedtls_ssl_init(&ssl);
  mbedtls_ssl_config_init(&conf);
  mbedtls_x509_crt_init(&ca);
  mbedtls_x509_crt_init(&own);
  mbedtls_pk_init(&key);
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&random);
  read_pins(folder, &pins);
  if (mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0) != 0 ||
      mbedtls_x509_crt_parse(&ca, (uint8_t *)files[0], strlen(files[0]) + 1) != 0 ||
      mbedtls_x509_crt_parse(&own, (uint8_t *)files[1], strlen(files[1]) + 1) != 0 ||
      mbedtls_pk_parse_key(&key, (uint8_t *)files[2], strlen(files[2]) + 1, NULL, 0,
                           mbedtls_ctr_drbg_random, &random) != 0)
    fail("the bundle cannot be read");
  if (mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                  MBEDTLS_SSL_PRESET_DEFAULT) != 0)
    fail("no configuration");
  mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &random);
  mbedtls_ssl_conf_min_tls_version(&conf, MBEDTLS_SSL_VERSION_TLS1_3);
  hf_pin(&conf, &ca, &pins);
  if (mbedtls_ssl_conf_own_cert(&conf, &own, &key) != 0 || mbedtls_ssl_setup(&ssl, &conf) != 0 ||
      mbedtls_ssl_set_hostname(&ssl, "localhost") != 0)
    fail("no TLS");
  if (mbedtls_net_connect(&net, "localhost", port, MBEDTLS_NET_PROTO_TCP) != 0) fail("no server");
  mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
  if (mbedtls_ssl_handshake(&ssl) != 0) fail("the server is not the pinned one");

  uint8_t packet[16384];
  uint8_t body[16000];
  size_t length = put_text(body, "MQTT");
  static const uint8_t connect[] = {4, 2, 0, 60}; /* 3.1.1, clean session, keep-alive 60 s */
  memcpy(body + length, connect, sizeof connect);
  length += sizeof connect;
  length += put_text(body + length, id);
  size_t head = put_head(packet, 0x10, length);
  memcpy(packet + head, body, length);
  write_all(&ssl, packet, head + length);
  expect(&ssl, 0x20, 4);

  char topic[128];
  snprintf(topic, sizeof topic, "d/%s/telemetry", id);
  length = put_text(body, topic);
  body[length++] = 0;
  body[length++] = 1;
  memcpy(body + length, payload, strlen(payload));
  length += strlen(payload);
  head = put_head(packet, 0x32, length);
  memcpy(packet + head, body, length);
  write_all(&ssl, packet, head + length);
  expect(&ssl, 0x40, 4);
  printf("%s, acknowledged\n", mbedtls_ssl_get_version(&ssl));

  mbedtls_ssl_close_notify(&ssl);
  mbedtls_net_free(&net);
  mbedtls_ssl_free(&ssl);
  mbedtls_ssl_config_free(&conf);
  mbedtls_x509_crt_free(&ca);
  mbedtls_x509_crt_free(&own);
  mbedtls_pk_free(&key);
  mbedtls_ctr_drbg_free(&random);
  mbedtls_entropy_free(&entropy);
  for (int i = 0; i < 3; i++) free(files[i]);
}
