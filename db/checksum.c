/* row_checksum(a, b, …): a CRC-32 over values with their types, for SQL. The same statement that writes a row
 * computes it over what is bound, and verification over what is read. */
#include <string.h>

#include "common/bytes.h"
#include "db/internal.h"

enum { VALUES_MAX = 100 }; /* of SQLite's 127 */

static void append_value(struct text *bytes, sqlite3_value *value)
{
    int type = sqlite3_value_type(value);
    text_append_char(bytes, (char)type);
    if (type == SQLITE_INTEGER) {
        sqlite3_int64 integer = sqlite3_value_int64(value);
        text_append_bytes(bytes, &integer, sizeof integer);
    } else if (type == SQLITE_FLOAT) {
        double real = sqlite3_value_double(value) + 0.0; /* SQLite keeps no negative zero */
        text_append_bytes(bytes, &real, sizeof real);
    } else if (type != SQLITE_NULL) {
        const void *content = sqlite3_value_blob(value);
        size_t length = (size_t)sqlite3_value_bytes(value);
        bytes_append_varint(bytes, length);
        if (length > 0)
            text_append_bytes(bytes, content, length);
    }
}

static void row_checksum(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct text *bytes = sqlite3_user_data(context);
    text_clear(bytes);
    for (int i = 0; i < count && i < VALUES_MAX; i++)
        append_value(bytes, values[i]);
    if (text_ok(bytes))
        sqlite3_result_int64(context, bytes_crc32(bytes->bytes, bytes->length));
    else
        sqlite3_result_error_nomem(context);
}

static void free_bytes(void *bytes)
{
    text_fini(bytes);
    free(bytes);
}

int checksum_register(sqlite3 *db)
{
    struct text *bytes = calloc(1, sizeof *bytes);
    if (bytes == NULL)
        return SQLITE_NOMEM;
    return sqlite3_create_function_v2(db, "row_checksum", -1,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, bytes,
                                      row_checksum, NULL, NULL, free_bytes);
}
