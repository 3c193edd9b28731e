/* The checking half of experiment.h: what one field means for another, for the mechanisms and for the
 * machine. */
#include <stdio.h>
#include <string.h>

#include "common/experiment_reading.h"

static bool has_pattern(const struct experiment *experiment, enum pattern pattern)
{
    for (size_t i = 0; i < experiment->pattern_count; i++)
        if (experiment->patterns[i] == pattern)
            return true;
    return false;
}

static void check_rates(struct reading *reading)
{
    struct experiment *experiment = reading->experiment;
    bool paced = has_pattern(experiment, PATTERN_PACED);
    if (!paced && reading->names_rate)
        faults_add(reading->faults, "/rate_hz",
                   "only the pattern \"paced\" has a rate: add it to patterns, or leave rate_hz null");
    if (!paced)
        experiment->rate_count = 0;
    else if (experiment->rate_count == 0)
        faults_add(reading->faults, "/rate_hz",
                   "is missing: the pattern \"paced\" needs a rate, from %d to %d messages a second",
                   CASE_RATE_HZ_MIN, CASE_RATE_HZ_MAX);
    for (size_t i = 0; i < experiment->rate_count; i++) {
        double least_ms = EXPERIMENT_PACED_MESSAGES_MIN * 1000.0 / experiment->rates_hz[i];
        if (least_ms > experiment->duration_ms)
            faults_add(reading->faults, "/duration_ms",
                       "at %g a second %d ms hold fewer than %d messages: take at least %.0f",
                       experiment->rates_hz[i], experiment->duration_ms, EXPERIMENT_PACED_MESSAGES_MIN,
                       least_ms + 0.5);
    }
}

static void check_sides(struct reading *reading)
{
    const struct experiment *experiment = reading->experiment;
    if (experiment->senders == 1 && experiment->receivers == 1)
        return;
    const char *pointer = experiment->senders > 1 ? "/senders" : "/receivers";
    if (has_pattern(experiment, PATTERN_ROUND_TRIP) || has_pattern(experiment, PATTERN_PACED))
        faults_add(reading->faults, pointer,
                   "a round trip is between one sender and one receiver: take 1, or only the pattern "
                   "\"stream\"");
    for (size_t i = 0; i < experiment->size_count[PATTERN_STREAM]; i++)
        if (experiment->message_bytes[PATTERN_STREAM][i] < CASE_SHARED_BYTES_MIN)
            faults_add(reading->faults, "/message_bytes",
                       "with several senders or receivers a message has to name its sender: take at least "
                       "%d bytes, not %lld",
                       CASE_SHARED_BYTES_MIN, (long long)experiment->message_bytes[PATTERN_STREAM][i]);
}

/* ---- what the mechanisms can do ---- */

static void add_skip(struct reading *reading, const char *mechanism, const char *reason)
{
    struct experiment_skip *skip = &reading->request->skips[reading->request->skip_count++];
    text_copy(skip->mechanism, sizeof skip->mechanism, mechanism);
    text_copy(skip->reason, sizeof skip->reason, reason);
}

/* Too large: a fault, but a preset takes the sizes that fit and lists what it leaves out. */
static void check_sizes_fit(struct reading *reading, size_t mechanism, const struct mechanism_facts *facts)
{
    struct experiment *experiment = reading->experiment;
    bool lenient = experiment->preset[0] != '\0';
    int64_t too_large = 0;
    experiment->bytes_max[mechanism] = facts->message_bytes_max;
    for (size_t p = 0; p < experiment->pattern_count; p++) {
        enum pattern pattern = experiment->patterns[p];
        for (size_t i = 0; i < experiment->size_count[pattern]; i++) {
            int64_t bytes = experiment->message_bytes[pattern][i];
            if (bytes <= facts->message_bytes_max)
                continue;
            too_large = bytes;
            if (!lenient)
                faults_add(reading->faults, "/message_bytes",
                           "%s carries at most %lld bytes a message, got %lld", facts->name,
                           (long long)facts->message_bytes_max, (long long)bytes);
        }
    }
    if (!lenient || too_large == 0)
        return;
    char reason[REASON_BYTES];
    snprintf(reason, sizeof reason, "it carries at most %lld bytes a message: larger ones are left out",
             (long long)facts->message_bytes_max);
    add_skip(reading, facts->name, reason);
}

/* Why this mechanism cannot do what is asked for; the pointer to what asks, or NULL. */
static const char *find_misfit(const struct experiment *experiment, const struct mechanism_facts *facts,
                               char reason[REASON_BYTES])
{
    enum wait wait = facts->traits & TRAIT_SYNCHRONISES ? experiment->wait_kernel : experiment->wait_memory;
    if (experiment->relation == RELATION_UNRELATED && facts->traits & TRAIT_RELATED_ONLY) {
        snprintf(reason, REASON_BYTES, "a %s joins relatives only: leave %s out, or take \"related\"",
                 facts->title, facts->name);
        return "/relation";
    }
    if (experiment->senders > 1 && (facts->traits & TRAIT_MANY_SENDERS) == 0) {
        snprintf(reason, REASON_BYTES, "%s takes one sender: leave it out, or take 1", facts->name);
        return "/senders";
    }
    if (experiment->receivers > 1 && (facts->traits & TRAIT_MANY_RECEIVERS) == 0) {
        snprintf(reason, REASON_BYTES, "%s takes one receiver: leave it out, or take 1", facts->name);
        return "/receivers";
    }
    if ((facts->waits >> wait & 1) == 0) {
        snprintf(reason, REASON_BYTES, "%s does not wait by \"%s\": leave it out, or take another wait",
                 facts->name, wait_names[wait]);
        return "/wait";
    }
    return NULL;
}

