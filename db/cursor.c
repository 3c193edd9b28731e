#include <errno.h>
#include <string.h>

#include "common/bytes.h"
#include "db/internal.h"

/* The bytes: order, id, name, CRC-32; then base64 in its URL form without padding (RFC 4648 §5). The checksum
 * tells a cursor from a mistyped one; it protects nothing, and nothing needs protection. */

static void replace(char *text, char from, char to)
{
    for (char *c = strchr(text, from); c != NULL; c = strchr(c, from))
        *c = to;
}

void cursor_encode(const struct cursor *cursor, char *to, size_t to_bytes)
{
    AUTO(text_fini) struct text bytes = TEXT_EMPTY;
    AUTO(text_fini) struct text base64 = TEXT_EMPTY;
    to[0] = '\0';
    text_append_char(&bytes, (char)cursor->sort);
    bytes_append_varint(&bytes, (uint64_t)cursor->id);
    text_append(&bytes, cursor->name);
    bytes_append_crc32(&bytes, 0);
    if (!text_ok(&bytes))
        return;
    bytes_append_base64(&base64, bytes.bytes, bytes.length);
    if (!text_ok(&base64) || !text_copy(to, to_bytes, text_string(&base64)))
        return;
    to[strcspn(to, "=")] = '\0';
    replace(to, '+', '-');
    replace(to, '/', '_');
}

static bool decode(const char *from, struct text *bytes)
{
    char base64[STORE_CURSOR_BYTES + 4];
    size_t length = strlen(from);
    if (length >= STORE_CURSOR_BYTES || strpbrk(from, "+/=") != NULL)
        return false;
    memcpy(base64, from, length + 1);
    replace(base64, '-', '+');
    replace(base64, '_', '/');
    while (length % 4 != 0)
        base64[length++] = '=';
    return bytes_from_base64(base64, length, bytes) == 0;
}

int cursor_decode(const char *from, enum store_sort sort, struct cursor *cursor, struct err *err)
{
    AUTO(text_fini) struct text bytes = TEXT_EMPTY;
    struct bytes_reader reader;
    *cursor = (struct cursor){.sort = sort};
    if (!decode(from, &bytes) || !bytes_reader_open(&reader, bytes.bytes, bytes.length))
        return err_set(err, EINVAL, "this is no cursor of a list of runs");
    if (bytes_read_byte(&reader) != (unsigned char)sort)
        return err_set(err, EINVAL, "this cursor belongs to a list in another order");
    cursor->id = (int64_t)bytes_read_varint(&reader);
    size_t length = (size_t)(reader.end - reader.at);
    if (reader.failed || length > STORE_NAME_BYTES_MAX)
        return err_set(err, EINVAL, "this is no cursor of a list of runs");
    memcpy(cursor->name, reader.at, length);
    return 0;
}
