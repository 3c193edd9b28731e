/* Checksums and base64, by their published values and by the plain way to compute them. */
#include <string.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "tests/support/criterion.h"

static uint32_t crc_bit_by_bit(const unsigned char *bytes, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (UINT32_C(0xEDB88320) & (0u - (crc & 1u)));
    }
    return ~crc;
}

Test(bytes, crc32_is_the_one_of_ieee_802_3)
{
    cr_expect(eq(u32, bytes_crc32("123456789", 9), 0xCBF43926));
    cr_expect(eq(u32, bytes_crc32("", 0), 0));
    unsigned char bytes[600];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 167 + i / 3);
    for (size_t length = 0; length < 300; length++)
        cr_expect(eq(u32, bytes_crc32(bytes + length, length), crc_bit_by_bit(bytes + length, length)),
                  "%zu bytes", length);
}

Test(bytes, base64_is_that_of_rfc_4648)
{
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        AUTO(text_fini) struct text out = TEXT_EMPTY, in = TEXT_EMPTY;
        bytes_append_base64(&out, vectors[i][0], strlen(vectors[i][0]));
        cr_expect(eq(str, (char *)text_string(&out), (char *)vectors[i][1]));
        cr_expect(eq(int, bytes_from_base64(vectors[i][1], strlen(vectors[i][1]), &in), 0));
        cr_expect(eq(str, (char *)text_string(&in), (char *)vectors[i][0]));
    }
    static const char *const refused[] = {
        "Z", "Zg=", "Zg==Zg==", "Zh==", "Zm9=", "Z=g=", "Zm9v\n", "Zm-_", "===="};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO(text_fini) struct text in = TEXT_EMPTY;
        cr_expect(lt(int, bytes_from_base64(refused[i], strlen(refused[i]), &in), 0), "%s", refused[i]);
    }
}

Test(bytes, every_byte_goes_through_base64)
{
    AUTO(text_fini) struct text out = TEXT_EMPTY, in = TEXT_EMPTY;
    unsigned char bytes[256 * 3];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i ^ i >> 8);
    bytes_append_base64(&out, bytes, sizeof bytes);
    cr_assert(eq(int, bytes_from_base64(out.bytes, out.length, &in), 0));
    cr_expect(eq(sz, in.length, sizeof bytes));
    cr_expect(eq(int, memcmp(in.bytes, bytes, sizeof bytes), 0));
}
