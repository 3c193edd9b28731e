/* payload: what a message says about itself, and whether it arrived as it was sent.
 *
 * A message begins with two words of 64 bits: its sequence; its length, below its sender. From 24 bytes on
 * the sequence stands again in its last 8, so that a message torn in the middle shows without reading it all.
 * A message shorter than the header carries as many low bytes of the sequence as fit. With verification in
 * full every byte in between is a function of sequence and offset.
 *
 * Inline: it runs inside timed loops, as it does for every mechanism alike. Byte order is the host's. */
#ifndef IPCLAB_WORKERS_PAYLOAD_H
#define IPCLAB_WORKERS_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/frame.h"
#include "common/words.h"

enum { PAYLOAD_HEADER_BYTES = 16, PAYLOAD_TRAILER_FROM_BYTES = 24 };

_Static_assert((int)PAYLOAD_HEADER_BYTES == (int)CASE_SHARED_BYTES_MIN, "a whole header names the sender");

struct payload_header {
    uint64_t sequence;
    uint32_t length;
    uint32_t sender;
};

/* One sender's messages as one receiver sees them. */
struct payload_check {
    uint64_t expected; /* the sequence that is next */
    uint64_t recent;   /* bit i: expected - 1 - i has come */
    struct frame_integrity integrity;
};

/* Room for messages of so many bytes: whole pages, so that no line is shared with anything else, and each
 * touched. The caller frees it; NULL without memory. */
unsigned char *payload_new_buffer(size_t bytes);

/* The bytes between header and trailer, or between what there is of them. */
void payload_fill(unsigned char *message, size_t bytes, uint64_t sequence);
bool payload_is_filled(const unsigned char *message, size_t bytes, uint64_t sequence);
/* Takes a sequence that is not the expected one into account: lost, duplicated or reordered. */
void payload_check_unexpected(struct payload_check *check, uint64_t sequence);
/* Nothing before `next` is waited for any more: what of it has not come is lost. */
void payload_check_skip_to(struct payload_check *check, uint64_t next);

static inline void payload_write(unsigned char *message, size_t bytes, uint64_t sequence, uint32_t sender,
                                 enum verify verify)
{
    const uint64_t parties = (uint64_t)sender << 32 | (uint32_t)bytes;
    if (bytes >= PAYLOAD_HEADER_BYTES) {
        memcpy(message, &sequence, sizeof sequence);
        memcpy(message + sizeof sequence, &parties, sizeof parties);
    } else {
        memcpy(message, &sequence, bytes < sizeof sequence ? bytes : sizeof sequence);
    }
    if (bytes >= PAYLOAD_TRAILER_FROM_BYTES)
        memcpy(message + bytes - sizeof sequence, &sequence, sizeof sequence);
    if (__builtin_expect(verify == VERIFY_FULL, 0))
        payload_fill(message, bytes, sequence);
}

/* The sequence a message says it has. Of a short one only low bytes came: the number nearest to the expected
 * one with these low bytes. */
static inline uint64_t payload_sequence(const unsigned char *message, size_t bytes, uint64_t expected)
{
    uint64_t sequence = 0;
    if (bytes >= sizeof sequence) {
        memcpy(&sequence, message, sizeof sequence);
        return sequence;
    }
    memcpy(&sequence, message, bytes);
    unsigned unknown_bits = 64 - 8 * (unsigned)bytes;
    int64_t difference = (int64_t)((sequence - expected) << unknown_bits) >> unknown_bits;
    return expected + (uint64_t)difference;
}

/* Of a message of PAYLOAD_HEADER_BYTES or more. */
static inline struct payload_header payload_header_of(const unsigned char *message)
{
    uint64_t sequence, parties;
    memcpy(&sequence, message, sizeof sequence);
    memcpy(&parties, message + sizeof sequence, sizeof parties);
    return (struct payload_header){
        .sequence = sequence, .length = (uint32_t)parties, .sender = (uint32_t)(parties >> 32)};
}

/* Do the parts of a message that says it has this sequence contradict each other? */
static inline bool payload_is_torn(const unsigned char *message, size_t bytes, uint64_t sequence,
                                   uint32_t sender, enum verify verify)
{
    bool torn = false;
    if (bytes >= PAYLOAD_HEADER_BYTES) {
        struct payload_header header = payload_header_of(message);
        torn = header.length != (uint32_t)bytes || header.sender != sender;
    }
    if (bytes >= PAYLOAD_TRAILER_FROM_BYTES) {
        uint64_t trailer;
        memcpy(&trailer, message + bytes - sizeof trailer, sizeof trailer);
        torn |= trailer != sequence;
    }
    if (__builtin_expect(verify == VERIFY_FULL, 0))
        torn |= !payload_is_filled(message, bytes, sequence);
    return torn;
}

/* Counts the message and returns its sequence; the expected one if the message is torn, and without
 * verification. */
static inline uint64_t payload_check(struct payload_check *check, const unsigned char *message, size_t bytes,
                                     uint32_t sender, enum verify verify)
{
    uint64_t sequence = payload_sequence(message, bytes, check->expected);
    if (__builtin_expect(verify == VERIFY_NONE, 0))
        return check->expected++;
    if (__builtin_expect(payload_is_torn(message, bytes, sequence, sender, verify), 0)) {
        check->integrity.torn++;
        sequence = check->expected;
    }
    if (__builtin_expect(sequence == check->expected, 1)) {
        check->expected++;
        check->recent = check->recent << 1 | 1;
    } else {
        payload_check_unexpected(check, sequence);
    }
    return sequence;
}

#endif
