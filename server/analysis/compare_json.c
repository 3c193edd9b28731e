/* A comparison as GET compare answers it. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "server/analysis/compare_parts.h"
#include "server/analysis/omnibus.h"

static void write_verdict(struct json_writer *writer, const struct verdict *verdict)
{
    json_begin_object(writer, NULL);
    json_write_integer(writer, "against", verdict->against->run->id);
    case_write(writer, &verdict->base->key);
    json_write_string(writer, "statistic", statistic_names[verdict->statistic]);
    json_write_string(writer, "distance", column_class_name(verdict->class_of));
    json_write_number(writer, "ratio", verdict->ratio.value);
    json_write_number(writer, "low", verdict->ratio.low);
    json_write_number(writer, "high", verdict->ratio.high);
    json_write_number(writer, "p", verdict->p);
    json_write_number(writer, "p_adjusted", verdict->p_adjusted);
    json_write_number(writer, "cliffs_delta", verdict->delta);
    json_begin_array(writer, "n");
    json_write_unsigned(writer, NULL, verdict->base_count);
    json_write_unsigned(writer, NULL, verdict->against_count);
    json_end_array(writer);
    json_write_number(writer, "margin", verdict->margin);
    json_write_string(writer, "verdict", compare_verdict_names[verdict->word]);
    json_write_string(writer, "reason",
                      verdict->reason == COMPARE_REASON_NONE ? NULL : compare_reason_names[verdict->reason]);
    json_write_positive(writer, "trials_needed", (int64_t)verdict->trials_needed);
    json_end_object(writer);
}

/* ---- do the runs differ at all? ---- */

struct group {
    const struct column *columns[1 + COMPARE_AGAINST_MAX];
    size_t count;
};

/* The runs that have the case and verify as the base does. */
static struct group find_group(const struct comparison *comparison, const struct column *column)
{
    struct group group = {.columns = {column}, .count = 1};
    for (size_t i = 1; i < comparison->side_count; i++) {
        const struct side *side = &comparison->sides[i];
        const struct column *other = figures_find(&side->figures, &column->key);
        if (other != NULL && other->count > 0 &&
            strcmp(side->conditions.verify, comparison->sides[0].conditions.verify) == 0)
            group.columns[group.count++] = other;
    }
    return group;
}

static int test_group(const struct group *group, int class_of, struct omnibus *result)
{
    struct sample samples[1 + COMPARE_AGAINST_MAX];
    size_t all = 0;
    for (size_t i = 0; i < group->count; i++)
        all += group->columns[i]->count;
    AUTO_FREE double *values = calloc(all + 1, sizeof *values);
    if (values == NULL)
        return -ENOMEM;
    double *next = values;
    for (size_t i = 0; i < group->count; i++) {
        samples[i] = (struct sample){next, column_take_class(group->columns[i], class_of, next)};
        next += samples[i].count;
    }
    return omnibus_test(samples, group->count, result);
}

/* Of two runs the verdict says it already. */
static int write_omnibus(struct json_writer *writer, const struct comparison *comparison)
{
    int result = 0;
    json_begin_array(writer, "omnibus");
    for (size_t i = 0; i < comparison->sides[0].figures.count && result == 0; i++) {
        const struct column *column = &comparison->sides[0].figures.columns[i];
        struct group group = find_group(comparison, column);
        int class_of = column_common_class(group.columns, group.count);
        struct omnibus omnibus = {.h = NAN, .p = NAN};
        if (group.count < 3 || class_of < 0)
            continue;
        result = test_group(&group, class_of, &omnibus);
        json_begin_object(writer, NULL);
        case_write(writer, &column->key);
        json_write_string(writer, "statistic", statistic_names[column->statistic]);
        json_write_string(writer, "distance", column_class_name(class_of));
        json_write_unsigned(writer, "runs", group.count);
        json_write_number(writer, "h", omnibus.h);
        json_write_number(writer, "p", omnibus.p);
        json_end_object(writer);
    }
    json_end_array(writer);
    return result;
}

/* ---- what else differs ---- */

static void write_difference(struct json_writer *writer, int64_t against, const char *what, const char *name,
                             const char *base_value, const char *against_value)
{
    if (strcmp(base_value, against_value) == 0)
        return;
    json_begin_object(writer, NULL);
    json_write_integer(writer, "against", against);
    json_write_string(writer, what, name);
    json_write_string(writer, "base_value", base_value);
    json_write_string(writer, "against_value", against_value);
    json_end_object(writer);
}

/* The facts of one machine that read otherwise on the other. */
static int write_machine_differences(struct store *store, struct json_writer *writer,
                                     const struct store_run *base, const struct store_run *against,
                                     struct err *err)
{
    AUTO(store_machine_fini) struct store_machine here_machine = {.facts = NULL};
    AUTO(store_machine_fini) struct store_machine there_machine = {.facts = NULL};
    if (base->machine_id == 0 || against->machine_id == 0 || base->machine_id == against->machine_id)
        return 0;
    int result = store_machine_get(store, base->machine_full, &here_machine, err);
    if (result < 0 || here_machine.facts == NULL)
        return result;
    result = store_machine_get(store, against->machine_full, &there_machine, err);
    if (result < 0 || there_machine.facts == NULL)
        return result;
    AUTO(json_cleanup)
    struct json_node *here = json_parse(here_machine.facts, strlen(here_machine.facts), err);
    AUTO(json_cleanup)
    struct json_node *there = json_parse(there_machine.facts, strlen(there_machine.facts), err);
    for (const struct json_node *fact = json_first(here); fact != NULL; fact = json_next(fact))
        write_difference(writer, against->id, "fact", json_name(fact), json_string_or(fact, ""),
                         json_string_or(json_member(there, json_name(fact)), ""));
    return 0;
}

