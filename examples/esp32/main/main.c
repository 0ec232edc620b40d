/*
 * A sensor on an ESP32, with ESP-IDF 5.3 or later of the 5.x line: signs a reading every ten seconds
 * and publishes it. See docs/guides/esp32.md for the configuration; `start_network` is yours.
 */
#include <esp_log.h>
#include <inttypes.h>
#include <mbedtls/base64.h>
#include <mqtt_client.h>
#include <nvs.h>
#include <nvs_flash.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "holdfast.h"

#define DEVICE "sensor-1"
#define BROKER "mqtts://iot.example.org:8883"

/* Files of the device bundle; EMBED_TXTFILES of CMakeLists.txt ends each of them with a zero. */
extern const char ca_crt[] asm("_binary_ca_crt_start");
extern const char client_crt[] asm("_binary_client_crt_start");

extern void start_network(void); /* Wi-Fi, and the time by SNTP: readings are signed with it. */
extern double read_temperature(void);

static const char *TAG = "holdfast";
static mbedtls_x509_crt ca;
static struct hf_pins pins;

static void read_text(nvs_handle_t nvs, const char *name, char *out, size_t size) {
  ESP_ERROR_CHECK(nvs_get_str(nvs, name, out, &size));
}

/* esp-mqtt calls it for each connection, in place of its bundle of public authorities. */
static esp_err_t pin_server(void *conf) {
  hf_pin(conf, &ca, &pins);
  return ESP_OK;
}

static void read_pin(nvs_handle_t nvs, const char *name, uint8_t out[HF_PIN_BYTES]) {
  char text[64];
  size_t length;
  read_text(nvs, name, text, sizeof text);
  if (mbedtls_base64_decode(out, HF_PIN_BYTES, &length, (uint8_t *)text, strlen(text)) != 0) abort();
}

void app_main(void) {
  static char client_key[512];
  char payload_key[80];
  uint8_t key[HF_KEY_BYTES];
  nvs_handle_t nvs;
  ESP_ERROR_CHECK(nvs_flash_init());
  ESP_ERROR_CHECK(nvs_open("holdfast", NVS_READONLY, &nvs));
  read_text(nvs, "client.key", client_key, sizeof client_key);
  read_text(nvs, "payload.key", payload_key, sizeof payload_key);
  read_pin(nvs, "pin", pins.spki[0]);
  read_pin(nvs, "pin-next", pins.spki[1]);
  if (psa_crypto_init() != PSA_SUCCESS || hf_from_hex(payload_key, key) != 0) abort();
  mbedtls_x509_crt_init(&ca);
  if (mbedtls_x509_crt_parse(&ca, (const uint8_t *)ca_crt, strlen(ca_crt) + 1) != 0) abort();
  start_network();

  const esp_mqtt_client_config_t config = {
      .broker.address.uri = BROKER,
      .broker.verification.crt_bundle_attach = pin_server,
      .credentials.client_id = DEVICE,
      .credentials.authentication.certificate = client_crt,
      .credentials.authentication.key = client_key,
  };
  esp_mqtt_client_handle_t client = esp_mqtt_client_init(&config);
  ESP_ERROR_CHECK(esp_mqtt_client_start(client));

  for (;;) {
    struct timeval now;
    gettimeofday(&now, NULL);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
    char json[128];
    char payload[sizeof json + HF_SIGNATURE_BYTES];
    /* The names in the order of the alphabet. The time in milliseconds is the counter, too. */
    snprintf(json, sizeof json, "{\"ctr\": %" PRId64 ", \"temp\": %.2f, \"ts\": %" PRId64 "}", ms,
             read_temperature(), ms);
    if (hf_sign(key, json, payload, sizeof payload) != 0) abort();
    /* Kept until the server has acknowledged it, which means: on its disk. */
    int id = esp_mqtt_client_enqueue(client, "d/" DEVICE "/telemetry", payload, 0, 1, 0, true);
    ESP_LOGI(TAG, "%d %s", id, json);
    vTaskDelay(pdMS_TO_TICKS(10000));
  }
}
