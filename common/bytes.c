#include "common/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint32_t bytes_crc32(const void *bytes, size_t length)
{
    const unsigned char *p = bytes;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (UINT32_C(0xEDB88320) & (0u - (crc & 1u)));
    }
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
    const char *found = digit != '\0' ? strchr(base64_digits, digit) : NULL;
    return found != NULL ? (int)(found - base64_digits) : -1;
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
