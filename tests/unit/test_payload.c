#include <stdlib.h>
#include <string.h>

#include "tests/support/criterion.h"
#include "workers/payload.h"

static const size_t sizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 64, 100, 4097};
enum { SIZE_MAX_BYTES = 4097, SENDER = 3 };

static bool is_clean(const struct frame_integrity *integrity)
{
    return integrity->lost + integrity->torn + integrity->duplicated + integrity->reordered == 0;
}

Test(payload, is_what_was_written_at_every_size)
{
    unsigned char message[SIZE_MAX_BYTES];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct payload_check check = {.expected = 1};
        for (uint64_t sequence = 1; sequence <= 1000; sequence++) {
            payload_write(message, sizes[i], sequence, SENDER, VERIFY_FULL);
            cr_assert(eq(u64, payload_check(&check, message, sizes[i], SENDER, VERIFY_FULL), sequence));
        }
        cr_expect(is_clean(&check.integrity), "%zu bytes", sizes[i]);
    }
}

Test(payload, shows_every_changed_byte)
{
    unsigned char message[SIZE_MAX_BYTES];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t at = 0; at < sizes[i]; at++) {
            struct payload_check check = {.expected = 77};
            payload_write(message, sizes[i], 77, SENDER, VERIFY_FULL);
            message[at] ^= 0x10;
            payload_check(&check, message, sizes[i], SENDER, VERIFY_FULL);
            cr_assert(not(is_clean(&check.integrity)), "byte %zu of %zu", at, sizes[i]);
        }
}

Test(payload, header_alone_shows_a_message_torn_in_the_middle)
{
    unsigned char message[64], next[64];
    struct payload_check check = {.expected = 5};
    payload_write(message, sizeof message, 5, SENDER, VERIFY_HEADER);
    payload_write(next, sizeof next, 6, SENDER, VERIFY_HEADER);
    memcpy(message + 32, next + 32, 32);
    payload_check(&check, message, sizeof message, SENDER, VERIFY_HEADER);
    cr_expect(eq(u64, check.integrity.torn, 1));
    payload_check(&check, next, sizeof next, SENDER, VERIFY_HEADER);
    cr_expect(eq(u64, check.integrity.lost, 0), "a torn message is not also a lost one");
}

Test(payload, knows_another_sender_and_another_length)
{
    unsigned char message[64];
    struct payload_check check = {.expected = 1};
    payload_write(message, sizeof message, 1, SENDER, VERIFY_HEADER);
    payload_check(&check, message, sizeof message, SENDER + 1, VERIFY_HEADER);
    payload_write(message, sizeof message, 2, SENDER, VERIFY_HEADER);
    message[8] ^= 1;
    payload_check(&check, message, sizeof message, SENDER, VERIFY_HEADER);
    cr_expect(eq(u64, check.integrity.torn, 2));
}

static struct frame_integrity integrity_of(const uint64_t *sequences, size_t count, size_t bytes)
{
    unsigned char message[64];
    struct payload_check check = {.expected = 1};
    for (size_t i = 0; i < count; i++) {
        payload_write(message, bytes, sequences[i], SENDER, VERIFY_HEADER);
        payload_check(&check, message, bytes, SENDER, VERIFY_HEADER);
    }
    return check.integrity;
}

Test(payload, counts_losses_duplicates_and_disorder)
{
    static const struct {
        uint64_t sequences[6];
        struct frame_integrity expected;
    } cases[] = {
        {{1, 2, 3, 4, 5, 6}, {.lost = 0}},
        {{1, 2, 5, 6, 7, 8}, {.lost = 2}},
        {{1, 2, 2, 3, 4, 4}, {.duplicated = 2}},
        {{1, 3, 2, 4, 5, 6}, {.reordered = 1}},
        {{4, 3, 2, 1, 5, 6}, {.reordered = 3}},
        {{1, 4, 2, 2, 5, 6}, {.lost = 1, .reordered = 1, .duplicated = 1}},
        {{1, 100, 101, 102, 103, 104}, {.lost = 98}},
    };
    static const size_t short_and_long[] = {1, 4, 16, 64};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t j = 0; j < 4; j++) {
            struct frame_integrity got = integrity_of(cases[i].sequences, 6, short_and_long[j]);
            cr_expect(eq(u64, got.lost, cases[i].expected.lost), "case %zu", i);
            cr_expect(eq(u64, got.duplicated, cases[i].expected.duplicated), "case %zu", i);
            cr_expect(eq(u64, got.reordered, cases[i].expected.reordered), "case %zu", i);
            cr_expect(eq(u64, got.torn, 0), "case %zu", i);
        }
}

Test(payload, single_bytes_run_on_past_256)
{
    unsigned char byte;
    struct payload_check check = {.expected = 1};
    for (uint64_t sequence = 1; sequence < 100000; sequence++) {
        payload_write(&byte, 1, sequence, SENDER, VERIFY_HEADER);
        cr_assert(eq(u64, payload_check(&check, &byte, 1, SENDER, VERIFY_HEADER), sequence));
    }
}
