/* lab_range: what may be asked of a lab: values within ranges, and ranges within other values.
 *
 * A lab describes its parameters as JSON, and both programs read a request by that description: the server
 * before an attempt is queued, the worker when it is started by hand. A range is an object:
 *
 *   {"type":"integer","min":1,"max":64,"step":8}   a multiple of the step
 *   {"type":"choice","choices":["none","atomic"]}
 *   {"type":"boolean"}
 *   {"type":"text","min":1,"max":200}              so many bytes of printable ASCII
 *
 * A parameter is a range with "name", "default" and "bounds", in which other parameters narrow it:
 *
 *   {"kind":"max","by":"gap","when":["yield"],"limit":9}   at most the limit while gap is one of these
 *   {"kind":"not","by":"gap","when":["yield"],"limit":"w"} not the choice w while gap is one of these
 *   {"kind":"product","by":"lines","limit":8000}           times lines at most the limit
 *   {"kind":"times","by":"bytes","limit":1}                at most bytes times the limit
 *   {"kind":"share","by":"bytes","limit":64}               at least bytes divided by the limit
 *
 * Pure. Faults name the field, what is allowed, and which other value makes it so. */
#ifndef IPCLAB_COMMON_LAB_RANGE_H
#define IPCLAB_COMMON_LAB_RANGE_H

#include "common/json.h"
#include "common/words.h"

enum { LAB_CHOICES_MAX = 32, LAB_TEXT_BYTES_MAX = 200 };

#define LAB_TYPE_WORDS(WORD)                                                                                 \
    WORD(LAB_INTEGER, "integer")                                                                             \
    WORD(LAB_CHOICE, "choice")                                                                               \
    WORD(LAB_BOOLEAN, "boolean")                                                                             \
    WORD(LAB_TEXT, "text")
enum lab_value_type { LAB_TYPE_WORDS(WORDS_ENUM) LAB_TYPE_COUNT };
extern const char *const lab_range_type_names[LAB_TYPE_COUNT];

#define LAB_BOUND_WORDS(WORD)                                                                                \
    WORD(LAB_BOUND_NONE, "none")                                                                             \
    WORD(LAB_BOUND_MAX, "max")                                                                               \
    WORD(LAB_BOUND_NOT, "not")                                                                               \
    WORD(LAB_BOUND_PRODUCT, "product")                                                                       \
    WORD(LAB_BOUND_TIMES, "times")                                                                           \
    WORD(LAB_BOUND_SHARE, "share")
enum lab_bound_kind { LAB_BOUND_WORDS(WORDS_ENUM) LAB_BOUND_KIND_COUNT };
extern const char *const lab_bound_kind_names[LAB_BOUND_KIND_COUNT];

/* Is it a range as above, of which anything can be asked? */
bool lab_range_is_sound(const struct json_node *range);
/* Is it a parameter as above, with bounds by others of these parameters? */
bool lab_range_parameter_is_sound(const struct json_node *parameters, const struct json_node *parameter);
/* A member of the object within the range: true if it is there and good; a fault if it is there and not. */
bool lab_range_check(const struct json_node *range, const struct json_node *object, const char *name,
                     struct faults *faults);
/* Completes what was given (NULL = nothing) with the defaults, as a JSON object, and adds a fault below
 * /parameters for each that is unknown or out of bounds. */
void lab_range_complete(const struct json_node *parameters, const struct json_node *given,
                        struct text *complete, struct faults *faults);

#endif
