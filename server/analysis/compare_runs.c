#include "server/analysis/compare_runs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "server/analysis/compare_parts.h"

#define REASON_NAME(symbol, name) [symbol] = (name),
const char *const compare_reason_names[COMPARE_REASON_COUNT] = {COMPARE_REASON_WORDS(REASON_NAME)};

/* What takes the time, measured on a small cloud machine: to read a trial, to sort one ratio of a pair of
 * samples, and of the exact test, whose table grows with the fourth power of the trials, one step. */
#define COMPARE_TRIAL_NS 2000.0
#define COMPARE_PAIR_NS 100.0
#define COMPARE_DEAL_NS 1.1

static void comparison_fini(struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->side_count; i++)
        figures_fini(&comparison->sides[i].figures);
    free(comparison->verdicts);
}

static int no_memory(struct err *err)
{
    return err_set(err, ENOMEM, "out of memory for a comparison");
}

/* ---- reading ---- */

static void read_conditions(const struct store_run *run, struct conditions *conditions)
{
    AUTO(json_cleanup)
    struct json_node *experiment = json_parse(run->experiment, strlen(run->experiment), NULL);
    text_copy(conditions->verify, sizeof conditions->verify,
              json_string_or(json_member(experiment, "verify"), ""));
    conditions->duration_ms = (int64_t)json_number_or(json_member(experiment, "duration_ms"), 0);
    conditions->trials = (int64_t)json_number_or(json_member(experiment, "trials"), 0);
    conditions->warmup_ms = (int64_t)json_number_or(json_member(experiment, "warmup_ms"), 0);
}

static size_t list_runs(const struct compare_request *request, const struct store_run *runs[],
                        int64_t ids[1 + COMPARE_AGAINST_MAX])
{
    runs[0] = request->base;
    for (size_t i = 0; i < request->against_count; i++)
        runs[1 + i] = &request->against[i];
    for (size_t i = 0; i <= request->against_count; i++)
        ids[i] = runs[i]->id;
    return 1 + request->against_count;
}

/* The first of the runs with the same machine. */
static size_t first_of_machine(const struct store_run *const runs[], size_t at)
{
    size_t first = 0;
    while (strcmp(runs[first]->machine_full, runs[at]->machine_full) != 0)
        first++;
    return first;
}

/* Of the trials of a run, to be read; of its cases, to be held against others with about as many trials. */
static double estimate_run_ns(const struct store_run *run, bool is_base)
{
    struct conditions conditions;
    read_conditions(run, &conditions);
    double all = (double)run->trials_done;
    double trials = fmax(1, (double)conditions.trials);
    double exact = fmin(trials, COMPARE_EXACT_TRIALS_MAX);
    double case_ns = COMPARE_PAIR_NS * trials * trials + COMPARE_DEAL_NS * exact * exact * exact * exact;
    return COMPARE_TRIAL_NS * all + (is_base ? 0 : all / trials * case_ns);
}

int compare_runs_estimate_ns(struct store *store, const struct compare_request *request, int64_t *estimate_ns,
                             struct err *err)
{
    const struct store_run *runs[1 + COMPARE_AGAINST_MAX];
    int64_t ids[1 + COMPARE_AGAINST_MAX];
    size_t count = list_runs(request, runs, ids);
    double sum_ns = 0;
    for (size_t i = 0; i < count; i++) {
        struct noise_pairs pairs = {.count = 0};
        int result = first_of_machine(runs, i) == i
                         ? noise_find_pairs(store, runs[i]->machine_full, ids, count, &pairs, err)
                         : 0;
        if (result < 0)
            return result;
        sum_ns += estimate_run_ns(runs[i], i == 0) + COMPARE_TRIAL_NS * (double)pairs.trials;
    }
    *estimate_ns = (int64_t)sum_ns;
    return 0;
}

