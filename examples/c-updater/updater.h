/* The microcontroller's side of an update: no heap, no files, no clock. See README.md. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_BLOCK 4096u /* What flash erases at once. */
#define HF_SLOT_SIZE (16u * HF_BLOCK)
#define HF_FLASH_SIZE (2u * (HF_BLOCK + HF_SLOT_SIZE)) /* Two states, slot a, slot b. */
#define HF_SIGNATURE_MAX 72u /* ECDSA P-256 in DER. */
#define HF_TRIES 3u
#define HF_TRIAL_MS 30000u

enum hf_result { HF_OK, HF_TOO_LARGE, HF_TRUNCATED, HF_BAD_SIGNATURE, HF_BAD_IMAGE,
                 HF_LOWER_COUNTER, HF_BUSY };

/* What a device brings along. Flash ends the program, or resets, where it fails. */
void hf_flash_read(uint32_t at, void *to, uint32_t length);
void hf_flash_erase(uint32_t at); /* One block; all its bits become 1. */
void hf_flash_write(uint32_t at, const void *from, uint32_t length);
bool hf_verify(const uint8_t digest[32], const uint8_t *signature, size_t length);

struct hf_sha256 { uint32_t state[8]; uint64_t length; uint8_t block[64]; };
void hf_sha256_start(struct hf_sha256 *hash);
void hf_sha256_add(struct hf_sha256 *hash, const uint8_t *bytes, size_t length);
void hf_sha256_end(struct hf_sha256 *hash, uint8_t digest[32]);

/* Kept twice in flash, so that one is whole whenever the power is cut. */
struct hf_state {
    uint32_t magic, sequence;
    uint32_t slot;    /* Confirmed: 0 is a, 1 is b. */
    uint32_t tries;   /* Starts of the other slot that are left. */
    uint32_t trial;   /* 1 while the other slot is on trial. */
    uint32_t counter; /* Lower ones are refused; rises when an image is confirmed. */
    struct { uint32_t length, signature_length; uint8_t signature[HF_SIGNATURE_MAX]; } image[2];
    uint8_t check[32]; /* SHA-256 of what stands before. */
};

struct hf_update {
    struct hf_state state;
    struct hf_sha256 hash;
    uint32_t slot, length, received;
};

enum hf_result hf_update_start(struct hf_update *update, uint32_t length);
enum hf_result hf_update_add(struct hf_update *update, const uint8_t *bytes, uint32_t length);
enum hf_result hf_update_end(struct hf_update *update, const uint8_t *signature, size_t length);

/* Which slot to start: 0, 1, or -1 when none may be. Counts a try before it gives a trial. */
int hf_boot(void);
/* The image that runs has reached the backend. */
void hf_confirm(uint32_t running);
/* Whether to reset: on trial, and not confirmed in time. A watchdog has to call for the dead. */
bool hf_trial_is_over(uint32_t running, uint32_t ms_since_start);
void hf_format(void);
