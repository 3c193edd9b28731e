#include "server/export_hdr.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "common/bytes.h"
#include "common/cleanup.h"

#define COOKIE_PLAIN UINT32_C(0x1c849313) /* V2 with counts of one word size, which readers expect there */
#define COOKIE_COMPRESSED UINT32_C(0x1c849314) /* V2, zlib */

enum { DIGITS = 2 };

static void append_big_endian(struct text *to, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        text_append_char(to, (char)(value >> (8 * i)));
}

/* LEB128 of the ZigZag form; a ninth byte has eight bits of value, so nine are the most. */
static void append_zigzag(struct text *to, int64_t value)
{
    uint64_t left = value >= 0 ? (uint64_t)value * 2 : (uint64_t)(-(value + 1)) * 2 + 1;
    for (int i = 0; i < 8 && left >= 0x80; i++) {
        text_append_char(to, (char)(left | 0x80));
        left >>= 7;
    }
    text_append_char(to, (char)left);
}

static void append_counts(struct text *to, const struct histogram *histogram)
{
    int64_t empty = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] == 0) {
            empty++;
            continue;
        }
        if (empty > 0)
            append_zigzag(to, -empty);
        append_zigzag(to, (int64_t)histogram->buckets[i]);
        empty = 0;
    }
}

static void append_plain(struct text *to, const struct histogram *histogram)
{
    AUTO(text_fini) struct text counts = TEXT_EMPTY;
    append_counts(&counts, histogram);
    const double ratio = 1;
    uint64_t ratio_bits;
    memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
    append_big_endian(to, COOKIE_PLAIN, 4);
    append_big_endian(to, counts.length, 4);
    append_big_endian(to, 0, 4);
    append_big_endian(to, DIGITS, 4);
    append_big_endian(to, 1, 8);
    append_big_endian(to, HISTOGRAM_VALUE_MAX, 8);
    append_big_endian(to, ratio_bits, 8);
    text_append_bytes(to, text_string(&counts), counts.length);
    to->failed = to->failed || counts.failed;
}

int export_hdr_encode(const struct histogram *histogram, struct text *base64, struct err *err)
{
    AUTO(text_fini) struct text plain = TEXT_EMPTY;
    AUTO(text_fini) struct text packed = TEXT_EMPTY;
    append_plain(&plain, histogram);
    uLongf length = compressBound(plain.length);
    AUTO_FREE unsigned char *deflated = malloc(length);
    if (!text_ok(&plain) || deflated == NULL ||
        compress2(deflated, &length, (const unsigned char *)plain.bytes, plain.length,
                  Z_DEFAULT_COMPRESSION) != Z_OK)
        return err_set(err, ENOMEM, "out of memory for a histogram");
    append_big_endian(&packed, COOKIE_COMPRESSED, 4);
    append_big_endian(&packed, length, 4);
    text_append_bytes(&packed, deflated, length);
    if (text_ok(&packed))
        bytes_append_base64(base64, packed.bytes, packed.length);
    return text_ok(&packed) && text_ok(base64) ? 0 : err_set(err, ENOMEM, "out of memory for a histogram");
}
