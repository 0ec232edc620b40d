/*
 * The same device on a host: flash is a file, signatures are checked by OpenSSL. What it does:
 * device FLASH KEY.pem format                 flash as it comes from the factory
 * device FLASH KEY.pem update IMAGE SIG [N]   an update of N bytes is offered (default: all)
 * device FLASH KEY.pem run                    starts, and starts again, until an image stays
 * The first byte behind an image's header says what it does: O works, C crashes at once, S never
 * reaches the backend. HF_CUT=n cuts the power in the middle of the n-th change of flash.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "updater.h"

static FILE *flash;
static EVP_PKEY *key;
static long cut;

static void must(bool it_did) { if (!it_did) perror("device"), exit(2); }

void hf_flash_read(uint32_t at, void *to, uint32_t length) {
    must(at <= HF_FLASH_SIZE && length <= HF_FLASH_SIZE - at);
    must(fseek(flash, at, SEEK_SET) == 0 && fread(to, 1, length, flash) == length);
}

static void change(uint32_t at, const uint8_t *bytes, uint32_t length) {
    bool is_cut = cut > 0 && --cut == 0;
    if (is_cut) length /= 2;
    must(at <= HF_FLASH_SIZE && length <= HF_FLASH_SIZE - at);
    must(fseek(flash, at, SEEK_SET) == 0 && fwrite(bytes, 1, length, flash) == length);
    must(fflush(flash) == 0);
    if (is_cut) exit(3);
}

void hf_flash_erase(uint32_t at) {
    uint8_t ones[HF_BLOCK];
    memset(ones, 0xff, sizeof ones);
    change(at, ones, sizeof ones);
}

/* Writing only clears bits: what was not erased before comes out wrong, as in flash. */
void hf_flash_write(uint32_t at, const void *from, uint32_t length) {
    uint8_t now[HF_BLOCK];
    must(length <= sizeof now);
    hf_flash_read(at, now, length);
    for (uint32_t i = 0; i < length; i++) now[i] &= ((const uint8_t *)from)[i];
    change(at, now, length);
}

bool hf_verify(const uint8_t digest[32], const uint8_t *signature, size_t length) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool holds = context && EVP_PKEY_verify_init(context) == 1 &&
                 EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
                 EVP_PKEY_verify(context, signature, length, digest, 32) == 1;
    EVP_PKEY_CTX_free(context);
    return holds;
}

static uint32_t read_file(const char *path, uint8_t *to, size_t max) {
    FILE *file = fopen(path, "rb");
    must(file != NULL);
    size_t length = fread(to, 1, max, file);
    return fclose(file), (uint32_t)length;
}

static int update(const char *image_path, const char *signature_path, const char *announced) {
    static const char *const words[] = {"staged",    "too large",     "truncated", "bad signature",
                                        "bad image", "lower counter", "busy"};
    static uint8_t image[HF_SLOT_SIZE + 1], signature[HF_SIGNATURE_MAX + 1];
    struct hf_update update;
    uint32_t sent = read_file(image_path, image, sizeof image);
    uint32_t signature_length = read_file(signature_path, signature, sizeof signature);
    enum hf_result result = hf_update_start(&update, announced ? (uint32_t)atol(announced) : sent);
    for (uint32_t at = 0; result == HF_OK && at < sent; at += 512)
        result = hf_update_add(&update, image + at, sent - at < 512 ? sent - at : 512);
    if (result == HF_OK) result = hf_update_end(&update, signature, signature_length);
    puts(words[result]);
    return result == HF_OK ? 0 : 1;
}

static int run(void) {
    for (unsigned starts = 0; starts < 10; starts++) {
        int slot = hf_boot();
        char kind;
        if (slot < 0) return puts("nothing to start"), 1;
        hf_flash_read(2 * HF_BLOCK + (uint32_t)slot * HF_SLOT_SIZE + 32, &kind, 1);
        printf("slot %c: %c\n", 'a' + slot, kind);
        if (kind == 'O') return hf_confirm((uint32_t)slot), puts("reached the backend"), 0;
        uint32_t ms = kind == 'S' ? HF_TRIAL_MS : 0;
        if (ms > 0 && hf_trial_is_over((uint32_t)slot, ms - 1)) return puts("reset too early"), 1;
        if (ms > 0 && !hf_trial_is_over((uint32_t)slot, ms)) return puts("stays silent"), 0;
        printf("reset after %u ms\n", ms);
    }
    return puts("gives up"), 1;
}

int main(int count, char **words) {
    bool is_new = count == 4 && strcmp(words[3], "format") == 0;
    FILE *pem = count < 4 ? NULL : fopen(words[2], "rb");
    must(pem && (key = PEM_read_PUBKEY(pem, NULL, NULL, NULL)));
    must((flash = fopen(words[1], is_new ? "w+b" : "r+b")) != NULL);
    cut = getenv("HF_CUT") ? atol(getenv("HF_CUT")) : 0;
    if (strcmp(words[3], "run") == 0) return run();
    if (!is_new) return must(count >= 6), update(words[4], words[5], words[6]);
    for (uint32_t at = 0; at < HF_FLASH_SIZE; at += HF_BLOCK) hf_flash_erase(at);
    return hf_format(), 0;
}
