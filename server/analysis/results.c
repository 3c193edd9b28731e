#include "server/analysis/results.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/histogram.h"
#include "common/series.h"
#include "server/analysis/stats.h"

/* What is summed up over the trials of a case: one column of values each. */
#define STATISTIC_WORDS(WORD)                                                                                \
    WORD(LATENCY_P50, "p50")                                                                                 \
    WORD(LATENCY_P90, "p90")                                                                                 \
    WORD(LATENCY_P99, "p99")                                                                                 \
    WORD(LATENCY_P999, "p999")                                                                               \
    WORD(LATENCY_MAX, "max")                                                                                 \
    WORD(MESSAGES_PER_S, "messages_per_s")                                                                   \
    WORD(BYTES_PER_S, "bytes_per_s")                                                                         \
    WORD(CPU_NS_PER_MESSAGE, "cpu_ns_per_message")                                                           \
    WORD(CONTEXT_SWITCHES_PER_MESSAGE, "context_switches_per_message")                                       \
    WORD(SYSTEM_CALLS_PER_MESSAGE, "system_calls_per_message")
enum statistic { STATISTIC_WORDS(WORDS_ENUM) STATISTIC_COUNT };
#define STATISTIC_NAME(symbol, name) [symbol] = (name),
static const char *const statistic_names[STATISTIC_COUNT] = {STATISTIC_WORDS(STATISTIC_NAME)};

enum { FLAGS_BYTES = 256 };

struct case_sum {
    struct ipc_case key;
    int number;
    size_t done, failed_attempts, capacity;
    size_t settled_failed; /* slots that stayed unsettled after their second attempt */
    double *values[STATISTIC_COUNT];
    int distance; /* enum distance, -1 = unknown so far */
    int64_t buffer_bytes;
    uint64_t lost, torn, duplicated, reordered;
    char flags[FLAGS_BYTES];
};

struct sums {
    struct case_sum *cases;
    size_t count;
    int only_case; /* -1 = all */
};

static void sums_fini(struct sums *sums)
{
    for (size_t i = 0; i < sums->count; i++)
        for (int s = 0; s < STATISTIC_COUNT; s++)
            free(sums->cases[i].values[s]);
    free(sums->cases);
}

static bool has_word(const char *words, const char *word, size_t length)
{
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* Adds each word of `words` that is not there yet. */
static void add_flags(char flags[FLAGS_BYTES], const char *words)
{
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        char word[STORE_FLAGS_BYTES];
        size_t used = strlen(flags);
        if (length > 0 && length < sizeof word && used + length + 2 < FLAGS_BYTES) {
            memcpy(word, words, length);
            word[length] = '\0';
            if (!has_word(flags, word, length)) {
                if (used > 0)
                    flags[used++] = ' ';
                memcpy(flags + used, word, length + 1);
            }
        }
        words += length;
        words += strspn(words, " ");
    }
}

static int reserve_trial(struct case_sum *sum)
{
    if (sum->done < sum->capacity)
        return 0;
    size_t capacity = sum->capacity > 0 ? 2 * sum->capacity : 16;
    for (int s = 0; s < STATISTIC_COUNT; s++) {
        double *values = realloc(sum->values[s], capacity * sizeof *values);
        if (values == NULL)
            return -ENOMEM;
        sum->values[s] = values;
    }
    sum->capacity = capacity;
    return 0;
}

/* The quantile if the trial's samples support it, else NAN. */
static double supported(const struct store_trial *trial, double q, double value)
{
    double effective = stats_effective_count(trial->samples, trial->autocorrelation);
    return stats_supports_quantile(effective, q) ? value : NAN;
}

