/* text: a growing byte string, and what ipclab knows about UTF-8.
 *
 * Owns its heap buffer: text_init/text_fini, or AUTO(text_fini) on the variable. bytes is always terminated
 * by a NUL that is not counted. When memory runs out the text is marked failed, further appends do nothing,
 * and the one check at the end (text_ok) tells; so that writers read straight down. */
#ifndef IPCLAB_COMMON_TEXT_H
#define IPCLAB_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes;
    size_t length;
    size_t capacity;
    bool failed;
};

#define TEXT_EMPTY ((struct text){.bytes = NULL})

void text_fini(struct text *text);
void text_clear(struct text *text);
bool text_ok(const struct text *text);
/* The contents as a C string, "" when empty. Borrowed. */
const char *text_string(const struct text *text);
/* Moves the buffer out; the caller frees it. NULL if an append failed. */
char *text_take(struct text *text);

void text_append(struct text *text, const char *string);
void text_append_bytes(struct text *text, const void *bytes, size_t length);
void text_append_char(struct text *text, char c);
__attribute__((format(printf, 2, 3))) void text_printf(struct text *text, const char *format, ...);

/* First line of a file without its newline into a caller's buffer. 0 or -errno. For /proc and /sys. */
int text_read_line(const char *path, char *line, size_t line_bytes);

/* Length of the valid UTF-8 prefix (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF). */
size_t text_utf8_valid_prefix(const char *bytes, size_t length);

/* Copies what fits and terminates; true if all of it fitted. */
bool text_copy(char *to, size_t to_bytes, const char *from);

/* A string by its table: the index of name in table[0..count), or -1. The tables are static const char
 * *const[]. */
int text_index_of(const char *name, const char *const *table, size_t count);
/* "first, second, third" of the names that are there, as many as fit; "…" stands for those that do not. */
void text_list(const char *const *table, size_t count, char *out, size_t out_bytes);
/* The nearest known name by edit distance if it is near enough to be what was meant, else NULL. */
const char *text_nearest(const char *name, const char *const *table, size_t count);

#endif
