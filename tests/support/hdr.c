#include "tests/support/hdr.h"

#include <errno.h>
#include <stdbool.h>
#include <zlib.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/text.h"

/* Of version 2, without the word size of the counts. */
#define COOKIE_PLAIN UINT32_C(0x1c849303)
#define COOKIE_COMPRESSED UINT32_C(0x1c849304)
#define COOKIE_MASK UINT32_C(0xffffff0f)

enum {
    ENVELOPE_BYTES = 8,
    HEADER_BYTES = 40,
    DIGITS_MAX = 5,
    COUNTS_BYTES_MAX = 4 << 20,
    MAGNITUDE_MAX = 47, /* of the lowest value: what is left still has buckets */
};

static uint64_t read_big_endian(const unsigned char *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* True if there was one. */
static bool read_zigzag(const unsigned char **at, const unsigned char *end, int64_t *value)
{
    uint64_t raw = 0;
    for (unsigned i = 0; i < 9; i++) {
        if (*at == end)
            return false;
        unsigned char byte = *(*at)++;
        raw |= (i < 8 ? (uint64_t)(byte & 0x7F) : byte) << (7 * i);
        if (i == 8 || byte < 0x80)
            break;
    }
    *value = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
    return true;
}

static int inflate_counts(const struct text *packed, struct text *plain, struct err *err)
{
    const unsigned char *bytes = (const unsigned char *)packed->bytes;
    if (packed->length < ENVELOPE_BYTES || (read_big_endian(bytes, 4) & COOKIE_MASK) != COOKIE_COMPRESSED)
        return err_set(err, EPROTO, "not a compressed HdrHistogram of version 2");
    if (read_big_endian(bytes + 4, 4) != packed->length - ENVELOPE_BYTES)
        return err_set(err, EBADMSG, "a histogram that is shorter or longer than it says");
    uLongf length = HEADER_BYTES + COUNTS_BYTES_MAX;
    AUTO_FREE unsigned char *inflated = malloc(length);
    if (inflated == NULL)
        return err_set(err, ENOMEM, "out of memory for a histogram");
    if (uncompress(inflated, &length, bytes + ENVELOPE_BYTES, packed->length - ENVELOPE_BYTES) != Z_OK)
        return err_set(err, EBADMSG, "a histogram that cannot be inflated");
    text_append_bytes(plain, inflated, length);
    return text_ok(plain) ? 0 : err_set(err, ENOMEM, "out of memory for a histogram");
}

/* How the values lie in buckets: the lowest one's magnitude, and buckets to an octave. */
struct scale {
    int magnitude, half_bits;
};

static int read_header(const struct text *plain, struct hdr_layout *layout, struct scale *scale,
                       struct err *err)
{
    const unsigned char *bytes = (const unsigned char *)plain->bytes;
    if (plain->length < HEADER_BYTES || (read_big_endian(bytes, 4) & COOKIE_MASK) != COOKIE_PLAIN)
        return err_set(err, EPROTO, "not an HdrHistogram of version 2");
    /* The normalizing offset at 8 is about where a writer kept its counts, not about which they are: some
     * write other values than 0 there. */
    layout->digits = (int)read_big_endian(bytes + 12, 4);
    layout->lowest = (int64_t)read_big_endian(bytes + 16, 8);
    layout->highest = (int64_t)read_big_endian(bytes + 24, 8);
    if (layout->digits < 0 || layout->digits > DIGITS_MAX || layout->lowest < 1 ||
        layout->lowest >> MAGNITUDE_MAX != 0)
        return err_set(err, EPROTO, "a histogram with a layout that is not read here");
    if (read_big_endian(bytes + 4, 4) != plain->length - HEADER_BYTES)
        return err_set(err, EBADMSG, "a histogram whose counts are cut off");
    int64_t resolved = 2;
    for (int i = 0; i < layout->digits; i++)
        resolved *= 10;
    scale->magnitude = 63 - __builtin_clzll((unsigned long long)layout->lowest);
    scale->half_bits = 63 - __builtin_clzll((unsigned long long)resolved - 1);
    return 0;
}

/* Lowest value of a bucket; false when no value is that large. */
static bool bucket_low(const struct scale *scale, uint64_t index, int64_t *low)
{
    uint64_t octave = index >> scale->half_bits;
    uint64_t shift = octave > 1 ? octave - 1 : 0;
    uint64_t within = index - (shift << scale->half_bits);
    shift += (uint64_t)scale->magnitude;
    if (shift + (uint64_t)scale->half_bits + 1 >= 63)
        return false;
    *low = (int64_t)(within << shift);
    return true;
}

int hdr_decode(const char *base64, size_t length, struct hdr_layout *layout,
               void (*visit)(void *context, int64_t low, int64_t last, uint64_t count), void *context,
               struct err *err)
{
    AUTO(text_fini) struct text packed = TEXT_EMPTY;
    AUTO(text_fini) struct text plain = TEXT_EMPTY;
    struct scale scale = {.magnitude = 0};
    if (bytes_from_base64(base64, length, &packed) < 0)
        return err_set(err, EBADMSG, "not canonical base64");
    int result = inflate_counts(&packed, &plain, err);
    if (result == 0)
        result = read_header(&plain, layout, &scale, err);
    if (result < 0)
        return result;
    const unsigned char *at = (const unsigned char *)plain.bytes + HEADER_BYTES;
    const unsigned char *end = (const unsigned char *)plain.bytes + plain.length;
    uint64_t index = 0;
    while (at < end) {
        int64_t count, low, next;
        if (!read_zigzag(&at, end, &count) || count < -INT32_MAX)
            return err_set(err, EBADMSG, "a histogram with a count that is cut off");
        if (count <= 0) {
            index += count < 0 ? (uint64_t)-count : 1;
            continue;
        }
        if (!bucket_low(&scale, index, &low) || !bucket_low(&scale, index + 1, &next))
            return err_set(err, EBADMSG, "a histogram with values beyond all bounds");
        visit(context, low, next - 1, (uint64_t)count);
        index++;
    }
    return 0;
}
