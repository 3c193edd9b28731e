#include "server/messages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/embed/embedded.h"

#define FALLBACK "en"
#define NARROW_SPACE "\u202f"

enum { LANGUAGES_MAX = 16, LANGUAGE_BYTES = 9, PATH_BYTES = 160 };

struct messages_language {
    char name[LANGUAGE_BYTES];
    struct json_node *catalogue;
    const struct messages_language *fallback; /* NULL for the fallback itself */
};

struct messages {
    size_t count;
    struct messages_language languages[LANGUAGES_MAX];
};

/* ---- the catalogues ---- */

/* "/messages/en.json" → "en". */
static bool name_of_file(const char *path, char name[LANGUAGE_BYTES])
{
    static const char directory[] = "/messages/", ending[] = ".json";
    size_t length = strlen(path), around = sizeof directory - 1 + sizeof ending - 1;
    if (strncmp(path, directory, sizeof directory - 1) != 0 || length <= around ||
        length - around >= LANGUAGE_BYTES || strcmp(path + length - sizeof ending + 1, ending) != 0)
        return false;
    memcpy(name, path + sizeof directory - 1, length - around);
    name[length - around] = '\0';
    return true;
}

static int add_language(struct messages *messages, const struct embedded_file *file, const char *name,
                        struct err *err)
{
    if (messages->count == LANGUAGES_MAX)
        return err_set(err, E2BIG, "there are more than %d languages", LANGUAGES_MAX);
    struct messages_language *language = &messages->languages[messages->count];
    language->catalogue = json_parse((const char *)file->raw, (size_t)(file->raw_end - file->raw), err);
    if (language->catalogue == NULL) {
        err_prefix(err, "%s", file->path);
        return -EINVAL;
    }
    text_copy(language->name, sizeof language->name, name);
    messages->count++;
    return 0;
}

static const struct messages_language *find_language(const struct messages *messages, const char *name,
                                                     size_t length)
{
    for (size_t i = 0; i < messages->count; i++)
        if (strlen(messages->languages[i].name) == length &&
            strncasecmp(messages->languages[i].name, name, length) == 0)
            return &messages->languages[i];
    return NULL;
}

int messages_new(struct messages **messages, struct err *err)
{
    struct messages *made = calloc(1, sizeof *made);
    if (made == NULL)
        return err_set(err, ENOMEM, "out of memory for the messages");
    int result = 0;
    char name[LANGUAGE_BYTES];
    for (size_t i = 0; i < embedded_file_count && result == 0; i++)
        if (name_of_file(embedded_files[i].path, name))
            result = add_language(made, &embedded_files[i], name, err);
    const struct messages_language *fallback = find_language(made, FALLBACK, sizeof FALLBACK - 1);
    if (result == 0 && fallback == NULL)
        result = err_set(err, ENOENT, "the messages are not there in \"%s\"", FALLBACK);
    if (result < 0) {
        messages_free(made);
        return result;
    }
    for (size_t i = 0; i < made->count; i++)
        made->languages[i].fallback = &made->languages[i] != fallback ? fallback : NULL;
    *messages = made;
    return 0;
}

void messages_free(struct messages *messages)
{
    if (messages == NULL)
        return;
    for (size_t i = 0; i < messages->count; i++)
        json_free(messages->languages[i].catalogue);
    free(messages);
}

/* ---- which language ---- */

/* The weight of one range, "it-IT;q=0.8"; 1 where none is given, 0 where it is none. */
static double weight_of(const char *range, size_t length)
{
    const char *parameter = memchr(range, ';', length);
    if (parameter == NULL)
        return 1;
    parameter += 1 + strspn(parameter + 1, " \t");
    return strncasecmp(parameter, "q=", 2) == 0 ? strtod(parameter + 2, NULL) : 0;
}