static void add_done(struct case_sum *sum, const struct store_trial *trial)
{
    double messages = (double)trial->messages;
    bool counted = trial->messages > 0;
    size_t i = sum->done++;
    sum->values[LATENCY_P50][i] = trial->latency_p50_ns;
    sum->values[LATENCY_P90][i] = supported(trial, 0.9, trial->latency_p90_ns);
    sum->values[LATENCY_P99][i] = supported(trial, 0.99, trial->latency_p99_ns);
    sum->values[LATENCY_P999][i] = supported(trial, 0.999, trial->latency_p999_ns);
    sum->values[LATENCY_MAX][i] = trial->latency_max_ns;
    sum->values[MESSAGES_PER_S][i] = trial->messages_per_s;
    sum->values[BYTES_PER_S][i] = trial->bytes_per_s;
    sum->values[CPU_NS_PER_MESSAGE][i] =
        counted ? (double)(trial->cpu_user_ns + trial->cpu_system_ns) / messages : NAN;
    sum->values[CONTEXT_SWITCHES_PER_MESSAGE][i] =
        counted ? (double)(trial->voluntary_switches + trial->involuntary_switches) / messages : NAN;
    sum->values[SYSTEM_CALLS_PER_MESSAGE][i] = counted ? (double)trial->system_calls / messages : NAN;
    if (trial->distance >= 0)
        sum->distance =
            sum->distance < 0 || sum->distance == trial->distance ? trial->distance : DISTANCE_MIXED;
    sum->buffer_bytes = trial->buffer_bytes;
}

static int add_trial(void *context, const struct store_trial *trial)
{
    struct sums *sums = context;
    if (trial->case_number < 0 || (size_t)trial->case_number >= sums->count ||
        (sums->only_case >= 0 && sums->only_case != trial->case_number))
        return 0;
    struct case_sum *sum = &sums->cases[trial->case_number];
    sum->lost += trial->lost;
    sum->torn += trial->torn;
    sum->duplicated += trial->duplicated;
    sum->reordered += trial->reordered;
    add_flags(sum->flags, trial->flags);
    if (!trial->done) {
        sum->failed_attempts++;
        sum->settled_failed += trial->attempt >= STORE_ATTEMPTS_MAX;
        return 0;
    }
    int reserved = reserve_trial(sum);
    if (reserved == 0)
        add_done(sum, trial);
    return reserved;
}

static void write_interval(struct json_writer *writer, const char *name, double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isnan(values[i]))
            count = 0; /* one trial that cannot say makes the case unable to say */
    if (count == 0) {
        json_write_null(writer, name);
        return;
    }
    struct stats_interval interval = stats_median_interval(values, count);
    json_begin_object(writer, name);
    json_write_number(writer, "value", interval.value);
    json_write_number(writer, "low", interval.low);
    json_write_number(writer, "high", interval.high);
    json_end_object(writer);
}

static void write_words(struct json_writer *writer, const char *name, const char *words)
{
    json_begin_array(writer, name);
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        if (length > 0)
            json_write_string_bytes(writer, NULL, words, length);
        words += length;
        words += strspn(words, " ");
    }
    json_end_array(writer);
}

static void write_integrity(struct json_writer *writer, uint64_t lost, uint64_t torn, uint64_t duplicated,
                            uint64_t reordered)
{
    json_begin_object(writer, "integrity");
    json_write_unsigned(writer, "lost", lost);
    json_write_unsigned(writer, "torn", torn);
    json_write_unsigned(writer, "duplicated", duplicated);
    json_write_unsigned(writer, "reordered", reordered);
    json_end_object(writer);
}

static void write_latency(struct json_writer *writer, struct case_sum *sum)
{
    if (sum->key.pattern == PATTERN_STREAM) {
        json_write_null(writer, "latency_ns");
        return;
    }
    json_begin_object(writer, "latency_ns");
    for (int s = LATENCY_P50; s <= LATENCY_MAX; s++)
        write_interval(writer, statistic_names[s], sum->values[s], sum->done);
    json_end_object(writer);
}

static void derive_flags(struct case_sum *sum)
{
    if (sum->failed_attempts > 0)
        add_flags(sum->flags, "trial_failed");
    if (sum->done > 0 && sum->done < STATS_INTERVAL_TRIALS_MIN)
        add_flags(sum->flags, "few_trials");
    for (size_t i = 0; sum->key.pattern != PATTERN_STREAM && i < sum->done; i++)
        if (isnan(sum->values[LATENCY_P999][i]))
            add_flags(sum->flags, "few_samples");
}

