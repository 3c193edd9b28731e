#include "server/analysis/noise.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/analysis/array.h"
#include "server/analysis/compare.h"
#include "server/analysis/figures.h"

/* So many of a machine's last runs are looked through for pairs. */
enum { RECENT_MAX = 400 };

/* ---- pairs ---- */

static bool is_among(int64_t id, const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* The run of the same experiment right before runs[at], which are in order from the newest; NULL if there is
 * none. */
static const struct store_series_run *find_earlier(const struct store_series_run *runs, size_t count,
                                                   size_t at)
{
    for (size_t i = at + 1; i < count; i++)
        if (strcmp(runs[i].experiment_hash, runs[at].experiment_hash) == 0)
            return &runs[i];
    return NULL;
}

static bool is_close(const struct store_series_run *earlier, const struct store_series_run *later)
{
    int64_t gap_ms = later->started_ms - earlier->finished_ms;
    return gap_ms >= 0 && gap_ms <= NOISE_GAP_MS;
}

int noise_find_pairs(struct store *store, const char *machine, const int64_t *except, size_t except_count,
                     struct noise_pairs *pairs, struct err *err)
{
    *pairs = (struct noise_pairs){.count = 0};
    AUTO_FREE struct store_series_run *runs = calloc(RECENT_MAX, sizeof *runs);
    if (runs == NULL)
        return err_set(err, ENOMEM, "out of memory for a machine's runs");
    size_t count = 0;
    int result = store_machine_recent(store, machine, RECENT_MAX, runs, &count, err);
    for (size_t i = 0; result == 0 && i < count && pairs->count < NOISE_PAIRS_MAX; i++) {
        const struct store_series_run *earlier = find_earlier(runs, count, i);
        if (earlier == NULL || !is_close(earlier, &runs[i]) || is_among(earlier->id, except, except_count) ||
            is_among(runs[i].id, except, except_count))
            continue;
        pairs->pairs[pairs->count++] = (struct noise_pair){.earlier = earlier->id, .later = runs[i].id};
        pairs->trials += earlier->trials_done + runs[i].trials_done;
    }
    return result;
}

/* ---- readings ---- */

struct readings {
    double *values;
    size_t count, capacity, pairs;
};

static int add_reading(struct readings *readings, double value)
{
    if (array_reserve(&readings->values, readings->count, &readings->capacity, sizeof *readings->values) < 0)
        return -ENOMEM;
    readings->values[readings->count++] = value;
    return 0;
}

/* How far the ratio of two columns is from 1; NAN if they have too few trials of one distance. */
static int read_pair_of_columns(const struct column *a, const struct column *b, double *reading)
{
    const struct column *const both[] = {a, b};
    int class_of = column_common_class(both, 2);
    *reading = NAN;
    if (class_of < 0 || column_count_class(a, class_of) < STATS_INTERVAL_TRIALS_MIN ||
        column_count_class(b, class_of) < STATS_INTERVAL_TRIALS_MIN)
        return 0;
    AUTO_FREE double *a_values = calloc(a->count, sizeof *a_values);
    AUTO_FREE double *b_values = calloc(b->count, sizeof *b_values);
    if (a_values == NULL || b_values == NULL)
        return -ENOMEM;
    struct stats_interval ratio;
    int result = compare_ratio(a_values, column_take_class(a, class_of, a_values), b_values,
                               column_take_class(b, class_of, b_values), &ratio);
    if (result == 0)
        *reading = fmax(ratio.value, 1 / ratio.value) - 1;
    return result;
}

static int read_pair(const struct figures *earlier, const struct figures *later,
                     struct readings readings[PATTERN_COUNT])
{
    bool seen[PATTERN_COUNT] = {false};
    for (size_t i = 0; i < later->count; i++) {
        const struct column *a = &later->columns[i], *b = figures_find(earlier, &a->key);
        double reading = NAN;
        int result = b != NULL ? read_pair_of_columns(a, b, &reading) : 0;
        if (result == 0 && !isnan(reading)) {
            seen[a->key.pattern] = true;
            result = add_reading(&readings[a->key.pattern], reading);
        }
        if (result < 0)
            return result;
    }
    for (int pattern = 0; pattern < PATTERN_COUNT; pattern++)
        readings[pattern].pairs += seen[pattern];
    return 0;
}

static int read_runs(struct store *store, const struct noise_pair *pair, int statistic,
                     struct readings readings[PATTERN_COUNT], struct err *err)
{
    AUTO(figures_fini) struct figures earlier = {.count = 0}, later = {.count = 0};
    int result = figures_read(store, pair->earlier, statistic, &earlier, err);
    if (result == 0)
        result = figures_read(store, pair->later, statistic, &later, err);
    if (result == 0 && (result = read_pair(&earlier, &later, readings)) < 0)
        err_set(err, -result, "out of memory for the noise floor");
    return result;
}

static struct noise_floor floor_of(struct readings *readings, enum statistic statistic)
{
    struct noise_floor noise_floor = {
        .statistic = statistic, .value = NAN, .pairs = readings->pairs, .readings = readings->count};
    if (readings->pairs < NOISE_PAIRS_MIN)
        return noise_floor;
    stats_sort(readings->values, readings->count);
    noise_floor.value = readings->values[(size_t)ceil(NOISE_QUANTILE * (double)readings->count) - 1];
    return noise_floor;
}

int noise_read(struct store *store, const struct noise_pairs *pairs, int statistic, struct noise *noise,
               struct err *err)
{
    struct readings readings[PATTERN_COUNT] = {{.count = 0}};
    int result = 0;
    for (size_t i = 0; i < pairs->count && result == 0; i++)
        result = read_runs(store, &pairs->pairs[i], statistic, readings, err);
    for (int pattern = 0; pattern < PATTERN_COUNT; pattern++) {
        enum statistic its_statistic =
            statistic >= 0 ? (enum statistic)statistic : statistic_natural((enum pattern)pattern);
        noise->floors[pattern] = floor_of(&readings[pattern], its_statistic);
        free(readings[pattern].values);
    }
    return result;
}