/* Leaving out the runs that are compared: what they differ by is the question. */
static int read_noise(struct store *store, const struct store_run *run, const int64_t *ids, size_t count,
                      int statistic, struct noise *noise, struct err *err)
{
    struct noise_pairs pairs;
    int result = noise_find_pairs(store, run->machine_full, ids, count, &pairs, err);
    return result < 0 ? result : noise_read(store, &pairs, statistic, noise, err);
}

static int read_sides(struct store *store, struct comparison *comparison, struct err *err)
{
    const struct store_run *runs[1 + COMPARE_AGAINST_MAX];
    int64_t ids[1 + COMPARE_AGAINST_MAX];
    size_t count = list_runs(comparison->request, runs, ids);
    int statistic = comparison->request->statistic;
    for (size_t i = 0; i < count; i++) {
        struct side *side = &comparison->sides[comparison->side_count++];
        side->run = runs[i];
        read_conditions(runs[i], &side->conditions);
        int result = figures_read(store, runs[i]->id, statistic, &side->figures, err);
        size_t known = first_of_machine(runs, i);
        if (result == 0 && known == i)
            result = read_noise(store, runs[i], ids, count, statistic, &side->noise, err);
        if (result < 0)
            return result;
        side->noise = comparison->sides[known].noise;
    }
    return 0;
}

/* ---- verdicts ---- */

static enum compare_reason find_reason(const struct side *base, const struct verdict *verdict)
{
    const struct conditions *a = &base->conditions, *b = &verdict->against->conditions;
    if (verdict->class_of < 0)
        return COMPARE_REASON_DISTANCE;
    if (strcmp(a->verify, b->verify) != 0)
        return COMPARE_REASON_VERIFY;
    if (a->duration_ms != b->duration_ms && verdict->statistic == STATISTIC_MAX)
        return COMPARE_REASON_DURATION;
    return COMPARE_REASON_NONE;
}

/* Both machines' floors count. */
static double find_margin(const struct side *base, const struct verdict *verdict)
{
    enum pattern pattern = verdict->base->key.pattern;
    return compare_margin(
        fmax(base->noise.floors[pattern].value, verdict->against->noise.floors[pattern].value));
}

static int fill_verdict(const struct column *against, struct verdict *verdict)
{
    const struct column *base = verdict->base;
    const struct column *const both[] = {base, against};
    verdict->ratio = (struct stats_interval){NAN, NAN, NAN};
    verdict->p = verdict->p_adjusted = verdict->delta = NAN;
    verdict->class_of = column_common_class(both, 2);
    if (verdict->class_of < 0)
        return 0;
    AUTO_FREE double *a = calloc(against->count, sizeof *a);
    AUTO_FREE double *b = calloc(base->count, sizeof *b);
    if (a == NULL || b == NULL)
        return -ENOMEM;
    verdict->against_count = column_take_class(against, verdict->class_of, a);
    verdict->base_count = column_take_class(base, verdict->class_of, b);
    int result = compare_ratio(a, verdict->against_count, b, verdict->base_count, &verdict->ratio);
    if (result == 0)
        result = compare_p(a, verdict->against_count, b, verdict->base_count, &verdict->p);
    verdict->delta = compare_delta(a, verdict->against_count, b, verdict->base_count);
    return result;
}

static int add_verdicts(struct comparison *comparison, const struct side *against)
{
    const struct side *base = &comparison->sides[0];
    for (size_t i = 0; i < base->figures.count; i++) {
        const struct column *column = &base->figures.columns[i];
        const struct column *other = figures_find(&against->figures, &column->key);
        if (other == NULL || column->count == 0)
            continue;
        if (other->count == 0) {
            if (comparison->missing.base == NULL)
                comparison->missing = (struct missing_case){.against = against, .base = column};
            continue;
        }
        struct verdict *verdict = &comparison->verdicts[comparison->count++];
        *verdict = (struct verdict){.against = against, .base = column, .statistic = column->statistic};
        int result = fill_verdict(other, verdict);
        if (result < 0)
            return result;
        verdict->reason = find_reason(base, verdict);
        verdict->margin = find_margin(base, verdict);
    }
    return 0;
}