static void write_case(struct json_writer *writer, struct case_sum *sum)
{
    derive_flags(sum);
    struct ipc_case key = sum->key;
    if (sum->buffer_bytes > 0)
        key.buffer_bytes = sum->buffer_bytes; /* what was granted says more than what was asked for */
    json_begin_object(writer, NULL);
    json_write_integer(writer, "number", sum->number);
    case_write(writer, &key);
    json_write_string(writer, "distance", sum->distance < 0 ? NULL : distance_names[sum->distance]);
    json_write_unsigned(writer, "trials", sum->done);
    json_write_unsigned(writer, "failed", sum->settled_failed);
    write_latency(writer, sum);
    for (int s = MESSAGES_PER_S; s < STATISTIC_COUNT; s++)
        write_interval(writer, statistic_names[s], sum->values[s], sum->done);
    write_integrity(writer, sum->lost, sum->torn, sum->duplicated, sum->reordered);
    write_words(writer, "flags", sum->flags);
    json_end_object(writer);
}

/* The empty sums of a run's cases, then every trial added. */
static int sum_up(struct store *store, int64_t run_id, int only_case, struct sums *sums, struct err *err)
{
    AUTO_FREE struct store_case *cases = NULL;
    size_t count = 0;
    int found = store_run_cases(store, run_id, &cases, &count, err);
    if (found < 0)
        return found;
    sums->cases = calloc(count > 0 ? count : 1, sizeof *sums->cases);
    if (sums->cases == NULL)
        return err_set(err, ENOMEM, "out of memory for the results of run %lld", (long long)run_id);
    sums->count = count;
    sums->only_case = only_case;
    for (size_t i = 0; i < count; i++)
        sums->cases[i] = (struct case_sum){.key = cases[i].key, .number = cases[i].number, .distance = -1};
    return store_trial_each(store, run_id, 0, 0, STORE_TRIAL_SUMMARY, add_trial, sums, err);
}

int results_write(struct store *store, int64_t run_id, struct text *out, struct err *err)
{
    AUTO(sums_fini) struct sums sums = {.cases = NULL};
    int summed = sum_up(store, run_id, -1, &sums, err);
    if (summed < 0)
        return summed;
    struct json_writer writer = json_writer_on(out);
    json_begin_object(&writer, NULL);
    json_write_integer(&writer, "run", run_id);
    json_begin_array(&writer, "cases");
    for (size_t i = 0; i < sums.count; i++)
        write_case(&writer, &sums.cases[i]);
    json_end_array(&writer);
    json_end_object(&writer);
    return text_ok(out)
               ? 0
               : err_set(err, ENOMEM, "out of memory for the results of run %lld", (long long)run_id);
}

int results_write_case(struct store *store, int64_t run_id, int case_number, struct text *out,
                       struct err *err)
{
    AUTO(sums_fini) struct sums sums = {.cases = NULL};
    int summed = sum_up(store, run_id, case_number, &sums, err);
    if (summed < 0)
        return summed;
    if (case_number < 0 || (size_t)case_number >= sums.count)
        return err_set(err, ENOENT, "run %lld has no case %d", (long long)run_id, case_number);
    struct json_writer writer = json_writer_on(out);
    write_case(&writer, &sums.cases[case_number]);
    return text_ok(out) ? 0 : err_set(err, ENOMEM, "out of memory for case %d", case_number);
}

/* ---- one trial ---- */

static void write_trial_latency(struct json_writer *writer, const struct store_trial *trial)
{
    if (trial->samples == 0) {
        json_write_null(writer, "latency_ns");
        return;
    }
    json_begin_object(writer, "latency_ns");
    json_write_number(writer, "min", trial->latency_min_ns);
    json_write_number(writer, "p50", trial->latency_p50_ns);
    json_write_number(writer, "p90", supported(trial, 0.9, trial->latency_p90_ns));
    json_write_number(writer, "p99", supported(trial, 0.99, trial->latency_p99_ns));
    json_write_number(writer, "p999", supported(trial, 0.999, trial->latency_p999_ns));
    json_write_number(writer, "max", trial->latency_max_ns);
    json_end_object(writer);
}

