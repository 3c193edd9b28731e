/* yaml_to_json: one YAML document on standard input, the same as JSON on standard output. Runs at build time,
 * so that the API's description is written once, in the form people read, and served in the form programs
 * read.
 *
 * Plain scalars follow YAML 1.2's core schema (null, true, false, integers, decimals; "no" and dates are
 * strings), quoted ones are strings. Anchors and aliases are refused: nobody who reads the JSON should have
 * to ask where a part came from. libyaml's events come in JSON's order, so the writer keeps nothing but where
 * it is. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 64 };

static struct level {
    bool is_mapping;
    bool is_value; /* of a mapping: the next node is a value */
    bool is_first;
} levels[DEPTH_MAX];
static int depth;

static void fail(const char *what, const yaml_mark_t *mark)
{
    fprintf(stderr, "yaml_to_json: line %zu column %zu: %s\n", mark->line + 1, mark->column + 1, what);
    exit(1);
}

static void write_string(const unsigned char *text, size_t length)
{
    putchar('"');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\')
            printf("\\%c", text[i]);
        else if (text[i] == '\n')
            printf("\\n");
        else if (text[i] < 0x20)
            printf("\\u%04x", text[i]);
        else
            putchar(text[i]);
    }
    putchar('"');
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?, which is a number in YAML and in JSON. */
static bool is_number(const char *text)
{
    text += *text == '-';
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || (*text == '0' && digits > 1))
        return false;
    text += digits;
    if (*text == '.') {
        digits = strspn(text + 1, "0123456789");
        if (digits == 0)
            return false;
        text += 1 + digits;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        digits = strspn(text, "0123456789");
        text += digits;
        if (digits == 0)
            return false;
    }
    return *text == '\0';
}

/* What comes before a node: a comma, or the colon after its name. */
static void begin_node(const yaml_mark_t *mark, bool is_scalar)
{
    if (depth == 0)
        return;
    struct level *level = &levels[depth - 1];
    if (level->is_mapping && !level->is_value && !is_scalar)
        fail("a name has to be a scalar", mark);
    if (level->is_mapping && level->is_value)
        putchar(':');
    else if (!level->is_first)
        putchar(',');
    level->is_first = false;
    level->is_value = !level->is_value;
}

static void write_scalar(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    bool is_name = depth > 0 && levels[depth - 1].is_mapping && !levels[depth - 1].is_value;
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    begin_node(&event->start_mark, true);
    if (is_name || !is_plain)
        write_string(event->data.scalar.value, event->data.scalar.length);
    else if (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
        printf("null");
    else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0 || is_number(text))
        printf("%s", text);
    else
        write_string(event->data.scalar.value, event->data.scalar.length);
}

static void open_level(const yaml_event_t *event, bool is_mapping)
{
    begin_node(&event->start_mark, false);
    if (depth == DEPTH_MAX)
        fail("nested too deeply", &event->start_mark);
    levels[depth++] = (struct level){.is_mapping = is_mapping, .is_first = true};
    putchar(is_mapping ? '{' : '[');
}

static void write_event(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        write_scalar(event);
        break;
    case YAML_MAPPING_START_EVENT:
        open_level(event, true);
        break;
    case YAML_SEQUENCE_START_EVENT:
        open_level(event, false);
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        depth--;
        putchar(event->type == YAML_MAPPING_END_EVENT ? '}' : ']');
        break;
    case YAML_ALIAS_EVENT:
        fail("aliases are not taken; use $ref", &event->start_mark);
        break;
    default: /* begin and end of stream and document */
        break;
    }
}

int main(void)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return 1;
    yaml_parser_set_input_file(&parser, stdin);
    for (bool ended = false; !ended;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event))
            fail(parser.problem != NULL ? parser.problem : "not YAML", &parser.problem_mark);
        write_event(&event);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    putchar('\n');
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
