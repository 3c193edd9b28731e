#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

static void write_escaped(struct text *out, const char *value, size_t length)
{
    text_append_char(out, '"');
    size_t plain = 0; /* first byte not yet written */
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        text_append_bytes(out, value + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\')
            text_printf(out, "\\%c", c);
        else if (c == '\n')
            text_append(out, "\\n");
        else
            text_printf(out, "\\u%04x", c);
    }
    text_append_bytes(out, value + plain, length - plain);
    text_append_char(out, '"');
}

/* The comma and the name: needed unless this is the first value of its container or the outermost one. */
static void begin_value(struct json_writer *writer, const char *name)
{
    struct text *out = writer->out;
    if (out->length > writer->begin && strchr("{[:", out->bytes[out->length - 1]) == NULL)
        text_append_char(out, ',');
    if (name != NULL) {
        write_escaped(out, name, strlen(name));
        text_append_char(out, ':');
    }
}

void json_begin_object(struct json_writer *writer, const char *name)
{
    begin_value(writer, name);
    text_append_char(writer->out, '{');
}

void json_end_object(struct json_writer *writer)
{
    text_append_char(writer->out, '}');
}

void json_begin_array(struct json_writer *writer, const char *name)
{
    begin_value(writer, name);
    text_append_char(writer->out, '[');
}

void json_end_array(struct json_writer *writer)
{
    text_append_char(writer->out, ']');
}

void json_write_string_bytes(struct json_writer *writer, const char *name, const char *value, size_t length)
{
    begin_value(writer, name);
    write_escaped(writer->out, value, length);
}

void json_write_string(struct json_writer *writer, const char *name, const char *value)
{
    if (value == NULL)
        json_write_null(writer, name);
    else
        json_write_string_bytes(writer, name, value, strlen(value));
}

void json_write_integer(struct json_writer *writer, const char *name, int64_t value)
{
    begin_value(writer, name);
    text_printf(writer->out, "%" PRId64, value);
}

void json_write_positive(struct json_writer *writer, const char *name, int64_t value)
{
    if (value > 0)
        json_write_integer(writer, name, value);
    else
        json_write_null(writer, name);
}

void json_write_unsigned(struct json_writer *writer, const char *name, uint64_t value)
{
    begin_value(writer, name);
    text_printf(writer->out, "%" PRIu64, value);
}

void json_write_number(struct json_writer *writer, const char *name, double value)
{
    begin_value(writer, name);
    if (!isfinite(value)) {
        text_append(writer->out, "null");
        return;
    }
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    text_append(writer->out, digits);
}

void json_write_boolean(struct json_writer *writer, const char *name, bool value)
{
    begin_value(writer, name);
    text_append(writer->out, value ? "true" : "false");
}

void json_write_null(struct json_writer *writer, const char *name)
{
    begin_value(writer, name);
    text_append(writer->out, "null");
}

void json_write_words(struct json_writer *writer, const char *name, const char *const *words)
{
    json_begin_array(writer, name);
    for (; *words != NULL; words++)
        json_write_string(writer, NULL, *words);
    json_end_array(writer);
}

void json_write_raw(struct json_writer *writer, const char *name, const char *text)
{
    begin_value(writer, name);
    text_append(writer->out, text);
}

void json_write_node(struct json_writer *writer, const char *name, const struct json_node *node)
{
    switch (json_kind_of(node)) {
    case JSON_NULL:
        json_write_null(writer, name);
        return;
    case JSON_BOOLEAN:
        json_write_boolean(writer, name, json_boolean_or(node, false));
        return;
    case JSON_NUMBER:
        if (json_is_integer(node))
            json_write_integer(writer, name, json_integer_or(node, 0));
        else
            json_write_number(writer, name, json_number_or(node, 0));
        return;
    case JSON_STRING:
        json_write_string(writer, name, json_string_or(node, ""));
        return;
    case JSON_ARRAY:
        json_begin_array(writer, name);
        for (const struct json_node *child = json_first(node); child != NULL; child = json_next(child))
            json_write_node(writer, NULL, child);
        json_end_array(writer);
        return;
    case JSON_OBJECT:
        json_begin_object(writer, name);
        for (const struct json_node *child = json_first(node); child != NULL; child = json_next(child))
            json_write_node(writer, json_name(child), child);
        json_end_object(writer);
        return;
    }
}
