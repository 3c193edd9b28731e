#include "server/trial_merge.h"

#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "common/series.h"

/* Seen on several machines: siblings of one core about 24 ns, one cache complex 50 to 60, across complexes
 * 235 and more. The borders lie in the empty stretches between. */
#define SIBLING_NS_MAX 40.0
#define COMPLEX_NS_MAX 150.0

/* A pause this long in a timed loop is no message: the CPU was taken away. */
#define GAP_NS_FLAGGED (1 * NS_PER_MS)
/* Share of the timed stretch in which a worker was ready but not running. */
#define RUN_DELAY_SHARE_FLAGGED 0.05

enum distance trial_merge_distance_of(double one_way_ns)
{
    if (one_way_ns < SIBLING_NS_MAX)
        return DISTANCE_S;
    return one_way_ns < COMPLEX_NS_MAX ? DISTANCE_C : DISTANCE_X;
}

int trial_merge_measuring_worker(const struct ipc_case *one)
{
    return one->pattern == PATTERN_STREAM ? one->senders : 0;
}

static void take_latency(struct store_trial *trial, const struct frame_result *result)
{
    const struct histogram *histogram = &result->histogram;
    trial->samples = histogram->count;
    trial->autocorrelation = result->autocorrelation;
    if (histogram->count == 0)
        return;
    trial->latency_min_ns = (double)histogram->min;
    trial->latency_p50_ns = histogram_quantile(histogram, 0.5);
    trial->latency_p90_ns = histogram_quantile(histogram, 0.9);
    trial->latency_p99_ns = histogram_quantile(histogram, 0.99);
    trial->latency_p999_ns = histogram_quantile(histogram, 0.999);
    trial->latency_max_ns = (double)histogram->max;
    histogram_encode(histogram, &trial->histogram);
}

static void take_measure(struct store_trial *trial, const struct ipc_case *one,
                         const struct frame_result *result)
{
    trial->messages = result->messages;
    trial->duration_ns = result->duration_ns;
    trial->batch = result->batch;
    trial->drift_ratio = result->drift_ratio;
    double seconds = (double)result->duration_ns / (double)NS_PER_S;
    trial->messages_per_s = seconds > 0 ? (double)result->messages / seconds : NAN;
    trial->bytes_per_s = trial->messages_per_s * (double)one->message_bytes;
    series_encode(result->blocks, result->block_count, &trial->series);
    if (result->has_histogram)
        take_latency(trial, result);
}

static void take_distances(struct store_trial *trial, const struct frame_result *result)
{
    for (size_t i = 0; i < result->distance_count && trial->distance_count < STORE_DISTANCES_MAX; i++)
        if (!isnan(result->distance_ns[i]))
            trial->distance_ns[trial->distance_count++] = result->distance_ns[i];
}

void trial_merge_result(struct store_trial *trial, const struct ipc_case *one, int worker,
                        const struct frame_result *result)
{
    if (worker == trial_merge_measuring_worker(one))
        take_measure(trial, one, result);
    if (worker == 0)
        take_distances(trial, result); /* the two that probe see the same round trips */
    trial->cpu_user_ns += result->cpu_user_ns;
    trial->cpu_system_ns += result->cpu_system_ns;
    trial->voluntary_switches += result->voluntary_switches;
    trial->involuntary_switches += result->involuntary_switches;
    trial->minor_faults += result->minor_faults;
    trial->major_faults += result->major_faults;
    trial->system_calls += result->system_calls;
    trial->lost += result->integrity.lost;
    trial->torn += result->integrity.torn;
    trial->duplicated += result->integrity.duplicated;
    trial->reordered += result->integrity.reordered;
    if (result->run_delay_ns > trial->run_delay_ns)
        trial->run_delay_ns = result->run_delay_ns;
    if (result->gap_ns_max > trial->gap_ns_max)
        trial->gap_ns_max = result->gap_ns_max;
}

static int label(const struct store_trial *trial, const struct ipc_case *one)
{
    if (one->placement == PLACEMENT_SAME_CPU)
        return DISTANCE_SAME;
    if (trial->distance_count == 0)
        return -1;
    enum distance first = trial_merge_distance_of(trial->distance_ns[0]);
    for (size_t i = 1; i < trial->distance_count; i++)
        if (trial_merge_distance_of(trial->distance_ns[i]) != first)
            return DISTANCE_MIXED;
    return (int)first;
}

static void add_flag(struct store_trial *trial, const char *flag)
{
    size_t used = strlen(trial->flags);
    if (used > 0 && used + 1 < sizeof trial->flags)
        trial->flags[used++] = ' ';
    text_copy(trial->flags + used, sizeof trial->flags - used, flag);
}

void trial_merge_finish(struct store_trial *trial, const struct ipc_case *one)
{
    trial->distance = label(trial, one);
    trial->flags[0] = '\0';
    if (trial->batch > 1)
        add_flag(trial, "batched");
    if (trial->distance == DISTANCE_MIXED)
        add_flag(trial, "placement_moved");
    if (trial->gap_ns_max > GAP_NS_FLAGGED)
        add_flag(trial, "gap");
    if ((double)trial->run_delay_ns > RUN_DELAY_SHARE_FLAGGED * (double)trial->duration_ns)
        add_flag(trial, "run_delay");
    if (trial->lost + trial->torn + trial->duplicated + trial->reordered > 0)
        add_flag(trial, "integrity");
}
