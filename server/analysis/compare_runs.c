#include "server/analysis/compare_runs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/analysis/compare.h"
#include "server/analysis/statistic.h"

/* DISTANCE_WORDS and one more for trials of which none is known. */
enum { CLASS_UNKNOWN = DISTANCE_COUNT, CLASS_COUNT };

/* The figures of one case of one run, by distance. */
struct column {
    struct store_case one;
    enum statistic statistic;
    size_t count, capacity;
    double *values;
    unsigned char *classes;
};

struct side {
    const struct store_run *run;
    struct column *columns;
    size_t count;
};

struct verdict {
    int64_t against;
    const struct column *base;
    enum statistic statistic;
    int class_of; /* -1 = no distance that both have */
    size_t base_count, against_count;
    struct stats_interval ratio;
    double p, p_adjusted, delta;
    enum compare_verdict word;
};

struct verdicts {
    struct verdict *items;
    size_t count;
};

static void verdicts_fini(struct verdicts *verdicts)
{
    free(verdicts->items);
}

static void side_fini(struct side *side)
{
    for (size_t i = 0; i < side->count; i++) {
        free(side->columns[i].values);
        free(side->columns[i].classes);
    }
    free(side->columns);
}

/* ---- reading a run ---- */

static int reserve(struct column *column)
{
    if (column->count < column->capacity)
        return 0;
    size_t capacity = column->capacity > 0 ? 2 * column->capacity : 16;
    double *values = realloc(column->values, capacity * sizeof *values);
    if (values != NULL)
        column->values = values;
    unsigned char *classes = realloc(column->classes, capacity);
    if (classes != NULL)
        column->classes = classes;
    if (values == NULL || classes == NULL)
        return -ENOMEM;
    column->capacity = capacity;
    return 0;
}

static int add_trial(void *context, const struct store_trial *trial)
{
    struct side *side = context;
    if (!trial->done || trial->case_number < 0 || (size_t)trial->case_number >= side->count)
        return 0;
    struct column *column = &side->columns[trial->case_number];
    double value = statistic_of_trial(trial, column->statistic);
    if (!(value > 0)) /* also NAN: what has no figure cannot be compared by it */
        return 0;
    int reserved = reserve(column);
    if (reserved < 0)
        return reserved;
    column->values[column->count] = value;
    column->classes[column->count++] =
        (unsigned char)(trial->distance >= 0 ? trial->distance : (int)CLASS_UNKNOWN);
    return 0;
}

static int read_side(struct store *store, const struct store_run *run, int statistic, struct side *side,
                     struct err *err)
{
    AUTO_FREE struct store_case *cases = NULL;
    size_t count = 0;
    int result = store_run_cases(store, run->id, &cases, &count, err);
    if (result < 0)
        return result;
    side->run = run;
    side->columns = calloc(count > 0 ? count : 1, sizeof *side->columns);
    if (side->columns == NULL)
        return err_set(err, ENOMEM, "out of memory for a comparison");
    side->count = count;
    for (size_t i = 0; i < count; i++) {
        side->columns[i].one = cases[i];
        side->columns[i].statistic =
            statistic >= 0 ? (enum statistic)statistic : statistic_natural(cases[i].key.pattern);
    }
    return store_trial_each(store, run->id, 0, 0, STORE_TRIAL_SUMMARY, add_trial, side, err);
}

/* ---- one verdict ---- */

static size_t count_class(const struct column *column, int class_of)
{
    size_t count = 0;
    for (size_t i = 0; i < column->count; i++)
        count += column->classes[i] == class_of;
    return count;
}

/* The class that both have most of; a mixed distance equals no other, not even another mixed one. */
static int common_class(const struct column *a, const struct column *b)
{
    int best = -1;
    size_t best_count = 0;
    for (int class_of = 0; class_of < CLASS_COUNT; class_of++) {
        size_t in_a = count_class(a, class_of), in_b = count_class(b, class_of);
        size_t least = in_a < in_b ? in_a : in_b;
        if (class_of != DISTANCE_MIXED && least > best_count) {
            best = class_of;
            best_count = least;
        }
    }
    return best;
}

static size_t take_class(const struct column *column, int class_of, double *values)
{
    size_t count = 0;
    for (size_t i = 0; i < column->count; i++)
        if (column->classes[i] == class_of)
            values[count++] = column->values[i];
    return count;
}