/* True if it stays. A mechanism nobody named is left out rather than refused. */
static bool check_fit(struct reading *reading, const struct mechanism_facts *facts)
{
    char reason[REASON_BYTES];
    const char *pointer = find_misfit(reading->experiment, facts, reason);
    if (pointer == NULL)
        return true;
    if (reading->names_mechanisms)
        faults_add(reading->faults, pointer, "%s", reason);
    else
        add_skip(reading, facts->name, reason);
    return reading->names_mechanisms;
}

static void check_wait_word(struct reading *reading)
{
    const struct experiment *experiment = reading->experiment;
    if (!reading->wait_is_word || !reading->names_wait_memory || experiment->mechanism_count == 0)
        return;
    for (size_t i = 0; i < experiment->mechanism_count; i++)
        if ((catalogue_find(reading->context->catalogue, experiment->mechanisms[i])->traits &
             TRAIT_SYNCHRONISES) == 0)
            return;
    faults_add(reading->faults, "/wait",
               "none of the mechanisms takes \"%s\": it is for those that do not "
               "synchronise by themselves",
               wait_names[experiment->wait_memory]);
}

static void check_mechanisms(struct reading *reading)
{
    struct experiment *experiment = reading->experiment;
    check_wait_word(reading);
    size_t kept = 0;
    for (size_t i = 0; i < experiment->mechanism_count; i++) {
        const struct mechanism_facts *facts =
            catalogue_find(reading->context->catalogue, experiment->mechanisms[i]);
        if (!check_fit(reading, facts))
            continue;
        if (kept != i)
            text_copy(experiment->mechanisms[kept], MECHANISM_NAME_BYTES, facts->name);
        check_sizes_fit(reading, kept++, facts);
    }
    experiment->mechanism_count = kept;
    if (reading->faults->count == 0 && experiment_case_count(experiment) == 0)
        faults_add(reading->faults, "/mechanisms", "none of them can do this on this machine");
}

/* Where workers have to share a CPU none may spin: the one it waits for could not run. */
static void settle_waits(struct reading *reading)
{
    struct experiment *experiment = reading->experiment;
    int workers = experiment->senders + experiment->receivers;
    int cpus = experiment->placement == PLACEMENT_SAME_CPU ? 1 : reading->context->cpus;
    if (workers <= cpus)
        return;
    if (wait_spins(experiment->wait_kernel))
        faults_add(reading->faults, "/wait",
                   "%d workers on %d CPU%s: one that polls keeps another from running: take \"block\"",
                   workers, cpus, cpus == 1 ? "" : "s");
    if (!wait_spins(experiment->wait_memory))
        return;
    if (reading->names_wait_memory)
        faults_add(reading->faults, "/wait",
                   "%d workers on %d CPU%s: one that spins keeps another from running: take \"futex\"",
                   workers, cpus, cpus == 1 ? "" : "s");
    experiment->wait_memory = WAIT_FUTEX;
}

static void settle_placement(struct reading *reading)
{
    struct experiment *experiment = reading->experiment;
    int cpus = reading->context->cpus;
    if (cpus < 2 && experiment->placement == PLACEMENT_TWO_CPUS && reading->names_placement)
        faults_add(reading->faults, "/placement",
                   "this machine has one usable CPU: take \"same_cpu\" or \"free\"");
    else if (cpus < 2 && experiment->placement == PLACEMENT_TWO_CPUS)
        experiment->placement = PLACEMENT_SAME_CPU;
    settle_waits(reading);
}

static void check_extent(struct reading *reading)
{
    const struct experiment *experiment = reading->experiment;
    size_t cases = experiment_case_count(experiment);
    if (cases > EXPERIMENT_CASES_MAX)
        faults_add(reading->faults, "/mechanisms", "%zu cases are more than the %d a run may have", cases,
                   EXPERIMENT_CASES_MAX);
    else if (cases * (size_t)experiment->trials > EXPERIMENT_SLOTS_MAX)
        faults_add(reading->faults, "/trials", "%zu cases × %d trials are more than the %d a run may have",
                   cases, experiment->trials, EXPERIMENT_SLOTS_MAX);
}

void experiment_check(struct reading *reading)
{
    settle_placement(reading);
    check_rates(reading);
    check_sides(reading);
    check_mechanisms(reading);
    if (reading->faults->count == 0)
        check_extent(reading);
}
