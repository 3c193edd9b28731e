#include "workers/labs/lab_session.h"

#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {
    [LAB_INTEGER] = "integer", [LAB_CHOICE] = "choice", [LAB_BOOLEAN] = "boolean"};

static size_t choice_count(const char *const *choices)
{
    size_t count = 0;
    while (choices[count] != NULL)
        count++;
    return count;
}

/* ---- reading ---- */

static void read_value(const struct lab_parameter *parameter, const struct json_node *given, int64_t *value,
                       struct faults *faults)
{
    bool truth = parameter->standard != 0;
    int word = (int)parameter->standard;
    *value = parameter->standard;
    switch (parameter->type) {
    case LAB_INTEGER:
        json_read_integer(given, parameter->name, parameter->min, parameter->max, value, faults);
        return;
    case LAB_CHOICE:
        json_read_word(given, parameter->name, parameter->choices, choice_count(parameter->choices), &word,
                       faults);
        *value = word;
        return;
    case LAB_BOOLEAN:
        json_read_boolean(given, parameter->name, &truth, faults);
        *value = truth;
        return;
    }
}

/* Their pointers are relative to "parameters" so far. */
static void add_prefixed(const struct faults *from, struct faults *faults)
{
    for (size_t i = 0; i < faults_kept(from); i++) {
        char pointer[FAULT_POINTER_BYTES + 16];
        snprintf(pointer, sizeof pointer, "/parameters%s", from->items[i].pointer);
        faults_add(faults, pointer, "%s", from->items[i].detail);
    }
}

void lab_values_read(const struct lab_definition *definition, const struct json_node *request,
                     int64_t *values, struct faults *faults)
{
    const struct json_node *given = json_member(request, "parameters");
    struct faults own = {.count = 0};
    const char *names[LAB_PARAMETERS_MAX];
    size_t count = 0;
    if (given != NULL && !json_is(given, JSON_OBJECT)) {
        faults_add(faults, "/parameters", "must be an object, got %s", json_kind_name(json_kind_of(given)));
        return;
    }
    for (const struct lab_parameter *at = definition->parameters; at->name != NULL; at++) {
        read_value(at, given, &values[count], &own);
        names[count++] = at->name;
    }
    json_read_only_known(given, names, count, &own);
    if (own.count == 0 && definition->check != NULL)
        definition->check(values, &own);
    add_prefixed(&own, faults);
}

/* ---- the catalogue ---- */

/* min, max and choices where the type has them, else null. */
static void write_range(struct json_writer *writer, enum lab_value_type type, int64_t min, int64_t max,
                        const char *const *choices)
{
    json_write_string(writer, "type", type_names[type]);
    if (type == LAB_INTEGER) {
        json_write_integer(writer, "min", min);
        json_write_integer(writer, "max", max);
    } else {
        json_write_null(writer, "min");
        json_write_null(writer, "max");
    }
    if (type == LAB_CHOICE)
        json_write_words(writer, "choices", choices);
    else
        json_write_null(writer, "choices");
}

static void write_parameter(struct json_writer *writer, const struct lab_parameter *parameter)
{
    json_begin_object(writer, NULL);
    json_write_string(writer, "name", parameter->name);
    write_range(writer, parameter->type, parameter->min, parameter->max, parameter->choices);
    if (parameter->type == LAB_INTEGER)
        json_write_integer(writer, "default", parameter->standard);
    else if (parameter->type == LAB_CHOICE)
        json_write_string(writer, "default", parameter->choices[parameter->standard]);
    else
        json_write_boolean(writer, "default", parameter->standard != 0);
    json_end_object(writer);
}

static void write_lab(struct json_writer *writer, const struct lab_definition *definition)
{
    const struct lab_prediction *prediction = &definition->prediction;
    json_begin_object(writer, NULL);
    json_write_string(writer, "name", definition->name);
    json_write_integer(writer, "number", definition->number);
    json_write_words(writer, "mechanisms", definition->mechanisms);
    json_begin_array(writer, "claims");
    for (const int *claim = definition->claims; *claim != 0; claim++)
        json_write_integer(writer, NULL, *claim);
    json_end_array(writer);
    json_write_words(writer, "panels", definition->panels);
    json_write_boolean(writer, "interactive", definition->is_interactive);
    json_write_integer(writer, "duration_ms_max",
                       definition->is_interactive ? LAB_INTERACTIVE_MS : LAB_DURATION_MS);
    json_write_string(writer, "source", definition->source);
    json_begin_array(writer, "parameters");
    for (const struct lab_parameter *at = definition->parameters; at->name != NULL; at++)
        write_parameter(writer, at);
    json_end_array(writer);
    json_begin_object(writer, "prediction");
    write_range(writer, prediction->type, prediction->min, prediction->max, prediction->choices);
    json_write_integer(writer, "tolerance_percent", prediction->tolerance_percent);
    json_end_object(writer);
    json_end_object(writer);
}

void lab_catalogue_write(struct json_writer *writer)
{
    json_begin_object(writer, NULL);
    json_begin_array(writer, "labs");
    for (const struct lab_definition *const *at = lab_table; *at != NULL; at++)
        write_lab(writer, *at);
    json_end_array(writer);
    json_end_object(writer);
}
