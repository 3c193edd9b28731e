#include "workers/payload.h"

#include <stdlib.h>

/* Of 64 bits each, so that filling and checking run at the speed of memory. The multiplier is the golden
 * ratio's (D. Knuth, TAOCP 3, 6.4): neighbours in sequence or offset differ in every byte. */
static uint64_t word_at(uint64_t sequence, size_t offset)
{
    return (sequence + offset + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* [*begin, *end): after the header or what there is of it, before the trailer if there is one. */
static void middle_of(size_t bytes, size_t *begin, size_t *end)
{
    *begin = bytes >= PAYLOAD_HEADER_BYTES ? PAYLOAD_HEADER_BYTES
             : bytes < sizeof(uint64_t)    ? bytes
                                           : sizeof(uint64_t);
    *end = bytes >= PAYLOAD_TRAILER_FROM_BYTES ? bytes - sizeof(uint64_t) : bytes;
}

unsigned char *payload_new_buffer(size_t bytes)
{
    enum { PAGE_BYTES = 4096 };
    size_t rounded = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    unsigned char *buffer = aligned_alloc(PAGE_BYTES, rounded);
    if (buffer != NULL)
        memset(buffer, 0, rounded); /* and touches every page */
    return buffer;
}

void payload_fill(unsigned char *message, size_t bytes, uint64_t sequence)
{
    size_t at, end;
    middle_of(bytes, &at, &end);
    for (; at + sizeof(uint64_t) <= end; at += sizeof(uint64_t)) {
        uint64_t word = word_at(sequence, at);
        memcpy(message + at, &word, sizeof word);
    }
    uint64_t word = word_at(sequence, at);
    memcpy(message + at, &word, end - at);
}

bool payload_is_filled(const unsigned char *message, size_t bytes, uint64_t sequence)
{
    size_t at, end;
    middle_of(bytes, &at, &end);
    uint64_t differences = 0;
    for (; at + sizeof(uint64_t) <= end; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, message + at, sizeof word);
        differences |= word ^ word_at(sequence, at);
    }
    uint64_t word = word_at(sequence, at);
    return differences == 0 && memcmp(message + at, &word, end - at) == 0;
}

void payload_check_skip_to(struct payload_check *check, uint64_t next)
{
    int64_t ahead = (int64_t)(next - check->expected);
    if (ahead <= 0)
        return;
    check->integrity.lost += (uint64_t)ahead;
    check->expected = next;
    check->recent = ahead < 64 ? check->recent << ahead : 0;
}

void payload_check_unexpected(struct payload_check *check, uint64_t sequence)
{
    int64_t ahead = (int64_t)(sequence - check->expected);
    if (ahead >= 0) {
        /* What lies between has not come; if it comes late it is taken out of the losses again. */
        check->integrity.lost += (uint64_t)ahead;
        check->expected = sequence + 1;
        check->recent = ahead < 63 ? check->recent << (ahead + 1) | 1 : 1;
        return;
    }
    uint64_t behind = (uint64_t)-ahead - 1; /* its bit in recent */
    uint64_t bit = behind < 64 ? UINT64_C(1) << behind : 0;
    if ((check->recent & bit) != 0) {
        check->integrity.duplicated++;
        return;
    }
    check->recent |= bit;
    check->integrity.reordered++;
    if (check->integrity.lost > 0)
        check->integrity.lost--;
}
