/* import_split: cuts one JSON object into its parts while it comes in, so that a document of any length is
 * read with room for its largest part alone. Pure.
 *
 * Parts are the members of the outermost object; a member that is an array is cut into its elements, each a
 * part of its own. Each part is handed over as text, to be parsed by whoever wants it: here is only looked at
 * brackets, strings and commas, so what stands between the parts is checked here and what stands inside them
 * by the parser. */
#ifndef IPCLAB_SERVER_IMPORT_SPLIT_H
#define IPCLAB_SERVER_IMPORT_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/text.h"

enum { IMPORT_NAME_BYTES = 32, IMPORT_PART_BYTES_MAX = 256 * 1024 };

struct import_part {
    const char *name;  /* of the member */
    bool is_element;   /* of an array; false: the member's whole value */
    int64_t index;     /* of the element */
    const char *bytes; /* borrowed for the call */
    size_t length;
};

struct import_split {
    /* A negative answer ends the splitting and is passed on. An array without elements gives no part. */
    int (*part)(void *context, const struct import_part *part, struct err *err);
    void *context;
    int state; /* private from here on */
    uint64_t at;
    bool in_array, in_string, escaped;
    int depth;
    int64_t index;
    char name[IMPORT_NAME_BYTES];
    size_t name_length;
    struct text value;
};

/* -EINVAL: no such object, with the byte's offset; -E2BIG: a part is too long; or what part answered. */
int import_split_take(struct import_split *split, const char *bytes, size_t length, struct err *err);
/* -EINVAL when the object is not complete. */
int import_split_end(const struct import_split *split, struct err *err);
static inline void import_split_fini(struct import_split *split)
{
    text_fini(&split->value);
}

#endif
