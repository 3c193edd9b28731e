/* bytes: small binary forms of the archive and of frames: varints (LEB128), CRC-32 (IEEE 802.3), a
 * 128-bit hash, base64 (RFC
 * 4648).
 *
 * Pure; appending goes to a struct text, reading never passes the end and remembers its first failure. */
#ifndef IPCLAB_COMMON_BYTES_H
#define IPCLAB_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

uint32_t bytes_crc32(const void *bytes, size_t length);

/* FNV-1a, 128 bits, as 32 hexadecimal digits: names things that are equal, keeps nothing secret.
 * Source: http://www.isthe.com/chongo/tech/comp/fnv/ */
enum { BYTES_HASH_HEX_BYTES = 33 };
void bytes_hash_hex(const void *bytes, size_t length, char hex[BYTES_HASH_HEX_BYTES]);

void bytes_append_varint(struct text *text, uint64_t value);
/* Checksum of everything from begin on, little-endian, at the end. */
void bytes_append_crc32(struct text *text, size_t begin);

struct bytes_reader {
    const unsigned char *at;
    const unsigned char *end;
    bool failed;
};

/* Checks the CRC-32 at the end of the blob and reads what stands before it; false if it does not match. */
bool bytes_reader_open(struct bytes_reader *reader, const void *blob, size_t blob_bytes);
uint64_t bytes_read_varint(struct bytes_reader *reader);
unsigned char bytes_read_byte(struct bytes_reader *reader);

void bytes_append_base64(struct text *text, const void *bytes, size_t length);
/* 0, or -EINVAL if the text is not canonical base64. */
int bytes_from_base64(const char *base64, size_t length, struct text *bytes);

#endif