static int fill_verdict(const struct column *base, const struct column *against, struct verdict *verdict)
{
    verdict->ratio = (struct stats_interval){NAN, NAN, NAN};
    verdict->p = verdict->p_adjusted = verdict->delta = NAN;
    verdict->class_of = common_class(base, against);
    if (verdict->class_of < 0)
        return 0;
    AUTO_FREE double *a = calloc(against->count, sizeof *a);
    AUTO_FREE double *b = calloc(base->count, sizeof *b);
    if (a == NULL || b == NULL)
        return -ENOMEM;
    verdict->against_count = take_class(against, verdict->class_of, a);
    verdict->base_count = take_class(base, verdict->class_of, b);
    int result = compare_ratio(a, verdict->against_count, b, verdict->base_count, &verdict->ratio);
    if (result == 0)
        result = compare_p(a, verdict->against_count, b, verdict->base_count, &verdict->p);
    verdict->delta = compare_delta(a, verdict->against_count, b, verdict->base_count);
    return result;
}

static const struct column *find_case(const struct side *side, const struct ipc_case *key)
{
    for (size_t i = 0; i < side->count; i++)
        if (case_equal(&side->columns[i].one.key, key))
            return &side->columns[i];
    return NULL;
}

static int add_side(struct verdicts *verdicts, const struct side *base, const struct side *against)
{
    for (size_t i = 0; i < base->count; i++) {
        const struct column *column = &base->columns[i];
        const struct column *other = find_case(against, &column->one.key);
        if (other == NULL || column->count == 0 || other->count == 0)
            continue;
        struct verdict *verdict = &verdicts->items[verdicts->count++];
        *verdict =
            (struct verdict){.against = against->run->id, .base = column, .statistic = column->statistic};
        int result = fill_verdict(column, other, verdict);
        if (result < 0)
            return result;
    }
    return 0;
}

/* Corrects for looking at many cases at once, then judges each. */
static int judge(struct verdicts *verdicts, bool for_gate)
{
    if (verdicts->items == NULL)
        return -ENOMEM;
    AUTO_FREE double *p = calloc(verdicts->count > 0 ? verdicts->count : 1, sizeof *p);
    if (p == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < verdicts->count; i++)
        p[i] = verdicts->items[i].p;
    int result = for_gate ? compare_adjust_holm(p, verdicts->count)
                          : compare_adjust_benjamini_hochberg(p, verdicts->count);
    for (size_t i = 0; result == 0 && i < verdicts->count; i++) {
        struct verdict *verdict = &verdicts->items[i];
        verdict->p_adjusted = p[i];
        verdict->word = verdict->class_of < 0 ? COMPARE_NOT_COMPARABLE
                                              : compare_judge(verdict->ratio, p[i], compare_margin(0),
                                                              statistic_higher_is_better(verdict->statistic));
    }
    return result;
}

/* ---- the gate ---- */

struct gate {
    const char *word, *reason;
};

/* How many times slower, whichever way the statistic points. */
static struct stats_interval slowdown_of(const struct verdict *verdict)
{
    struct stats_interval ratio = verdict->ratio;
    if (!statistic_higher_is_better(verdict->statistic))
        return ratio;
    return (struct stats_interval){.value = 1 / ratio.value, .low = 1 / ratio.high, .high = 1 / ratio.low};
}

static struct gate decide_gate(const struct verdicts *verdicts, double max_slower, bool comparable)
{
    bool unsure = false;
    if (!comparable)
        return (struct gate){"not_comparable", "the machines or their isolation differ"};
    if (verdicts->count == 0)
        return (struct gate){"nothing_measured", "no case was measured in both runs"};
    for (size_t i = 0; i < verdicts->count; i++) {
        const struct verdict *verdict = &verdicts->items[i];
        struct stats_interval slowdown = slowdown_of(verdict);
        if (verdict->word == COMPARE_NOT_COMPARABLE)
            return (struct gate){"not_comparable",
                                 "a case has no trials of equal core distance in both runs"};
        if (verdict->base_count < COMPARE_GATE_TRIALS_MIN || verdict->against_count < COMPARE_GATE_TRIALS_MIN)
            return (struct gate){"inconclusive",
                                 "a case has fewer than 8 comparable trials, too few to gate on: take more"};
        if (verdict->word == COMPARE_SLOWER && slowdown.value >= 1 + max_slower)
            return (struct gate){"regression", "a case is slower by more than the limit"};
        unsure |= !(slowdown.high <= 1 + max_slower);
    }
    if (unsure)
        return (struct gate){"inconclusive", "an interval reaches beyond the limit: take more trials"};
    return (struct gate){"pass", "every interval ends below the limit"};
}

/* ---- writing ---- */

