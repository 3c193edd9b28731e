#include "workers/labs/lab_session.h"

#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

/* ---- the catalogue ---- */

/* min, max and choices where the type has them, else null. */
static void write_range(struct json_writer *writer, enum lab_value_type type, int64_t min, int64_t max,
                        const char *const *choices)
{
    json_write_string(writer, "type", lab_range_type_names[type]);
    if (type == LAB_INTEGER || type == LAB_TEXT) {
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

static int64_t bytes_or_pages(int64_t bytes, int pages)
{
    return pages > 0 ? pages * sysconf(_SC_PAGESIZE) : bytes;
}

static void write_default(struct json_writer *writer, const struct lab_parameter *parameter)
{
    switch (parameter->type) {
    case LAB_INTEGER:
        json_write_integer(writer, "default", bytes_or_pages(parameter->standard, parameter->standard_pages));
        return;
    case LAB_CHOICE:
        json_write_string(writer, "default", parameter->choices[parameter->standard]);
        return;
    case LAB_TEXT:
        json_write_string(writer, "default", parameter->standard_text);
        return;
    default:
        json_write_boolean(writer, "default", parameter->standard != 0);
    }
}

static void write_bound(struct json_writer *writer, const struct lab_parameter *parameters,
                        const struct lab_bound *bound)
{
    const struct lab_parameter *by = &parameters[bound->by];
    json_begin_object(writer, NULL);
    json_write_string(writer, "kind", lab_bound_kind_names[bound->kind]);
    json_write_string(writer, "by", by->name);
    json_begin_array(writer, "when");
    for (int i = 0; by->type == LAB_CHOICE && by->choices[i] != NULL; i++)
        if ((bound->when & 1u << i) != 0)
            json_write_string(writer, NULL, by->choices[i]);
    json_end_array(writer);
    if (bound->kind == LAB_BOUND_NOT)
        json_write_string(writer, "limit", parameters[bound->parameter].choices[bound->limit]);
    else
        json_write_integer(writer, "limit", bound->limit);
    json_end_object(writer);
}

static void write_parameter(struct json_writer *writer, const struct lab_definition *definition, int number)
{
    const struct lab_parameter *parameter = &definition->parameters[number];
    json_begin_object(writer, NULL);
    json_write_string(writer, "name", parameter->name);
    write_range(writer, parameter->type, bytes_or_pages(parameter->min, parameter->min_pages),
                bytes_or_pages(parameter->max, parameter->max_pages), parameter->choices);
    json_write_positive(writer, "step",
                        parameter->type == LAB_INTEGER && parameter->step == 0 ? 1 : parameter->step);
    write_default(writer, parameter);
    json_begin_array(writer, "bounds");
    for (const struct lab_bound *at = definition->bounds; at->kind != LAB_BOUND_NONE; at++)
        if (at->parameter == number)
            write_bound(writer, definition->parameters, at);
    json_end_array(writer);
    json_end_object(writer);
}

static void write_parameters(struct json_writer *writer, const char *name,
                             const struct lab_definition *definition)
{
    json_begin_array(writer, name);
    for (int i = 0; definition->parameters[i].name != NULL; i++)
        write_parameter(writer, definition, i);
    json_end_array(writer);
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
    write_parameters(writer, "parameters", definition);
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

/* ---- reading ---- */

static void take_value(struct lab *lab, int number, const struct json_node *value)
{
    const struct lab_parameter *parameter = &lab->definition->parameters[number];
    const char *text = json_string_or(value, "");
    int64_t index = 0;
    switch (parameter->type) {
    case LAB_INTEGER:
        lab->values[number] = json_integer_or(value, 0);
        return;
    case LAB_CHOICE:
        while (parameter->choices[index] != NULL && strcmp(parameter->choices[index], text) != 0)
            index++;
        lab->values[number] = index;
        return;
    case LAB_TEXT:
        text_copy(lab->texts[number], sizeof lab->texts[number], text);
        return;
    default:
        lab->values[number] = json_boolean_or(value, false);
    }
}

/* By what the catalogue says of them, as the server reads them. */
void lab_values_read(struct lab *lab, const struct json_node *request, struct faults *faults)
{
    struct err err;
    AUTO(text_fini) struct text described = TEXT_EMPTY;
    AUTO(text_fini) struct text complete = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&described);
    write_parameters(&writer, NULL, lab->definition);
    AUTO(json_cleanup)
    struct json_node *parameters = json_parse(text_string(&described), described.length, &err);
    lab_range_complete(parameters, json_member(request, "parameters"), &complete, faults);
    AUTO(json_cleanup) struct json_node *values = json_parse(text_string(&complete), complete.length, &err);
    for (int i = 0; lab->definition->parameters[i].name != NULL; i++)
        take_value(lab, i, json_member(values, lab->definition->parameters[i].name));
}