const struct messages_language *messages_choose(const struct messages *messages, const char *accept_language)
{
    const struct messages_language *best = find_language(messages, FALLBACK, sizeof FALLBACK - 1);
    double best_weight = 0;
    const char *range = accept_language != NULL ? accept_language : "";
    while (*range != '\0') {
        range += strspn(range, " \t,");
        size_t length = strcspn(range, ",");
        const struct messages_language *language = find_language(messages, range, strcspn(range, "-;, \t"));
        double weight = weight_of(range, length);
        if (language != NULL && weight > best_weight) {
            best = language;
            best_weight = weight;
        }
        range += length;
    }
    return best;
}

const char *messages_language_name(const struct messages_language *language)
{
    return language->name;
}

/* ---- texts ---- */

static const struct json_node *walk(const struct json_node *node, const char *path)
{
    char word[PATH_BYTES];
    while (node != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        snprintf(word, sizeof word, "%.*s", (int)length, path);
        node = json_member(node, word);
        path += length + (path[length] == '.');
    }
    return node;
}

static const struct json_node *find(const struct messages_language *language, const char *path)
{
    const struct json_node *node = walk(language->catalogue, path);
    if (node == NULL && language->fallback != NULL)
        node = walk(language->fallback->catalogue, path);
    return node;
}

const struct json_node *messages_find(const struct messages_language *language, const char *path, ...)
{
    char whole[PATH_BYTES];
    va_list arguments;
    va_start(arguments, path);
    vsnprintf(whole, sizeof whole, path, arguments);
    va_end(arguments);
    return find(language, whole);
}

/* What is told apart by its digits and not counted. */
static bool is_identity(const char *name)
{
    static const char *const ends[] = {"id", "key", "uid", "pid", "fd", "port", "protocol"};
    const char *last = strrchr(name, '_');
    last = last != NULL ? last + 1 : name;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (strcmp(last, ends[i]) == 0)
            return true;
    return false;
}

/* The thousands apart by a narrow space that does not break, as on the page. */
static void append_count(struct text *out, int64_t count)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count);
    for (int i = 0; i < length; i++) {
        bool is_between = i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0;
        if (is_between)
            text_append(out, NARROW_SPACE);
        text_append_char(out, digits[i]);
    }
}

static void append_value(struct text *out, const char *name, const struct json_node *value)
{
    if (json_is(value, JSON_STRING)) {
        text_append(out, json_string_or(value, ""));
        return;
    }
    /* Of a mean or a share nobody reads more than three digits. */
    double number = json_number_or(value, 0);
    if (json_is(value, JSON_NUMBER) && !json_is_integer(value)) {
        text_printf(out, number > -1000 && number < 1000 ? "%.3g" : "%.0f", number);
        return;
    }
    if (json_is_integer(value) && !is_identity(name)) {
        append_count(out, json_integer_or(value, 0));
        return;
    }
    struct json_writer writer = json_writer_on(out);
    json_write_node(&writer, NULL, value);
}

/* {name} becomes the value of that name; one that has none stays as it is. */
static void fill(struct text *out, const char *text, const struct json_node *values)
{
    char name[PATH_BYTES];
    while (*text != '\0') {
        size_t plain = strcspn(text, "{");
        text_append_bytes(out, text, plain);
        text += plain;
        if (*text == '\0')
            return;
        size_t length = strcspn(text, "}");
        snprintf(name, sizeof name, "%.*s", length > 0 ? (int)length - 1 : 0, text + 1);
        const struct json_node *value = json_member(values, name);
        if (value != NULL && text[length] == '}') {
            append_value(out, name, value);
            text += length + 1;
        } else {
            text_append_char(out, *text++);
        }
    }
}

void messages_append(struct text *out, const struct messages_language *language,
                     const struct json_node *values, const char *path, ...)
{
    char whole[PATH_BYTES];
    va_list arguments;
    va_start(arguments, path);
    vsnprintf(whole, sizeof whole, path, arguments);
    va_end(arguments);
    const struct json_node *node = find(language, whole);
    const char *last = strrchr(whole, '.');
    fill(out, json_string_or(node, last != NULL ? last + 1 : whole), values);
}
