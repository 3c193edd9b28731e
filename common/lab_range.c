#include "common/lab_range.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

enum { VALUE_BYTES = 64 };

#define LAB_RANGE_NAME(symbol, name) [symbol] = (name),
const char *const lab_range_type_names[LAB_TYPE_COUNT] = {LAB_TYPE_WORDS(LAB_RANGE_NAME)};
const char *const lab_bound_kind_names[LAB_BOUND_KIND_COUNT] = {LAB_BOUND_WORDS(LAB_RANGE_NAME)};

static const char *string_of(const struct json_node *object, const char *name)
{
    return json_string_or(json_member(object, name), "");
}

static int64_t integer_of(const struct json_node *object, const char *name)
{
    return json_integer_or(json_member(object, name), 0);
}

static int type_of(const struct json_node *range)
{
    return text_index_of(string_of(range, "type"), lab_range_type_names, LAB_TYPE_COUNT);
}

static int kind_of(const struct json_node *bound)
{
    return text_index_of(string_of(bound, "kind"), lab_bound_kind_names, LAB_BOUND_KIND_COUNT);
}

/* ---- descriptions ---- */

static const struct json_node *find(const struct json_node *parameters, const char *name)
{
    const struct json_node *parameter = json_first(parameters);
    while (parameter != NULL && strcmp(string_of(parameter, "name"), name) != 0)
        parameter = json_next(parameter);
    return parameter;
}

bool lab_range_is_sound(const struct json_node *range)
{
    int type = type_of(range);
    size_t choices = json_count(json_member(range, "choices"));
    if (type == LAB_CHOICE)
        return choices > 0 && choices <= LAB_CHOICES_MAX;
    bool has_ends = json_is_integer(json_member(range, "min")) && json_is_integer(json_member(range, "max"));
    if (type == LAB_TEXT)
        return has_ends && integer_of(range, "min") >= 0 && integer_of(range, "max") <= LAB_TEXT_BYTES_MAX;
    return type == LAB_BOOLEAN || (type == LAB_INTEGER && has_ends);
}

static bool bound_is_sound(const struct json_node *parameters, const struct json_node *parameter,
                           const struct json_node *bound)
{
    int kind = kind_of(bound), type = kind == LAB_BOUND_NOT ? LAB_CHOICE : LAB_INTEGER;
    const struct json_node *by = find(parameters, string_of(bound, "by")),
                           *limit = json_member(bound, "limit");
    if (kind <= LAB_BOUND_NONE || type_of(parameter) != type || by == NULL)
        return false;
    if (kind == LAB_BOUND_MAX || kind == LAB_BOUND_NOT)
        return type_of(by) == LAB_CHOICE && json_count(json_member(bound, "when")) > 0 &&
               (kind == LAB_BOUND_NOT ? json_is(limit, JSON_STRING) : json_is_integer(limit));
    return type_of(by) == LAB_INTEGER && json_integer_or(limit, 0) > 0;
}

bool lab_range_parameter_is_sound(const struct json_node *parameters, const struct json_node *parameter)
{
    const struct json_node *bound = json_first(json_member(parameter, "bounds"));
    if (string_of(parameter, "name")[0] == '\0' || json_member(parameter, "default") == NULL ||
        !lab_range_is_sound(parameter))
        return false;
    while (bound != NULL && bound_is_sound(parameters, parameter, bound))
        bound = json_next(bound);
    return bound == NULL;
}

/* ---- a value and its own range ---- */

static size_t read_choices(const struct json_node *range, const char *choices[LAB_CHOICES_MAX])
{
    size_t count = 0;
    const struct json_node *choice = json_first(json_member(range, "choices"));
    for (; choice != NULL && count < LAB_CHOICES_MAX; choice = json_next(choice))
        choices[count++] = json_string_or(choice, "");
    return count;
}

