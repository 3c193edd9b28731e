#include "server/analysis/results.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/analysis/results_parts.h"
#include "server/analysis/statistic.h"
#include "server/analysis/stats.h"

enum { FLAGS_BYTES = 256 };

struct case_sum {
    struct ipc_case key;
    int number;
    size_t done, failed_attempts, capacity;
    size_t settled_failed; /* slots that stayed unsettled after their second attempt */
    double *values[STATISTIC_COUNT];
    int *distances; /* of each trial; enum distance, -1 = unknown */
    int distance;   /* of them together, -1 = unknown so far */
    uint64_t batch; /* the largest */
    int64_t buffer_bytes;
    uint64_t lost, torn, duplicated, reordered;
    char flags[FLAGS_BYTES];
};

struct sums {
    struct case_sum *cases;
    size_t count;
    int only_case;         /* -1 = all */
    double overhead_ns[2]; /* of a round trip: what each pays, and what a batch shares; NAN = unknown */
    double overhead_ns_per_byte;
};

static void sums_fini(struct sums *sums)
{
    for (size_t i = 0; i < sums->count; i++) {
        for (int s = 0; s < STATISTIC_COUNT; s++)
            free(sums->cases[i].values[s]);
        free(sums->cases[i].distances);
    }
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
    int *distances = realloc(sum->distances, capacity * sizeof *distances);
    if (distances == NULL)
        return -ENOMEM;
    sum->distances = distances;
    sum->capacity = capacity;
    return 0;
}

static void add_done(struct case_sum *sum, const struct store_trial *trial)
{
    size_t i = sum->done++;
    for (int s = 0; s < STATISTIC_COUNT; s++)
        sum->values[s][i] = statistic_of_trial(trial, (enum statistic)s);
    sum->distances[i] = trial->distance;
    sum->batch = trial->batch > sum->batch ? trial->batch : sum->batch;
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

/* Of the trials of one distance, or of all: every statistic, with its interval. */
static void write_statistics(struct json_writer *writer, const struct case_sum *sum, const bool *chosen,
                             double *scratch)
{
    bool has_latency = sum->key.pattern != PATTERN_STREAM;
    if (has_latency)
        json_begin_object(writer, "latency_ns");
    else
        json_write_null(writer, "latency_ns");
    for (int s = has_latency ? STATISTIC_P50 : STATISTIC_LATENCY_COUNT; s < STATISTIC_COUNT; s++) {
        if (has_latency && s == STATISTIC_LATENCY_COUNT)
            json_end_object(writer);
        size_t count = 0;
        for (size_t i = 0; i < sum->done; i++)
            if (chosen == NULL || chosen[i])
                scratch[count++] = sum->values[s][i];
        write_interval(writer, statistic_names[s], scratch, count);
    }
}

/* Where the trials differ in distance, each class by itself. */
static int write_by_distance(struct json_writer *writer, const struct case_sum *sum, double *scratch)
{
    AUTO_FREE bool *chosen = calloc(sum->done + 1, sizeof *chosen);
    if (chosen == NULL)
        return -ENOMEM;
    json_begin_array(writer, "by_distance");
    for (int distance = -1; distance < DISTANCE_COUNT; distance++) {
        size_t count = 0;
        for (size_t i = 0; i < sum->done; i++) {
            chosen[i] = sum->distances[i] == distance;
            count += chosen[i];
        }
        if (count == 0 || count == sum->done)
            continue;
        json_begin_object(writer, NULL);
        json_write_string(writer, "distance", distance < 0 ? NULL : distance_names[distance]);
        json_write_unsigned(writer, "trials", count);
        write_statistics(writer, sum, chosen, scratch);
        json_end_object(writer);
    }
    json_end_array(writer);
    return 0;
}

/* ---- overhead ---- */

/* A round trip costs the timing loop a reading of the clock and a count, which a batch shares, and a write
 * and two checks of the message. verify_…_ns is one write and one check, of about equal cost. */
static void read_overhead(struct sums *sums, const struct store_run *run)
{
    AUTO(json_cleanup) struct json_node *overhead = json_parse(run->overhead, strlen(run->overhead), NULL);
    AUTO(json_cleanup)
    struct json_node *experiment = json_parse(run->experiment, strlen(run->experiment), NULL);
    const char *verify = json_string_or(json_member(experiment, "verify"), "");
    const double pairs = strcmp(verify, verify_names[VERIFY_NONE]) == 0 ? 0 : 1.5;
    sums->overhead_ns[0] = pairs * json_number_or(json_member(overhead, "verify_header_ns"), NAN);
    sums->overhead_ns[1] = json_number_or(json_member(overhead, "clock_ns"), NAN) +
                           json_number_or(json_member(overhead, "histogram_ns"), NAN);
    if (strcmp(verify, verify_names[VERIFY_FULL]) == 0)
        sums->overhead_ns_per_byte =
            pairs * json_number_or(json_member(overhead, "verify_full_ns_per_kib"), NAN) / 1024;
}

static double overhead_share(const struct sums *sums, const struct case_sum *sum, double *scratch)
{
    if (sum->key.pattern != PATTERN_ROUND_TRIP || sum->done == 0)
        return NAN;
    memcpy(scratch, sum->values[STATISTIC_P50], sum->done * sizeof *scratch);
    double p50_ns = stats_median_interval(scratch, sum->done).value;
    double batch = sum->batch > 1 ? (double)sum->batch : 1;
    return (sums->overhead_ns[0] + sums->overhead_ns[1] / batch +
            sums->overhead_ns_per_byte * (double)sum->key.message_bytes) /
           p50_ns;
}

static void derive_flags(struct case_sum *sum)
{
    if (sum->failed_attempts > 0)
        add_flags(sum->flags, "trial_failed");
    if (sum->done > 0 && sum->done < STATS_INTERVAL_TRIALS_MIN)
        add_flags(sum->flags, "few_trials");
    for (size_t i = 0; sum->key.pattern != PATTERN_STREAM && i < sum->done; i++)
        if (isnan(sum->values[STATISTIC_P999][i]))
            add_flags(sum->flags, "few_samples");
}

static int write_case(struct json_writer *writer, const struct sums *sums, struct case_sum *sum)
{
    AUTO_FREE double *scratch = malloc((sum->done + 1) * sizeof *scratch);
    if (scratch == NULL)
        return -ENOMEM;
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
    write_statistics(writer, sum, NULL, scratch);
    json_write_number(writer, "overhead_share", overhead_share(sums, sum, scratch));
    int result = write_by_distance(writer, sum, scratch);
    results_write_integrity(writer, sum->lost, sum->torn, sum->duplicated, sum->reordered);
    results_write_words(writer, "flags", sum->flags);
    json_end_object(writer);
    return result;
}

/* The empty sums of a run's cases, then every trial added. */
static int sum_up(struct store *store, int64_t run_id, int only_case, struct sums *sums, struct err *err)
{
    AUTO_FREE struct store_case *cases = NULL;
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    size_t count = 0;
    int found = store_run_get(store, run_id, &run, err);
    if (found == 0)
        found = store_run_cases(store, run_id, &cases, &count, err);
    if (found < 0)
        return found;
    read_overhead(sums, &run);
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
    for (size_t i = 0; i < sums.count && summed == 0; i++)
        summed = write_case(&writer, &sums, &sums.cases[i]);
    json_end_array(&writer);
    json_end_object(&writer);
    return text_ok(out) && summed == 0
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
    summed = write_case(&writer, &sums, &sums.cases[case_number]);
    return text_ok(out) && summed == 0 ? 0 : err_set(err, ENOMEM, "out of memory for case %d", case_number);
}
