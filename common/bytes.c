#include "common/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SLICES = 8 };

/* slice[k][b]: what the byte b contributes when k more bytes follow it. */
struct crc_tables {
    bool is_made;
    uint32_t slice[SLICES][256];
};

static const struct crc_tables *crc_tables(void)
{
    static struct crc_tables tables;
    if (tables.is_made)
        return &tables;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (UINT32_C(0xEDB88320) & (0u - (crc & 1u)));
        tables.slice[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int k = 1; k < SLICES; k++) {
            uint32_t before = tables.slice[k - 1][byte];
            tables.slice[k][byte] = (before >> 8) ^ tables.slice[0][before & 0xFF];
        }
    tables.is_made = true;
    return &tables;
}

/* Eight bytes at a time: a whole archive is checked with it. M. Kounavis, F. Berry: A Systematic Approach to
 * Building High Performance Software-based CRC Generators, ISCC 2005. */
uint32_t bytes_crc32(const void *bytes, size_t length)
{
    const struct crc_tables *tables = crc_tables();
    const unsigned char *p = bytes;
    uint32_t crc = UINT32_MAX;
    for (; length >= SLICES; length -= SLICES, p += SLICES) {
        uint32_t sum = 0;
        for (int k = 0; k < SLICES; k++) {
            uint32_t byte = p[k] ^ (k < 4 ? crc >> (8 * k) & 0xFF : 0);
            sum ^= tables->slice[SLICES - 1 - k][byte];
        }
        crc = sum;
    }
    for (; length > 0; length--, p++)
        crc = (crc >> 8) ^ tables->slice[0][(crc ^ *p) & 0xFF];
    return ~crc;
}

void bytes_hash_hex(const void *bytes, size_t length, char hex[BYTES_HASH_HEX_BYTES])
{
    const unsigned __int128 prime = ((unsigned __int128)1 << 88) | 0x13B;
    unsigned __int128 hash =
        ((unsigned __int128)UINT64_C(0x6C62272E07BB0142) << 64) | UINT64_C(0x62B821756295C58D);
    const unsigned char *p = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ p[i]) * prime;
    snprintf(hex, BYTES_HASH_HEX_BYTES, "%016" PRIx64 "%016" PRIx64, (uint64_t)(hash >> 64), (uint64_t)hash);
}

void bytes_append_varint(struct text *text, uint64_t value)
{
    while (value >= 0x80) {
        text_append_char(text, (char)(value | 0x80));
        value >>= 7;
    }
    text_append_char(text, (char)value);
}

void bytes_append_crc32(struct text *text, size_t begin)
{
    if (!text_ok(text))
        return;
    uint32_t crc = bytes_crc32(text->bytes + begin, text->length - begin);
    for (int i = 0; i < 4; i++)
        text_append_char(text, (char)(crc >> (8 * i)));
}

bool bytes_reader_open(struct bytes_reader *reader, const void *blob, size_t blob_bytes)
{
    if (blob_bytes < 4)
        return false;
    const unsigned char *bytes = blob;
    uint32_t crc = 0;
    for (int i = 0; i < 4; i++)
        crc |= (uint32_t)bytes[blob_bytes - 4 + (size_t)i] << (8 * i);
    *reader = (struct bytes_reader){.at = bytes, .end = bytes + blob_bytes - 4};
    return crc == bytes_crc32(blob, blob_bytes - 4);
}

unsigned char bytes_read_byte(struct bytes_reader *reader)
{
    if (reader->at >= reader->end) {
        reader->failed = true;
        return 0;
    }
    return *reader->at++;
}

uint64_t bytes_read_varint(struct bytes_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned char byte = bytes_read_byte(reader);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
    reader->failed = true;
    return 0;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void bytes_append_base64(struct text *text, const void *bytes, size_t length)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)p[i] << 16;
        if (left > 1)
            group |= (uint32_t)p[i + 1] << 8;
        if (left > 2)
            group |= p[i + 2];
        char digits[4] = {base64_digits[group >> 18], base64_digits[(group >> 12) & 63],
                          left > 1 ? base64_digits[(group >> 6) & 63] : '=',
                          left > 2 ? base64_digits[group & 63] : '='};
        text_append_bytes(text, digits, sizeof digits);
    }
}

static int base64_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

int bytes_from_base64(const char *base64, size_t length, struct text *bytes)
{
    if (length % 4 != 0)
        return -EINVAL;
    for (size_t i = 0; i < length; i += 4) {
        bool last = i + 4 == length;
        size_t padding =
            !last ? 0 : (base64[i + 3] == '=') + (size_t)(base64[i + 3] == '=' && base64[i + 2] == '=');
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k < 4 - padding ? base64_value(base64[i + k]) : 0;
            if (value < 0)
                return -EINVAL;
            group = (group << 6) | (uint32_t)value;
        }
        if ((group & ((1u << (8 * padding)) - 1u)) != 0)
            return -EINVAL;
        char triple[3] = {(char)(group >> 16), (char)(group >> 8), (char)group};
        text_append_bytes(bytes, triple, 3 - padding);
    }
    return text_ok(bytes) ? 0 : -ENOMEM;
}