static void write_trial_costs(struct json_writer *writer, const struct store_trial *trial)
{
    json_write_integer(writer, "cpu_ns", trial->cpu_user_ns + trial->cpu_system_ns);
    json_begin_object(writer, "context_switches");
    json_write_integer(writer, "voluntary", trial->voluntary_switches);
    json_write_integer(writer, "involuntary", trial->involuntary_switches);
    json_end_object(writer);
    json_begin_object(writer, "page_faults");
    json_write_integer(writer, "minor", trial->minor_faults);
    json_write_integer(writer, "major", trial->major_faults);
    json_end_object(writer);
    json_write_unsigned(writer, "system_calls", trial->system_calls);
    json_write_integer(writer, "run_delay_ns", trial->run_delay_ns);
    json_write_integer(writer, "gap_ns_max", trial->gap_ns_max);
    json_write_integer(writer, "buffer_bytes", trial->buffer_bytes);
}

static void write_histogram(struct json_writer *writer, const struct store_trial *trial)
{
    AUTO_FREE struct histogram *histogram = malloc(sizeof *histogram);
    if (histogram == NULL || trial->histogram.length == 0 ||
        histogram_decode(trial->histogram.bytes, trial->histogram.length, histogram, NULL) < 0) {
        json_write_null(writer, "histogram");
        return;
    }
    json_begin_object(writer, "histogram");
    json_write_string(writer, "unit", "ns");
    json_write_unsigned(writer, "count", histogram->count);
    json_begin_array(writer, "buckets");
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] == 0)
            continue;
        json_begin_array(writer, NULL);
        json_write_integer(writer, NULL, histogram_bucket_low(i));
        json_write_integer(writer, NULL, histogram_bucket_end(i));
        json_write_unsigned(writer, NULL, histogram->buckets[i]);
        json_end_array(writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

void results_write_trial(struct json_writer *writer, const struct store_trial *trial, unsigned include)
{
    json_begin_object(writer, NULL);
    json_write_integer(writer, "id", trial->id);
    json_write_integer(writer, "case", trial->case_number);
    json_write_integer(writer, "sequence", trial->sequence);
    json_write_integer(writer, "attempt", trial->attempt);
    json_write_string(writer, "state", trial->done ? "done" : "failed");
    json_write_string(writer, "cause", trial->cause[0] != '\0' ? trial->cause : NULL);
    json_write_integer(writer, "started_ms", trial->started_ms);
    json_write_integer(writer, "duration_ns", trial->duration_ns);
    json_write_unsigned(writer, "messages", trial->messages);
    json_write_unsigned(writer, "samples", trial->samples);
    json_write_unsigned(writer, "batch", trial->batch);
    write_trial_latency(writer, trial);
    json_write_number(writer, "messages_per_s", trial->messages_per_s);
    json_write_number(writer, "bytes_per_s", trial->bytes_per_s);
    write_trial_costs(writer, trial);
    json_begin_array(writer, "core_distance_ns");
    for (size_t i = 0; i < trial->distance_count; i++)
        json_write_number(writer, NULL, trial->distance_ns[i]);
    json_end_array(writer);
    json_write_string(writer, "distance", trial->distance < 0 ? NULL : distance_names[trial->distance]);
    json_write_number(writer, "autocorrelation", trial->autocorrelation);
    json_write_number(writer, "drift_ratio", trial->drift_ratio);
    write_integrity(writer, trial->lost, trial->torn, trial->duplicated, trial->reordered);
    write_words(writer, "flags", trial->flags);
    if (include & STORE_TRIAL_HISTOGRAM)
        write_histogram(writer, trial);
    if (include & STORE_TRIAL_SERIES)
        series_write(writer, "series", trial->series.bytes, trial->series.length);
    json_end_object(writer);
}
