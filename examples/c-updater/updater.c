/* Slots, states and the check of images. What is refused leaves no trace but an erased slot. */
#include "updater.h"
#include <string.h>

#define MAGIC 0x31534648u /* "HFS1" */
#define HEADER 32u        /* Of an MCUboot image. */
#define MCUBOOT_MAGIC 0x96f3b83du
#define PROTECTED_MAGIC 0x6908u
#define TLV_COUNTER 0x50u

static uint32_t slot_at(uint32_t slot) { return 2u * HF_BLOCK + slot * HF_SLOT_SIZE; }

static uint32_t little(const uint8_t *bytes, unsigned count) {
    uint32_t value = 0;
    while (count-- > 0) value = value << 8 | bytes[count];
    return value;
}

static void check_of(const struct hf_state *state, uint8_t check[32]) {
    struct hf_sha256 hash;
    hf_sha256_start(&hash);
    hf_sha256_add(&hash, (const uint8_t *)state, offsetof(struct hf_state, check));
    hf_sha256_end(&hash, check);
}

/* The newer of the two states that is whole. A device without one starts nothing. */
static bool read_state(struct hf_state *state) {
    bool found = false;
    for (uint32_t copy = 0; copy < 2; copy++) {
        struct hf_state read;
        uint8_t check[32];
        hf_flash_read(copy * HF_BLOCK, &read, sizeof read);
        check_of(&read, check);
        bool whole = memcmp(check, read.check, sizeof check) == 0 && read.magic == MAGIC;
        if (!whole || read.slot > 1 || (found && read.sequence <= state->sequence)) continue;
        *state = read, found = true;
    }
    return found;
}

/* Over the older copy: the newer one stays whole until this one is. */
static void write_state(struct hf_state *state) {
    state->magic = MAGIC;
    state->sequence++;
    check_of(state, state->check);
    uint32_t at = state->sequence % 2 * HF_BLOCK;
    hf_flash_erase(at);
    hf_flash_write(at, state, sizeof *state);
}

/*
 * Reads the security counter of an MCUboot image. Image and protected TLVs have to fit into what
 * was signed. A counter that is missing, or there twice, is no counter.
 */
static bool read_counter(uint32_t slot, uint32_t length, uint32_t *counter) {
    uint8_t header[HEADER], tlv[4], value[4];
    unsigned found = 0;
    if (length < HEADER) return false;
    hf_flash_read(slot_at(slot), header, HEADER);
    uint32_t header_size = little(header + 8, 2), table_size = little(header + 10, 2);
    uint32_t image_size = little(header + 12, 4);
    if (little(header, 4) != MCUBOOT_MAGIC || header_size < HEADER) return false;
    if (header_size > length) return false;
    if (image_size > length - header_size || table_size < sizeof tlv) return false;
    if (table_size > length - header_size - image_size) return false;
    uint32_t at = slot_at(slot) + header_size + image_size, end = at + table_size;
    hf_flash_read(at, tlv, sizeof tlv);
    if (little(tlv, 2) != PROTECTED_MAGIC || little(tlv + 2, 2) != table_size) return false;
    for (at += sizeof tlv; at < end;) {
        if (end - at < sizeof tlv) return false;
        hf_flash_read(at, tlv, sizeof tlv);
        uint32_t size = little(tlv + 2, 2);
        at += sizeof tlv;
        if (size > end - at) return false;
        if (little(tlv, 2) == TLV_COUNTER) {
            if (size != sizeof value || found++ > 0) return false;
            hf_flash_read(at, value, sizeof value);
            *counter = little(value, 4);
        }
        at += size;
    }
    return found == 1;
}

enum hf_result hf_update_start(struct hf_update *update, uint32_t length) {
    memset(update, 0, sizeof *update);
    if (!read_state(&update->state)) return HF_BAD_IMAGE;
    if (update->state.trial) return HF_BUSY;
    if (length > HF_SLOT_SIZE) return HF_TOO_LARGE;
    update->slot = 1 - update->state.slot;
    update->length = length;
    hf_sha256_start(&update->hash);
    for (uint32_t at = 0; at < HF_SLOT_SIZE; at += HF_BLOCK)
        hf_flash_erase(slot_at(update->slot) + at);
    return HF_OK;
}

enum hf_result hf_update_add(struct hf_update *update, const uint8_t *bytes, uint32_t length) {
    if (length > update->length - update->received) return HF_TOO_LARGE;
    hf_sha256_add(&update->hash, bytes, length);
    hf_flash_write(slot_at(update->slot) + update->received, bytes, length);
    update->received += length;
    return HF_OK;
}

enum hf_result hf_update_end(struct hf_update *update, const uint8_t *signature, size_t length) {
    struct hf_state *state = &update->state;
    uint8_t digest[32];
    uint32_t counter = 0;
    if (update->received != update->length) return HF_TRUNCATED;
    hf_sha256_end(&update->hash, digest);
    if (length > HF_SIGNATURE_MAX || !hf_verify(digest, signature, length)) return HF_BAD_SIGNATURE;
    if (!read_counter(update->slot, update->length, &counter)) return HF_BAD_IMAGE;
    if (counter < state->counter) return HF_LOWER_COUNTER;
    state->image[update->slot].length = update->length;
    state->image[update->slot].signature_length = (uint32_t)length;
    memcpy(state->image[update->slot].signature, signature, length);
    state->trial = 1, state->tries = HF_TRIES;
    write_state(state);
    return HF_OK;
}

/* Checks what is in flash now, at each start: it may have changed since it was written. */
static bool may_start(const struct hf_state *state, uint32_t slot) {
    uint8_t part[256], digest[32];
    uint32_t length = state->image[slot].length, counter = 0;
    size_t signature_length = state->image[slot].signature_length;
    struct hf_sha256 hash;
    if (length > HF_SLOT_SIZE || signature_length > HF_SIGNATURE_MAX) return false;
    hf_sha256_start(&hash);
    for (uint32_t at = 0; at < length; at += sizeof part) {
        uint32_t count = length - at < sizeof part ? length - at : (uint32_t)sizeof part;
        hf_flash_read(slot_at(slot) + at, part, count);
        hf_sha256_add(&hash, part, count);
    }
    hf_sha256_end(&hash, digest);
    return hf_verify(digest, state->image[slot].signature, signature_length) &&
           read_counter(slot, length, &counter) && counter >= state->counter;
}

int hf_boot(void) {
    struct hf_state state;
    if (!read_state(&state)) return -1;
    if (state.trial) {
        uint32_t trial = 1 - state.slot;
        if (state.tries == 0 || !may_start(&state, trial)) state.trial = 0;
        else state.tries--;
        write_state(&state);
        if (state.trial) return (int)trial;
    }
    return may_start(&state, state.slot) ? (int)state.slot : -1;
}

void hf_confirm(uint32_t running) {
    struct hf_state state;
    uint32_t counter = 0;
    if (!read_state(&state) || !state.trial || running == state.slot) return;
    if (!read_counter(running, state.image[running].length, &counter)) return;
    state.slot = running, state.trial = 0, state.counter = counter;
    write_state(&state);
}

bool hf_trial_is_over(uint32_t running, uint32_t ms_since_start) {
    struct hf_state state;
    return ms_since_start >= HF_TRIAL_MS && read_state(&state) && state.trial &&
           running != state.slot;
}

/* A device without an image: the first update goes into slot a. */
void hf_format(void) {
    struct hf_state state = {.slot = 1};
    write_state(&state);
}
