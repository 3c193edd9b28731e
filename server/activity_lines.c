#include "server/activity_lines.h"

#include <string.h>

static void take_part(struct activity_lines *lines, const char *bytes, size_t length)
{
    if (lines->is_cutting)
        return;
    if (lines->partial.length + length <= lines->line_bytes_max) {
        text_append_bytes(&lines->partial, bytes, length);
        return;
    }
    lines->is_cutting = true;
    lines->cut_count++;
}

static void end_line(struct activity_lines *lines,
                     void (*line)(void *context, const char *line, size_t length), void *context)
{
    if (!lines->is_cutting && !text_ok(&lines->partial))
        lines->cut_count++; /* out of memory for it */
    else if (!lines->is_cutting && lines->partial.length > 0)
        line(context, lines->partial.bytes, lines->partial.length);
    lines->is_cutting = false;
    text_clear(&lines->partial);
}

void activity_lines_take(struct activity_lines *lines, const char *bytes, size_t length,
                         void (*line)(void *context, const char *line, size_t length), void *context)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t part = end != NULL ? (size_t)(end - bytes) : length;
        take_part(lines, bytes, part);
        if (end == NULL)
            return;
        end_line(lines, line, context);
        bytes += part + 1;
        length -= part + 1;
    }
}
