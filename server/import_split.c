#include "server/import_split.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum state {
    AT_BEGIN,        /* { */
    AT_FIRST_MEMBER, /* a name or } */
    AT_MEMBER,       /* a name */
    IN_NAME,
    AT_COLON,
    AT_VALUE,         /* a value of a member */
    AT_FIRST_ELEMENT, /* a value or ] */
    AT_ELEMENT,       /* a value */
    IN_VALUE,
    AFTER_ELEMENT, /* , or ] */
    AFTER_MEMBER,  /* , or } */
    AT_END,        /* nothing more */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int fault(const struct import_split *split, const char *expected, struct err *err)
{
    return err_set(err, EINVAL, "byte %" PRIu64 ": expected %s", split->at, expected);
}

static int hand_over(struct import_split *split, struct err *err)
{
    if (!text_ok(&split->value))
        return err_set(err, ENOMEM, "out of memory for an import");
    const struct import_part part = {
        .name = split->name,
        .is_element = split->in_array,
        .index = split->index,
        .bytes = text_string(&split->value),
        .length = split->value.length,
    };
    int result = split->part(split->context, &part, err);
    text_clear(&split->value);
    split->state = split->in_array ? AFTER_ELEMENT : AFTER_MEMBER;
    split->index++;
    return result < 0 ? result : 0;
}

/* The first byte of a value. */
static void begin_value(struct import_split *split, char c)
{
    text_clear(&split->value);
    text_append_char(&split->value, c);
    split->state = IN_VALUE;
    split->in_string = c == '"';
    split->escaped = false;
    split->depth = c == '{' || c == '[';
}

/* Is the value over with this byte, which belongs to it? A number or a word only ends with what follows. */
static bool ends_value(struct import_split *split, char c)
{
    if (split->in_string) {
        bool closes = c == '"' && !split->escaped;
        split->escaped = c == '\\' && !split->escaped;
        split->in_string = !closes;
        return closes && split->depth == 0;
    }
    if (c == '"')
        split->in_string = true;
    else if (c == '{' || c == '[')
        split->depth++;
    else if (c == '}' || c == ']')
        return --split->depth == 0;
    return false;
}

/* A byte inside a value; *used is false when it stands behind it. */
static int take_value(struct import_split *split, char c, bool *used, struct err *err)
{
    if (!split->in_string && split->depth == 0 && (is_space(c) || c == ',' || c == '}' || c == ']')) {
        *used = false;
        return hand_over(split, err);
    }
    if (split->value.length == IMPORT_PART_BYTES_MAX)
        return err_set(err, E2BIG, "byte %" PRIu64 ": a part is longer than %d bytes", split->at,
                       IMPORT_PART_BYTES_MAX);
    text_append_char(&split->value, c);
    return ends_value(split, c) ? hand_over(split, err) : 0;
}

static int take_name(struct import_split *split, char c, struct err *err)
{
    if (c == '"') {
        split->name[split->name_length] = '\0';
        split->state = AT_COLON;
        return 0;
    }
    if (split->name_length == sizeof split->name - 1 || c == '\\' || (unsigned char)c < 0x20)
        return fault(split, "the name of a known member", err);
    split->name[split->name_length++] = c;
    return 0;
}

static int take_begin_of_value(struct import_split *split, char c, struct err *err)
{
    if (split->state == AT_VALUE) {
        split->in_array = c == '[';
        split->index = 0;
        if (split->in_array) {
            split->state = AT_FIRST_ELEMENT;
            return 0;
        }
    }
    if (split->state == AT_FIRST_ELEMENT && c == ']') {
        split->state = AFTER_MEMBER;
        return 0;
    }
    if (strchr(",:]}", c) != NULL)
        return fault(split, "a value", err);
    begin_value(split, c);
    return 0;
}

/* A byte that is a part's neither begin nor inside: one of two, each with what it leads to. */
static int take_either(struct import_split *split, char c, char one, enum state then_one, char other,
                       enum state then_other, const char *expected, struct err *err)
{
    if (c != one && c != other)
        return fault(split, expected, err);
    split->state = c == one ? (int)then_one : (int)then_other;
    split->name_length = 0;
    return 0;
}

static int take_byte(struct import_split *split, char c, bool *used, struct err *err)
{
    *used = true;
    if (split->state == IN_VALUE)
        return take_value(split, c, used, err);
    if (split->state == IN_NAME)
        return take_name(split, c, err);
    if (is_space(c))
        return 0;
    switch ((enum state)split->state) {
    case AT_BEGIN:
        return take_either(split, c, '{', AT_FIRST_MEMBER, '{', AT_FIRST_MEMBER, "an object", err);
    case AT_FIRST_MEMBER:
        return take_either(split, c, '"', IN_NAME, '}', AT_END, "a member or '}'", err);
    case AT_MEMBER:
        return take_either(split, c, '"', IN_NAME, '"', IN_NAME, "a member", err);
    case AT_COLON:
        return take_either(split, c, ':', AT_VALUE, ':', AT_VALUE, "':'", err);
    case AFTER_ELEMENT:
        return take_either(split, c, ',', AT_ELEMENT, ']', AFTER_MEMBER, "',' or ']'", err);
    case AFTER_MEMBER:
        return take_either(split, c, ',', AT_MEMBER, '}', AT_END, "',' or '}'", err);
    case AT_END:
        return fault(split, "nothing after the object", err);
    default:
        return take_begin_of_value(split, c, err);
    }
}

int import_split_take(struct import_split *split, const char *bytes, size_t length, struct err *err)
{
    for (size_t i = 0; i < length;) {
        bool used = true;
        int result = take_byte(split, bytes[i], &used, err);
        if (result < 0)
            return result;
        i += used;
        split->at += used;
    }
    return 0;
}

int import_split_end(const struct import_split *split, struct err *err)
{
    return split->state == AT_END ? 0 : fault(split, "more: the object is not complete", err);
}