static void write_verdict(struct json_writer *writer, const struct verdict *verdict)
{
    json_begin_object(writer, NULL);
    json_write_integer(writer, "against", verdict->against);
    case_write(writer, &verdict->base->one.key);
    json_write_string(writer, "statistic", statistic_names[verdict->statistic]);
    json_write_string(writer, "distance",
                      verdict->class_of < 0 || verdict->class_of == CLASS_UNKNOWN
                          ? NULL
                          : distance_names[verdict->class_of]);
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
    json_write_string(writer, "verdict", compare_verdict_names[verdict->word]);
    json_end_object(writer);
}

/* The facts of one machine that read otherwise on the other. */
static int write_differences(struct store *store, struct json_writer *writer, const struct store_run *base,
                             const struct store_run *against, struct err *err)
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
    for (const struct json_node *fact = json_first(here); fact != NULL; fact = json_next(fact)) {
        const char *mine = json_string_or(fact, "");
        const char *theirs = json_string_or(json_member(there, json_name(fact)), "");
        if (strcmp(mine, theirs) == 0)
            continue;
        json_begin_object(writer, NULL);
        json_write_integer(writer, "against", against->id);
        json_write_string(writer, "fact", json_name(fact));
        json_write_string(writer, "base_value", mine);
        json_write_string(writer, "against_value", theirs);
        json_end_object(writer);
    }
    return 0;
}

static bool machines_compare(const struct compare_request *request)
{
    bool equal = true;
    for (size_t i = 0; i < request->against_count; i++)
        equal &= strcmp(request->base->machine_comparable, request->against[i].machine_comparable) == 0 &&
                 strcmp(request->base->isolation, request->against[i].isolation) == 0;
    return equal;
}

static int write_answer(struct store *store, const struct compare_request *request,
                        const struct verdicts *verdicts, struct text *out, struct err *err)
{
    bool comparable = machines_compare(request);
    bool gated = !isnan(request->max_slower);
    struct json_writer writer = json_writer_on(out);
    json_begin_object(&writer, NULL);
    json_write_integer(&writer, "base", request->base->id);
    json_begin_array(&writer, "against");
    for (size_t i = 0; i < request->against_count; i++)
        json_write_integer(&writer, NULL, request->against[i].id);
    json_end_array(&writer);
    json_write_string(&writer, "statistic",
                      request->statistic >= 0 ? statistic_names[request->statistic] : "natural");
    json_write_string(&writer, "correction", gated ? "holm" : "benjamini_hochberg");
    json_write_number(&writer, "margin", compare_margin(0));
    json_begin_array(&writer, "verdicts");
    for (size_t i = 0; i < verdicts->count; i++)
        write_verdict(&writer, &verdicts->items[i]);
    json_end_array(&writer);
    json_begin_array(&writer, "machine_differences");
    for (size_t i = 0; i < request->against_count; i++) {
        int result = write_differences(store, &writer, request->base, &request->against[i], err);
        if (result < 0)
            return result;
    }
    json_end_array(&writer);
    json_write_boolean(&writer, "comparable", comparable);
    struct gate gate =
        gated ? decide_gate(verdicts, request->max_slower, comparable) : (struct gate){NULL, NULL};
    json_write_string(&writer, "gate", gate.word);
    json_write_string(&writer, "gate_reason", gate.reason);
    json_end_object(&writer);
    return text_ok(out) ? 0 : err_set(err, ENOMEM, "out of memory for a comparison");
}

int compare_runs_write(struct store *store, const struct compare_request *request, struct text *out,
                       struct err *err)
{
    AUTO(side_fini) struct side base = {.count = 0};
    AUTO(verdicts_fini) struct verdicts verdicts = {.count = 0};
    struct side sides[COMPARE_AGAINST_MAX] = {{.count = 0}};
    int result = read_side(store, request->base, request->statistic, &base, err);
    if (result == 0) {
        verdicts.items = calloc(base.count * request->against_count + 1, sizeof *verdicts.items);
        if (verdicts.items == NULL) {
            err_set(err, ENOMEM, "out of memory for a comparison");
            result = -ENOMEM;
        }
    }
    for (size_t i = 0; i < request->against_count && result == 0; i++) {
        result = read_side(store, &request->against[i], request->statistic, &sides[i], err);
        if (result == 0 && (result = add_side(&verdicts, &base, &sides[i])) < 0)
            err_set(err, -result, "out of memory for a comparison");
    }
    if (result == 0 && (result = judge(&verdicts, !isnan(request->max_slower))) < 0)
        err_set(err, -result, "out of memory for a comparison");
    if (result == 0)
        result = write_answer(store, request, &verdicts, out, err);
    for (size_t i = 0; i < request->against_count; i++)
        side_fini(&sides[i]);
    return result;
}
