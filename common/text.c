#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

enum { TEXT_FIRST_BYTES = 256, NEAREST_NAME_BYTES = 48 };

void text_fini(struct text *text)
{
    free(text->bytes);
    *text = TEXT_EMPTY;
}

void text_clear(struct text *text)
{
    text->length = 0;
    text->failed = false;
    if (text->bytes != NULL)
        text->bytes[0] = '\0';
}

bool text_ok(const struct text *text)
{
    return !text->failed;
}

const char *text_string(const struct text *text)
{
    return text->bytes != NULL ? text->bytes : "";
}

/* Makes room for extra bytes and the NUL. */
static bool reserve(struct text *text, size_t extra)
{
    if (text->failed)
        return false;
    size_t needed = text->length + extra + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity > 0 ? text->capacity : TEXT_FIRST_BYTES;
    while (capacity < needed)
        capacity *= 2;
    char *bytes = realloc(text->bytes, capacity);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

char *text_take(struct text *text)
{
    if (!reserve(text, 0))
        return NULL;
    text->bytes[text->length] = '\0';
    char *taken = text->bytes;
    *text = TEXT_EMPTY;
    return taken;
}

void text_append_bytes(struct text *text, const void *bytes, size_t length)
{
    if (!reserve(text, length))
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_append(struct text *text, const char *string)
{
    text_append_bytes(text, string, strlen(string));
}

void text_append_char(struct text *text, char c)
{
    text_append_bytes(text, &c, 1);
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(text, (size_t)length))
        return;
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

int text_read_line(const char *path, char *line, size_t line_bytes)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t got = read(fd, line, line_bytes - 1);
    if (got < 0)
        return -errno;
    line[got] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return 0;
}

/* Bytes of the valid sequence at p, 0 if there is none. */
static size_t utf8_sequence_length(const unsigned char *p, size_t available)
{
    if (p[0] < 0x80)
        return 1;
    size_t length = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || available < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xED && p[1] > 0x9F;
    bool beyond_last = p[0] == 0xF4 && p[1] > 0x8F;
    return overlong || surrogate || beyond_last ? 0 : length;
}

size_t text_utf8_valid_prefix(const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t step = utf8_sequence_length((const unsigned char *)bytes + at, length - at);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}

bool text_copy(char *to, size_t to_bytes, const char *from)
{
    size_t length = strlen(from);
    bool fits = length < to_bytes;
    size_t copied = fits ? length : to_bytes - 1;
    memcpy(to, from, copied);
    to[copied] = '\0';
    return fits;
}

int text_index_of(const char *name, const char *const *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (table[i] != NULL && strcmp(name, table[i]) == 0)
            return (int)i;
    return -1;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein distance of two short names, one row at a time. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NEAREST_NAME_BYTES + 1];
    size_t columns = strlen(b);
    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = min3(row[j] + 1, row[j - 1] + 1, substitution);
        }
    }
    return row[columns];
}

void text_list(const char *const *table, size_t count, char *out, size_t out_bytes)
{
    static const char cut[] = ", …";
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (table[i] == NULL)
            continue;
        if (used + sizeof ", " + strlen(table[i]) + sizeof cut > out_bytes) {
            text_copy(out + used, out_bytes - used, cut);
            return;
        }
        used += (size_t)snprintf(out + used, out_bytes - used, "%s%s", used > 0 ? ", " : "", table[i]);
    }
}

const char *text_nearest(const char *name, const char *const *table, size_t count)
{
    size_t length = strlen(name);
    if (length > NEAREST_NAME_BYTES)
        return NULL;
    const char *nearest = NULL;
    size_t best = length / 2 + 1;
    for (size_t i = 0; i < count; i++) {
        if (table[i] == NULL || strlen(table[i]) > NEAREST_NAME_BYTES)
            continue;
        size_t distance = edit_distance(name, table[i]);
        if (distance < best) {
            best = distance;
            nearest = table[i];
        }
    }
    return nearest;
}
