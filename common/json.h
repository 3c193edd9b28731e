/* json: strict reading and exact writing of JSON (RFC 8259), the only door to cJSON.
 *
 * Reading: cJSON accepts much that is not JSON (duplicate names, 01, 1e999, raw control characters, trailing
 * text) and cuts strings at \u0000, so json_parse first scans the whole text against the grammar with bounds
 * of its own, and afterwards refuses duplicate names. What it returns can be trusted. Nodes are borrowed from
 * the document.
 *
 * Writing: a json_writer appends to a struct text, one value at a time, commas by itself; 64-bit integers are
 * written exactly and doubles with the fewest digits that read back equal. Non-finite numbers become null.
 *
 * Threads: none of it is shared; a document belongs to whoever parsed it. */
#ifndef IPCLAB_COMMON_JSON_H
#define IPCLAB_COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/faults.h"
#include "common/text.h"

enum { JSON_DEPTH_MAX = 16 };
/* Largest integer that every JSON reader holds exactly (RFC 7493). */
#define JSON_INTEGER_MAX INT64_C(9007199254740991)

enum json_kind { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_node; /* one value of a document */

/* Parses exactly one value with optional white space around it. NULL and *err with the byte offset on
 * failure, or a pointer to a name that stands twice. The caller frees it with json_free (AUTO(json_cleanup)
 * struct json_node *document). */
struct json_node *json_parse(const char *bytes, size_t length, struct err *err);
void json_free(struct json_node *document);
static inline void json_cleanup(struct json_node **document)
{
    json_free(*document);
}

/* The grammar check alone: 0, or -EINVAL and the byte offset of the first fault in *err. Pure. */
int json_scan(const char *bytes, size_t length, struct err *err);

/* Every accessor accepts NULL, which behaves like an absent value. */
enum json_kind json_kind_of(const struct json_node *node);
const char *json_kind_name(enum json_kind kind);
bool json_is(const struct json_node *node, enum json_kind kind);
const struct json_node *json_member(const struct json_node *object, const char *name);
/* Children of an array or object in order, for (n = json_first(a); n; n = json_next(n)). */
const struct json_node *json_first(const struct json_node *container);
const struct json_node *json_next(const struct json_node *node);
size_t json_count(const struct json_node *container);
/* Member name of a child of an object, else NULL. */
const char *json_name(const struct json_node *node);

/* The values; the fallback comes back when the node has another kind (or is no integer within
 * ±JSON_INTEGER_MAX). */
const char *json_string_or(const struct json_node *node, const char *fallback);
double json_number_or(const struct json_node *node, double fallback);
int64_t json_integer_or(const struct json_node *node, int64_t fallback);
bool json_boolean_or(const struct json_node *node, bool fallback);
bool json_is_integer(const struct json_node *node);

/* Reading one member with its faults. Each leaves *value alone when the member is absent, adds a fault that
 * names the field and its bound when it is wrong, and returns true only if it was present and good. */
bool json_read_integer(const struct json_node *object, const char *name, int64_t min, int64_t max,
                       int64_t *value, struct faults *faults);
bool json_read_number(const struct json_node *object, const char *name, double min, double max, double *value,
                      struct faults *faults);
bool json_read_boolean(const struct json_node *object, const char *name, bool *value, struct faults *faults);
/* Copies the string; length_max is in bytes, without the NUL; value has room for length_max + 1. */
bool json_read_string(const struct json_node *object, const char *name, size_t length_max, char *value,
                      struct faults *faults);
/* A word out of a table, as its index; the fault names the nearest known word. */
bool json_read_word(const struct json_node *object, const char *name, const char *const *table, size_t count,
                    int *value, struct faults *faults);
/* The same for a value that is no member; pointer says where it stands. */
bool json_word(const struct json_node *node, const char *pointer, const char *const *table, size_t count,
               int *value, struct faults *faults);
/* A fault for every member whose name is not in the table. */
void json_read_only_known(const struct json_node *object, const char *const *table, size_t count,
                          struct faults *faults);

struct json_writer {
    struct text *out;
    size_t begin; /* where this writer's own text starts in out */
};

static inline struct json_writer json_writer_on(struct text *out)
{
    return (struct json_writer){.out = out, .begin = out->length};
}

/* name is NULL for an element of an array or for the outermost value. */
void json_begin_object(struct json_writer *writer, const char *name);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer, const char *name);
void json_end_array(struct json_writer *writer);
void json_write_string(struct json_writer *writer, const char *name,
                       const char *value); /* NULL writes null */
void json_write_string_bytes(struct json_writer *writer, const char *name, const char *value, size_t length);
void json_write_integer(struct json_writer *writer, const char *name, int64_t value);
void json_write_positive(struct json_writer *writer, const char *name, int64_t value); /* others: null */
void json_write_unsigned(struct json_writer *writer, const char *name, uint64_t value);
void json_write_number(struct json_writer *writer, const char *name, double value);
void json_write_boolean(struct json_writer *writer, const char *name, bool value);
void json_write_null(struct json_writer *writer, const char *name);
/* An array of the words up to NULL. */
void json_write_words(struct json_writer *writer, const char *name, const char *const *words);
/* text is already JSON. */
void json_write_raw(struct json_writer *writer, const char *name, const char *text);
/* A parsed value, written again. */
void json_write_node(struct json_writer *writer, const char *name, const struct json_node *node);

#endif
