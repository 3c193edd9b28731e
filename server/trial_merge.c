#include "server/trial_merge.h"

#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "common/series.h"

/* Seen so far: siblings of one core take about 24 ns, CPUs of one cache complex 31 to 61, across complexes
 * 147 to 265. The borders lie in the empty stretches between. */
#define SIBLING_NS_MAX 28.0
#define COMPLEX_NS_MAX 95.0

/* A pause this long in a timed loop is no message: the CPU was taken away. Of a stream on one CPU the other
 * worker takes it, for as long as it takes to fill or to empty the buffer. */
#define GAP_NS_FLAGGED (1 * NS_PER_MS)
/* Share of the timed stretch in which a worker was ready but not running, or its CPU with another guest. */
#define RUN_DELAY_SHARE_FLAGGED 0.05
#define STEAL_SHARE_FLAGGED 0.05

/* The kernel's own threads take a CPU for a moment a few times a second; a neighbour does it at every tick.
 */
#define PREEMPTIONS_PER_S_FLAGGED 40.0
enum { PREEMPTIONS_FLAGGED = 10 };

/* A rate is held if this much of it was reached. */
#define RATE_SHARE_HELD 0.98

enum distance trial_merge_distance_of(double one_way_ns)
{
    if (one_way_ns == 0)
        return DISTANCE_SAME;
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

static int64_t end_of(const struct frame_block *block)
{
    return block->begin_ns + block->duration_ns;
}

/* One receiver's blocks over those of the others: they began after the same barrier. */
static void lay_blocks(struct trial_merge *merge, const struct frame_result *result)
{
    for (size_t i = 0; i < result->block_count; i++) {
        const struct frame_block *from = &result->blocks[i];
        struct frame_block *to = &merge->blocks[i];
        if (i >= merge->block_count) {
            *to = *from;
            merge->block_count = i + 1;
            continue;
        }
        int64_t end_ns = end_of(from) > end_of(to) ? end_of(from) : end_of(to);
        to->begin_ns = from->begin_ns < to->begin_ns ? from->begin_ns : to->begin_ns;
        to->duration_ns = end_ns - to->begin_ns;
        to->messages += from->messages;
    }
}

static bool measures(const struct ipc_case *one, int worker)
{
    return one->pattern == PATTERN_STREAM ? worker >= one->senders : worker == 0;
}

static void take_measure(struct trial_merge *merge, struct store_trial *trial,
                         const struct frame_result *result)
{
    lay_blocks(merge, result);
    merge->drift_ratio = result->drift_ratio;
    merge->backlog_grew = result->backlog_grew;
    trial->batch = result->batch;
    trial->lost += result->integrity.lost;
    trial->torn += result->integrity.torn;
    trial->duplicated += result->integrity.duplicated;
    trial->reordered += result->integrity.reordered;
    if (result->has_histogram)
        take_latency(trial, result);
}

static void take_distances(struct store_trial *trial, const struct frame_result *result)
{
    for (size_t i = 0; i < result->distance_count && trial->distance_count < STORE_DISTANCES_MAX; i++)
        if (!isnan(result->distance_ns[i]))
            trial->distance_ns[trial->distance_count++] = result->distance_ns[i];
}

static void take_worst(int64_t *worst, int64_t value)
{
    if (value > *worst)
        *worst = value;
}

void trial_merge_result(struct trial_merge *merge, struct store_trial *trial, const struct ipc_case *one,
                        int worker, const struct frame_result *result)
{
    if (measures(one, worker))
        take_measure(merge, trial, result);
    if (worker == 0)
        take_distances(trial, result); /* the two that probe see the same round trips */
    trial->cpu_user_ns += result->cpu_user_ns;
    trial->cpu_system_ns += result->cpu_system_ns;
    trial->voluntary_switches += result->voluntary_switches;
    trial->involuntary_switches += result->involuntary_switches;
    trial->minor_faults += result->minor_faults;
    trial->major_faults += result->major_faults;
    trial->system_calls += result->system_calls;
    take_worst(&merge->ready_ns, result->run_delay_ns + result->cpu_user_ns + result->cpu_system_ns);
    take_worst(&trial->run_delay_ns, result->run_delay_ns);
    take_worst(&trial->gap_ns_max, result->gap_ns_max);
    take_worst(&trial->steal_ns, result->steal_ns);
    take_worst(&merge->throttled, result->throttled);
    double frequency_hz = (double)result->frequency_hz;
    if (frequency_hz > 0 && !(trial->frequency_hz <= frequency_hz)) /* it is NAN at first */
        trial->frequency_hz = frequency_hz;
}

/* Time per message of the second half of the blocks over the first's. */
static double drift_of(const struct trial_merge *merge)
{
    double ns[2] = {0, 0}, messages[2] = {0, 0};
    for (size_t i = 0; i < merge->block_count; i++) {
        size_t half = i < merge->block_count / 2 ? 0 : 1;
        ns[half] += (double)merge->blocks[i].duration_ns;
        messages[half] += (double)merge->blocks[i].messages;
    }
    return ns[0] > 0 && messages[0] > 0 && messages[1] > 0 ? ns[1] / messages[1] / (ns[0] / messages[0])
                                                           : NAN;
}

static void sum_blocks(const struct trial_merge *merge, struct store_trial *trial, const struct ipc_case *one)
{
    if (merge->block_count == 0)
        return; /* nobody who measures reported: the last sample stands */
    trial->messages = 0;
    trial->duration_ns = 0;
    for (size_t i = 0; i < merge->block_count; i++) {
        trial->messages += merge->blocks[i].messages;
        trial->duration_ns += merge->blocks[i].duration_ns;
    }
    double seconds = (double)trial->duration_ns / (double)NS_PER_S;
    trial->messages_per_s = seconds > 0 ? (double)trial->messages / seconds : NAN;
    trial->bytes_per_s = trial->messages_per_s * (double)one->message_bytes;
    trial->achieved_hz = one->pattern == PATTERN_PACED ? trial->messages_per_s : NAN;
    trial->drift_ratio = one->receivers > 1 ? drift_of(merge) : merge->drift_ratio;
    series_encode(merge->blocks, merge->block_count, &trial->series);
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

static bool exceeds_share(int64_t ns, const struct store_trial *trial, double share)
{
    return (double)ns > share * (double)trial->duration_ns;
}

static bool stood_still(const struct store_trial *trial, const struct ipc_case *one)
{
    bool takes_turns = one->placement == PLACEMENT_SAME_CPU && one->pattern == PATTERN_STREAM;
    return trial->gap_ns_max > GAP_NS_FLAGGED && !takes_turns;
}

/* On one CPU a worker that is ready waits as long as the others run, and that is the case, not a disturbance:
 * what counts is how much longer it waited. */
static int64_t foreign_delay_ns(const struct trial_merge *merge, const struct store_trial *trial,
                                const struct ipc_case *one)
{
    if (one->placement != PLACEMENT_SAME_CPU)
        return trial->run_delay_ns;
    return merge->ready_ns - trial->cpu_user_ns - trial->cpu_system_ns;
}

/* Only where each has a CPU to itself: on one CPU, being made to leave it is how the other gets it. */
static bool was_preempted(const struct store_trial *trial, const struct ipc_case *one)
{
    double seconds = (double)trial->duration_ns / (double)NS_PER_S;
    return one->placement == PLACEMENT_TWO_CPUS && !case_is_shared(one) &&
           trial->involuntary_switches > PREEMPTIONS_FLAGGED &&
           (double)trial->involuntary_switches > PREEMPTIONS_PER_S_FLAGGED * seconds;
}

static bool missed_rate(const struct trial_merge *merge, const struct store_trial *trial,
                        const struct ipc_case *one)
{
    return one->pattern == PATTERN_PACED &&
           (merge->backlog_grew || trial->achieved_hz < RATE_SHARE_HELD * one->rate_hz);
}

void trial_merge_finish(const struct trial_merge *merge, struct store_trial *trial,
                        const struct ipc_case *one)
{
    sum_blocks(merge, trial, one);
    trial->distance = label(trial, one);
    trial->flags[0] = '\0';
    if (trial->batch > 1)
        add_flag(trial, "batched");
    if (trial->distance == DISTANCE_MIXED)
        add_flag(trial, "placement_moved");
    if (stood_still(trial, one))
        add_flag(trial, "gap");
    if (exceeds_share(foreign_delay_ns(merge, trial, one), trial, RUN_DELAY_SHARE_FLAGGED))
        add_flag(trial, "run_delay");
    if (exceeds_share(trial->steal_ns, trial, STEAL_SHARE_FLAGGED))
        add_flag(trial, "steal");
    if (merge->throttled > 0)
        add_flag(trial, "throttled");
    if (was_preempted(trial, one))
        add_flag(trial, "preempted");
    if (missed_rate(merge, trial, one))
        add_flag(trial, "rate_not_held");
    if (trial->lost + trial->torn + trial->duplicated + trial->reordered > 0)
        add_flag(trial, "integrity");
}
