/* activity_lines: cuts a stream of bytes into lines, within bounds. Pure. */
#ifndef IPCLAB_SERVER_ACTIVITY_LINES_H
#define IPCLAB_SERVER_ACTIVITY_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

/* Begins as all zeros but line_bytes_max; text_fini(&lines.partial). */
struct activity_lines {
    size_t line_bytes_max;
    struct text partial; /* of a line whose end has not come */
    bool is_cutting;     /* that line is too long: nothing more of it is kept */
    uint64_t cut_count;
};

/* line: without its break, terminated by a NUL, never empty; borrowed. */
void activity_lines_take(struct activity_lines *lines, const char *bytes, size_t length,
                         void (*line)(void *context, const char *line, size_t length), void *context);

#endif