static bool check_integer(const struct json_node *range, const struct json_node *object, const char *name,
                          struct faults *faults)
{
    char pointer[FAULT_POINTER_BYTES];
    int64_t value = 0, step = integer_of(range, "step");
    if (!json_read_integer(object, name, integer_of(range, "min"), integer_of(range, "max"), &value, faults))
        return false;
    if (step <= 1 || value % step == 0)
        return true;
    snprintf(pointer, sizeof pointer, "/%s", name);
    faults_add(faults, pointer,
               "must be a multiple of %" PRId64 " from %" PRId64 " to %" PRId64 ", got %" PRId64, step,
               integer_of(range, "min"), integer_of(range, "max"), value);
    return false;
}

static bool check_text(const struct json_node *range, const struct json_node *object, const char *name,
                       struct faults *faults)
{
    char pointer[FAULT_POINTER_BYTES];
    const struct json_node *given = json_member(object, name);
    const char *text = json_string_or(given, "");
    int64_t length = (int64_t)strlen(text), printable = 0;
    if (given == NULL)
        return false;
    while (text[printable] >= ' ' && text[printable] <= '~')
        printable++;
    if (json_is(given, JSON_STRING) && printable == length && length >= integer_of(range, "min") &&
        length <= integer_of(range, "max"))
        return true;
    snprintf(pointer, sizeof pointer, "/%s", name);
    faults_add(faults, pointer,
               "must be a text of %" PRId64 " to %" PRId64 " printable ASCII characters, got %s",
               integer_of(range, "min"), integer_of(range, "max"),
               !json_is(given, JSON_STRING) ? json_kind_name(json_kind_of(given))
               : printable < length         ? "another character in it"
                                            : "another length");
    return false;
}

bool lab_range_check(const struct json_node *range, const struct json_node *object, const char *name,
                     struct faults *faults)
{
    const char *choices[LAB_CHOICES_MAX];
    int word = 0;
    bool truth = false;
    switch (type_of(range)) {
    case LAB_INTEGER:
        return check_integer(range, object, name, faults);
    case LAB_CHOICE:
        return json_read_word(object, name, choices, read_choices(range, choices), &word, faults);
    case LAB_TEXT:
        return check_text(range, object, name, faults);
    default:
        return json_read_boolean(object, name, &truth, faults);
    }
}

/* ---- what others make of it ---- */

static bool applies(const struct json_node *bound, const struct json_node *values)
{
    const char *by = string_of(values, string_of(bound, "by"));
    const struct json_node *word = json_first(json_member(bound, "when"));
    while (word != NULL && strcmp(json_string_or(word, ""), by) != 0)
        word = json_next(word);
    return word != NULL;
}

static void check_not(const struct json_node *parameter, const struct json_node *bound,
                      const struct json_node *values, const char *pointer, struct faults *faults)
{
    const char *name = string_of(parameter, "name"), *refused = string_of(bound, "limit");
    const char *by = string_of(bound, "by"), *separator = "";
    if (!applies(bound, values) || strcmp(string_of(values, name), refused) != 0)
        return;
    AUTO(text_fini) struct text others = TEXT_EMPTY;
    const struct json_node *choice = json_first(json_member(parameter, "choices"));
    for (; choice != NULL; choice = json_next(choice)) {
        if (strcmp(json_string_or(choice, ""), refused) == 0)
            continue;
        text_printf(&others, "%s%s", separator, json_string_or(choice, ""));
        separator = " or ";
    }
    faults_add(faults, pointer, "must be %s while %s is %s, got %s", text_string(&others), by,
               string_of(values, by), refused);
}