static void write_experiment_differences(struct json_writer *writer, const struct side *base,
                                         const struct side *against)
{
    const struct conditions *here = &base->conditions, *there = &against->conditions;
    const struct {
        const char *name;
        int64_t here, there;
    } lengths[] = {{"duration_ms", here->duration_ms, there->duration_ms},
                   {"warmup_ms", here->warmup_ms, there->warmup_ms}};
    write_difference(writer, against->run->id, "field", "verify", here->verify, there->verify);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char here_text[24], there_text[24];
        snprintf(here_text, sizeof here_text, "%" PRId64, lengths[i].here);
        snprintf(there_text, sizeof there_text, "%" PRId64, lengths[i].there);
        write_difference(writer, against->run->id, "field", lengths[i].name, here_text, there_text);
    }
}

static int write_differences(struct store *store, struct json_writer *writer,
                             const struct comparison *comparison, struct err *err)
{
    const struct side *base = &comparison->sides[0];
    json_begin_array(writer, "machine_differences");
    for (size_t i = 1; i < comparison->side_count; i++) {
        int result = write_machine_differences(store, writer, base->run, comparison->sides[i].run, err);
        if (result < 0)
            return result;
    }
    json_end_array(writer);
    json_begin_array(writer, "experiment_differences");
    for (size_t i = 1; i < comparison->side_count; i++)
        write_experiment_differences(writer, base, &comparison->sides[i]);
    json_end_array(writer);
    return 0;
}

/* ---- the margin ---- */

static void write_floor(struct json_writer *writer, enum pattern pattern,
                        const struct noise_floor *noise_floor)
{
    json_begin_object(writer, NULL);
    json_write_string(writer, "pattern", pattern_names[pattern]);
    json_write_string(writer, "statistic", statistic_names[noise_floor->statistic]);
    json_write_number(writer, "value", noise_floor->value);
    json_write_unsigned(writer, "pairs", noise_floor->pairs);
    json_write_unsigned(writer, "readings", noise_floor->readings);
    json_end_object(writer);
}

/* Of the base's machine; each verdict's margin says what counted for it. */
static void write_noise(struct json_writer *writer, const struct noise *noise)
{
    const struct noise_floor *highest = NULL;
    for (int i = 0; i < PATTERN_COUNT; i++)
        if (!isnan(noise->floors[i].value) && (highest == NULL || noise->floors[i].value > highest->value))
            highest = &noise->floors[i];
    if (highest == NULL) {
        json_write_null(writer, "noise_floor");
        return;
    }
    json_begin_object(writer, "noise_floor");
    json_write_number(writer, "value", highest->value);
    json_write_unsigned(writer, "pairs", highest->pairs);
    json_begin_array(writer, "patterns");
    for (int i = 0; i < PATTERN_COUNT; i++)
        if (!isnan(noise->floors[i].value))
            write_floor(writer, (enum pattern)i, &noise->floors[i]);
    json_end_array(writer);
    json_end_object(writer);
}

static double widest_margin(const struct comparison *comparison)
{
    double margin = compare_margin(0);
    for (size_t i = 0; i < comparison->count; i++)
        margin = fmax(margin, comparison->verdicts[i].margin);
    return margin;
}

/* ---- the whole ---- */

static void write_gate(struct json_writer *writer, const struct comparison *comparison)
{
    if (isnan(comparison->request->max_slower)) {
        json_write_null(writer, "gate");
        json_write_null(writer, "gate_reason");
        json_write_null(writer, "trials_needed");
        return;
    }
    struct gate gate = compare_gate_decide(comparison);
    json_write_string(writer, "gate", compare_gate_names[gate.word]);
    json_write_string(writer, "gate_reason", gate.reason);
    json_write_positive(writer, "trials_needed", (int64_t)gate.trials_needed);
}

int compare_write(struct store *store, const struct comparison *comparison, struct text *out, struct err *err)
{
    const struct compare_request *request = comparison->request;
    struct json_writer writer = json_writer_on(out);
    json_begin_object(&writer, NULL);
    json_write_integer(&writer, "base", request->base->id);
    json_begin_array(&writer, "against");
    for (size_t i = 0; i < request->against_count; i++)
        json_write_integer(&writer, NULL, request->against[i].id);
    json_end_array(&writer);
    json_write_string(&writer, "statistic",
                      request->statistic >= 0 ? statistic_names[request->statistic] : "natural");
    json_write_string(&writer, "correction", isnan(request->max_slower) ? "benjamini_hochberg" : "holm");
    json_write_number(&writer, "margin", widest_margin(comparison));
    write_noise(&writer, &comparison->sides[0].noise);
    json_begin_array(&writer, "verdicts");
    for (size_t i = 0; i < comparison->count; i++)
        write_verdict(&writer, &comparison->verdicts[i]);
    json_end_array(&writer);
    if (write_omnibus(&writer, comparison) < 0)
        return err_set(err, ENOMEM, "out of memory for a comparison");
    int result = write_differences(store, &writer, comparison, err);
    if (comparison->machines == COMPARE_MACHINES_UNKNOWN)
        json_write_null(&writer, "comparable");
    else
        json_write_boolean(&writer, "comparable", comparison->machines == COMPARE_MACHINES_ALIKE);
    write_gate(&writer, comparison);
    json_end_object(&writer);
    return result;
}
