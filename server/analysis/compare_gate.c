/* The gate: may this run follow that one? Only of runs that are over. A regression in any case settles it,
 * since it was found in spite of the correction; after that whatever keeps a case from being decided, the
 * gravest first. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/analysis/compare_parts.h"

#define GATE_NAME(symbol, name) [symbol] = (name),
const char *const compare_gate_names[COMPARE_GATE_COUNT] = {COMPARE_GATE_WORDS(GATE_NAME)};

/* How many times slower, whichever way the statistic points. */
static struct stats_interval slowdown_of(const struct verdict *verdict)
{
    struct stats_interval ratio = verdict->ratio;
    if (!statistic_higher_is_better(verdict->statistic))
        return ratio;
    return (struct stats_interval){.value = 1 / ratio.value, .low = 1 / ratio.high, .high = 1 / ratio.low};
}

static bool is_too_few(const struct verdict *verdict, size_t trials_min)
{
    return verdict->base_count < trials_min || verdict->against_count < trials_min;
}

/* Until the interval lies on one side of the limit. */
static size_t trials_to_decide(const struct comparison *comparison, const struct verdict *verdict)
{
    double limit = 1 + comparison->request->max_slower;
    struct stats_interval slowdown = slowdown_of(verdict);
    double reach = fmax(slowdown.value / limit, limit / slowdown.value);
    return compare_trials_needed(slowdown, verdict->base_count, verdict->against_count, reach,
                                 comparison->count);
}

/* Until that holds of every case; 0 when one would need too many. */
static size_t trials_to_decide_all(const struct comparison *comparison, size_t trials_min)
{
    size_t most = trials_min;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct verdict *one = &comparison->verdicts[i];
        if (!is_too_few(one, trials_min) && slowdown_of(one).high <= 1 + comparison->request->max_slower)
            continue;
        size_t needed = trials_to_decide(comparison, one);
        if (needed == 0)
            return 0;
        most = needed > most ? needed : most;
    }
    return most;
}

static struct gate about_case(enum compare_gate_word word, const struct column *base, const char *text)
{
    const struct ipc_case *key = &base->key;
    struct gate gate = {.word = word};
    snprintf(gate.reason, sizeof gate.reason, "%s, %s of %lld bytes: %s", key->mechanism,
             pattern_names[key->pattern], (long long)key->message_bytes, text);
    return gate;
}

static struct gate about_all(enum compare_gate_word word, const char *text)
{
    struct gate gate = {.word = word};
    text_copy(gate.reason, sizeof gate.reason, text);
    return gate;
}

static struct gate regression(const struct comparison *comparison, const struct verdict *verdict)
{
    char text[96];
    snprintf(text, sizeof text, "slower by %.1f %%, the limit is %.1f %%",
             100 * (slowdown_of(verdict).value - 1), 100 * comparison->request->max_slower);
    return about_case(COMPARE_GATE_REGRESSION, verdict->base, text);
}

/* It may have failed in every trial, which a limit on how slow it may be does not excuse. */
static struct gate unmeasured(const struct comparison *comparison)
{
    const struct missing_case *missing = &comparison->missing;
    char text[96];
    snprintf(text, sizeof text, "run %" PRId64 " measured it, run %" PRId64 " did not",
             comparison->request->base->id, missing->against->run->id);
    return about_case(COMPARE_GATE_NOTHING_MEASURED, missing->base, text);
}

static struct gate incomparable(const struct verdict *verdict)
{
    static const char *const texts[COMPARE_REASON_COUNT] = {
        [COMPARE_REASON_DISTANCE] = "no trials of equal core distance in both runs",
        [COMPARE_REASON_VERIFY] = "the runs verify messages otherwise",
        [COMPARE_REASON_DURATION] = "the trials are of another length",
    };
    return about_case(COMPARE_GATE_NOT_COMPARABLE, verdict->base, texts[verdict->reason]);
}

/* As many as were asked for may not be enough: those of another core distance are compared with nothing. */
static struct gate too_few(const struct comparison *comparison, const struct verdict *verdict,
                           size_t trials_min)
{
    char text[128];
    snprintf(text, sizeof text, "%zu and %zu trials of equal core distance, a gate wants %zu of each",
             verdict->base_count, verdict->against_count, trials_min);
    struct gate gate = about_case(COMPARE_GATE_INCONCLUSIVE, verdict->base, text);
    gate.trials_needed = trials_to_decide_all(comparison, trials_min);
    return gate;
}

static struct gate unsure(const struct comparison *comparison, const struct verdict *verdict,
                          size_t trials_min)
{
    bool below_noise = comparison->request->max_slower < verdict->margin;
    struct gate gate =
        about_case(COMPARE_GATE_INCONCLUSIVE, verdict->base,
                   below_noise ? "its interval reaches beyond the limit, which is below what equal "
                                 "runs differ by on this machine"
                               : "its interval reaches beyond the limit");
    gate.trials_needed = trials_to_decide_all(comparison, trials_min);
    return gate;
}

static const struct store_run *find_unfinished(const struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->side_count; i++) {
        const struct store_run *run = comparison->sides[i].run;
        if (run->state == RUN_QUEUED || run->state == RUN_RUNNING || run->state == RUN_INTERRUPTED)
            return run;
    }
    return NULL;
}

/* What its next trials say may differ, and who asks until the answer suits has asked too often. */
static struct gate unfinished(const struct store_run *run)
{
    char text[64];
    snprintf(text, sizeof text, "run %" PRId64 " goes on: wait for its end", run->id);
    return about_all(COMPARE_GATE_INCONCLUSIVE, text);
}

struct gate compare_gate_decide(const struct comparison *comparison)
{
    double limit = 1 + comparison->request->max_slower;
    size_t trials_min = compare_trials_min(comparison->count);
    if (trials_min < COMPARE_GATE_TRIALS_MIN)
        trials_min = COMPARE_GATE_TRIALS_MIN;
    const struct verdict *slower = NULL, *other = NULL, *few = NULL, *open = NULL;
    if (comparison->machines == COMPARE_MACHINES_UNKNOWN)
        return about_all(COMPARE_GATE_NOT_COMPARABLE, "it is not known on which machine a run was taken");
    if (comparison->machines == COMPARE_MACHINES_DIFFER)
        return about_all(COMPARE_GATE_NOT_COMPARABLE, "the machines or their isolation differ");
    if (comparison->count == 0)
        return about_all(COMPARE_GATE_NOTHING_MEASURED, "no case was measured in both runs");
    const struct store_run *going_on = find_unfinished(comparison);
    if (going_on != NULL)
        return unfinished(going_on);
    for (size_t i = comparison->count; i-- > 0;) { /* so that the first of each kind is named */
        const struct verdict *verdict = &comparison->verdicts[i];
        struct stats_interval slowdown = slowdown_of(verdict);
        if (verdict->word == COMPARE_NOT_COMPARABLE)
            other = verdict;
        else if (is_too_few(verdict, trials_min))
            few = verdict;
        else if (verdict->word == COMPARE_SLOWER && slowdown.value >= limit)
            slower = verdict;
        else if (!(slowdown.high <= limit))
            open = verdict;
    }
    if (slower != NULL)
        return regression(comparison, slower);
    if (comparison->missing.base != NULL)
        return unmeasured(comparison);
    if (other != NULL)
        return incomparable(other);
    if (few != NULL)
        return too_few(comparison, few, trials_min);
    if (open != NULL)
        return unsure(comparison, open, trials_min);
    return about_all(COMPARE_GATE_PASS, "every interval ends below the limit");
}