/* The parameter's range as this bound leaves it. */
static void narrow(const struct json_node *bound, const struct json_node *values, int64_t *min, int64_t *max)
{
    int64_t by = integer_of(values, string_of(bound, "by")), limit = integer_of(bound, "limit");
    int64_t most = *max, least = *min;
    switch (kind_of(bound)) {
    case LAB_BOUND_MAX:
        most = applies(bound, values) ? limit : *max;
        break;
    case LAB_BOUND_PRODUCT:
        most = by > 0 ? limit / by : *max;
        break;
    case LAB_BOUND_TIMES:
        most = by * limit;
        break;
    case LAB_BOUND_SHARE:
        least = (by + limit - 1) / limit;
        break;
    default:
        break;
    }
    *max = most < *max ? most : *max;
    *min = least > *min ? least : *min;
}

static void check_narrowed(const struct json_node *parameter, const struct json_node *bound,
                           const struct json_node *values, const char *pointer, struct faults *faults)
{
    char by_value[VALUE_BYTES];
    const char *by = string_of(bound, "by");
    const struct json_node *other = json_member(values, by);
    int64_t value = integer_of(values, string_of(parameter, "name"));
    int64_t min = integer_of(parameter, "min"), max = integer_of(parameter, "max");
    narrow(bound, values, &min, &max);
    if (value >= min && value <= max)
        return;
    if (json_is(other, JSON_STRING))
        text_copy(by_value, sizeof by_value, json_string_or(other, ""));
    else
        snprintf(by_value, sizeof by_value, "%" PRId64, json_integer_or(other, 0));
    faults_add(faults, pointer, "must be %" PRId64 " to %" PRId64 " while %s is %s, got %" PRId64, min, max,
               by, by_value, value);
}

/* Adds one fault at most for each parameter. */
static void check_bounds(const struct json_node *parameters, const struct json_node *values,
                         struct faults *faults)
{
    const struct json_node *parameter = json_first(parameters);
    for (; parameter != NULL; parameter = json_next(parameter)) {
        char pointer[FAULT_POINTER_BYTES];
        size_t before = faults->count;
        snprintf(pointer, sizeof pointer, "/%.80s", string_of(parameter, "name"));
        const struct json_node *bound = json_first(json_member(parameter, "bounds"));
        for (; bound != NULL && faults->count == before; bound = json_next(bound))
            (kind_of(bound) == LAB_BOUND_NOT ? check_not : check_narrowed)(parameter, bound, values, pointer,
                                                                           faults);
    }
}

/* ---- a whole request ---- */

static void check_names(const struct json_node *parameters, const struct json_node *given,
                        struct faults *faults)
{
    AUTO_FREE const char **names = calloc(json_count(parameters) + 1, sizeof *names);
    size_t count = 0;
    const struct json_node *parameter = json_first(parameters);
    for (; names != NULL && parameter != NULL; parameter = json_next(parameter))
        names[count++] = string_of(parameter, "name");
    if (names != NULL)
        json_read_only_known(given, names, count, faults);
}

void lab_range_complete(const struct json_node *parameters, const struct json_node *given,
                        struct text *complete, struct faults *faults)
{
    struct err err;
    struct faults own = {.count = 0};
    size_t begin = complete->length;
    if (given != NULL && !json_is(given, JSON_OBJECT)) {
        faults_add(faults, "/parameters", "must be an object, got %s", json_kind_name(json_kind_of(given)));
        return;
    }
    struct json_writer writer = json_writer_on(complete);
    json_begin_object(&writer, NULL);
    const struct json_node *parameter = json_first(parameters);
    for (; parameter != NULL; parameter = json_next(parameter)) {
        const char *name = string_of(parameter, "name");
        bool is_given = lab_range_check(parameter, given, name, &own);
        json_write_node(&writer, name,
                        json_member(is_given ? given : parameter, is_given ? name : "default"));
    }
    json_end_object(&writer);
    check_names(parameters, given, &own);
    AUTO(json_cleanup)
    struct json_node *values = own.count == 0 && text_ok(complete)
                                   ? json_parse(complete->bytes + begin, complete->length - begin, &err)
                                   : NULL;
    if (values != NULL)
        check_bounds(parameters, values, &own);
    faults_add_below(faults, "/parameters", &own);
}