static void judge_verdict(struct verdict *verdict, size_t tests)
{
    bool higher_is_better = statistic_higher_is_better(verdict->statistic);
    verdict->word =
        verdict->reason == COMPARE_REASON_NONE
            ? compare_judge(verdict->ratio, verdict->p_adjusted, verdict->margin, higher_is_better)
            : COMPARE_NOT_COMPARABLE;
    if (verdict->word == COMPARE_INCONCLUSIVE)
        verdict->trials_needed = compare_trials_to_judge(verdict->ratio, verdict->base_count,
                                                         verdict->against_count, verdict->margin, tests);
}

/* Corrects for looking at many cases at once, then judges each. What cannot be judged is no test. */
static int judge(struct comparison *comparison)
{
    size_t count = comparison->count, tests = 0;
    AUTO_FREE double *p = calloc(count > 0 ? count : 1, sizeof *p);
    if (p == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        bool is_test = comparison->verdicts[i].reason == COMPARE_REASON_NONE;
        p[i] = is_test ? comparison->verdicts[i].p : NAN;
        tests += is_test;
    }
    int result = isnan(comparison->request->max_slower) ? compare_adjust_benjamini_hochberg(p, count)
                                                        : compare_adjust_holm(p, count);
    for (size_t i = 0; result == 0 && i < count; i++) {
        comparison->verdicts[i].p_adjusted = p[i];
        judge_verdict(&comparison->verdicts[i], tests);
    }
    return result;
}

static int make_verdicts(struct comparison *comparison)
{
    size_t most = comparison->sides[0].figures.count * comparison->request->against_count;
    comparison->verdicts = calloc(most + 1, sizeof *comparison->verdicts);
    if (comparison->verdicts == NULL)
        return -ENOMEM;
    for (size_t i = 1; i < comparison->side_count; i++) {
        int result = add_verdicts(comparison, &comparison->sides[i]);
        if (result < 0)
            return result;
    }
    return judge(comparison);
}

/* A run that has not begun is on no machine yet: nothing tells it apart. One that has trials and no machine
 * came from elsewhere, and nothing tells that it is alike. */
static enum compare_machines compare_machines_of(const struct store_run *a, const struct store_run *b)
{
    bool a_is_known = a->machine_comparable[0] != '\0', b_is_known = b->machine_comparable[0] != '\0';
    if ((!a_is_known && a->trials_done == 0) || (!b_is_known && b->trials_done == 0))
        return COMPARE_MACHINES_ALIKE;
    if (!a_is_known || !b_is_known)
        return COMPARE_MACHINES_UNKNOWN;
    bool alike =
        strcmp(a->machine_comparable, b->machine_comparable) == 0 && strcmp(a->isolation, b->isolation) == 0;
    return alike ? COMPARE_MACHINES_ALIKE : COMPARE_MACHINES_DIFFER;
}

static enum compare_machines machines_of_all(const struct compare_request *request)
{
    enum compare_machines all = COMPARE_MACHINES_ALIKE;
    for (size_t i = 0; i < request->against_count; i++) {
        enum compare_machines pair = compare_machines_of(request->base, &request->against[i]);
        if (pair > all)
            all = pair;
    }
    return all;
}

int compare_runs_write(struct store *store, const struct compare_request *request, struct text *out,
                       struct err *err)
{
    AUTO(comparison_fini)
    struct comparison comparison = {.request = request, .machines = machines_of_all(request)};
    int result = read_sides(store, &comparison, err);
    if (result < 0)
        return result;
    if (make_verdicts(&comparison) < 0)
        return no_memory(err);
    result = compare_write(store, &comparison, out, err);
    if (result < 0)
        return result;
    return text_ok(out) ? 0 : no_memory(err);
}
