#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/histogram.h"
#include "server/analysis/stats.h"
#include "server/plan.h"
#include "server/trial_merge.h"
#include "tests/support/criterion.h"

Test(stats, median_ranks_are_those_of_the_binomial)
{
    /* n → (k, n+1-k): 6 → (1,6), 8 → (1,8), 10 → (2,9), 20 → (6,15). */
    cr_expect(eq(sz, stats_median_rank(5), 0));
    cr_expect(eq(sz, stats_median_rank(6), 1));
    cr_expect(eq(sz, stats_median_rank(8), 1));
    cr_expect(eq(sz, stats_median_rank(10), 2));
    cr_expect(eq(sz, stats_median_rank(20), 6));
    cr_expect(eq(sz, stats_median_rank(1000), 469));
}

Test(stats, an_interval_of_a_published_sample)
{
    double values[] = {1726, 1723, 1707, 1707, 1713, 1729, 1736, 1707, 1705, 1774};
    struct stats_interval interval = stats_median_interval(values, 10);
    cr_expect(epsilon_eq(dbl, interval.value, 1718, 1e-9));
    cr_expect(epsilon_eq(dbl, interval.low, 1707, 1e-9));
    cr_expect(epsilon_eq(dbl, interval.high, 1736, 1e-9));
}

Test(stats, few_values_have_no_interval)
{
    double values[] = {3, 1, 2, 5, 4};
    struct stats_interval interval = stats_median_interval(values, 5);
    cr_expect(epsilon_eq(dbl, interval.value, 3, 0.0));
    cr_expect(isnan(interval.low) && isnan(interval.high));
    cr_expect(isnan(stats_median_interval(values, 0).value));
}

Test(stats, a_quantile_needs_its_samples)
{
    cr_expect(stats_supports_quantile(36, 0.9));
    cr_expect(not(stats_supports_quantile(35, 0.9)));
    cr_expect(stats_supports_quantile(368, 0.99));
    cr_expect(not(stats_supports_quantile(367, 0.99)));
    cr_expect(stats_supports_quantile(3688, 0.999));
    cr_expect(not(stats_supports_quantile(3687, 0.999)));
    cr_expect(epsilon_eq(dbl, stats_effective_count(300, 0.5), 100, 1e-9));
    cr_expect(epsilon_eq(dbl, stats_effective_count(300, -0.5), 300, 1e-9));
    cr_expect(epsilon_eq(dbl, stats_effective_count(300, NAN), 300, 1e-9));
}

/* A small deterministic generator: the tests must fail the same way everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int compare_int64(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

Test(histogram, quantiles_stay_within_a_bucket_of_the_exact_ones)
{
    enum { COUNT = 20001 };
    static int64_t values[COUNT];
    static struct histogram histogram;
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = (int64_t)(next_random(&state) >> (24 + next_random(&state) % 40));
        histogram_record(&histogram, values[i]);
    }
    qsort(values, COUNT, sizeof *values, compare_int64);
    static const double quantiles[] = {0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        double rank = ceil(quantiles[i] * COUNT);
        double exact = (double)values[rank < 1 ? 0 : (size_t)rank - 1];
        double got = histogram_quantile(&histogram, quantiles[i]);
        cr_expect(le(dbl, fabs(got - exact), 0.004 * exact + 0.5), "q %g: %g for %g", quantiles[i], got,
                  exact);
    }
}

Test(histogram, buckets_tile_the_range)
{
    for (uint32_t i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        cr_assert(eq(i64, histogram_bucket_end(i), histogram_bucket_low(i + 1)));
        cr_assert(eq(u32, histogram_index(histogram_bucket_low(i)), i));
        cr_assert(eq(u32, histogram_index(histogram_bucket_end(i) - 1), i));
    }
    cr_expect(eq(u32, histogram_index(HISTOGRAM_VALUE_MAX), HISTOGRAM_BUCKETS - 1));
}

Test(histogram, blob_reads_back_and_a_flipped_bit_is_seen)
{
    static struct histogram in, out;
    AUTO(text_fini) struct text blob = TEXT_EMPTY;
    for (int64_t value = 1; value < 5000000; value += value / 3 + 1)
        histogram_record(&in, value);
    histogram_encode(&in, &blob);
    cr_assert(zero(int, histogram_decode(blob.bytes, blob.length, &out, NULL)));
    cr_expect(eq(int, memcmp(&in, &out, sizeof in), 0));
    for (size_t bit = 0; bit < 8 * blob.length; bit++) {
        blob.bytes[bit / 8] = (char)(blob.bytes[bit / 8] ^ (1 << bit % 8));
        cr_expect(lt(int, histogram_decode(blob.bytes, blob.length, &out, NULL), 0), "bit %zu", bit);
        blob.bytes[bit / 8] = (char)(blob.bytes[bit / 8] ^ (1 << bit % 8));
    }
}

Test(plan, every_round_holds_every_case_once_and_rounds_differ)
{
    enum { CASES = 12 };
    int first[CASES], order[CASES];
    bool differs = false;
    plan_round(42, 0, first, CASES);
    for (uint64_t round = 0; round < 50; round++) {
        unsigned seen = 0;
        plan_round(42, round, order, CASES);
        for (int i = 0; i < CASES; i++) {
            seen |= 1u << order[i];
            differs |= order[i] != first[i];
        }
        cr_expect(eq(uint, seen, (1u << CASES) - 1));
    }
    cr_expect(differs);
}

Test(plan, is_a_function_of_its_seed)
{
    int a[20], b[20], c[20];
    plan_round(7, 3, a, 20);
    plan_round(7, 3, b, 20);
    plan_round(8, 3, c, 20);
    cr_expect(eq(int, memcmp(a, b, sizeof a), 0));
    cr_expect(ne(int, memcmp(a, c, sizeof a), 0));
}

static struct trial_merge merge;

Test(trial_merge, distance_is_named_by_its_class_and_a_move_is_flagged)
{
    const struct ipc_case one = {
        .pattern = PATTERN_ROUND_TRIP, .message_bytes = 64, .senders = 1, .receivers = 1};
    struct store_trial trial = {.distance_count = 3, .distance_ns = {52, 55, 61}, .duration_ns = 1000000000};
    trial_merge_finish(&merge, &trial, &one);
    cr_expect(eq(int, trial.distance, DISTANCE_C));
    cr_expect(eq(str, trial.flags, ""));
    trial.distance_ns[1] = 241;
    trial.gap_ns_max = 5000000;
    trial_merge_finish(&merge, &trial, &one);
    cr_expect(eq(int, trial.distance, DISTANCE_MIXED));
    cr_expect(eq(str, trial.flags, "placement_moved gap"));
    cr_expect(eq(int, trial_merge_distance_of(0), DISTANCE_SAME));
    cr_expect(eq(int, trial_merge_distance_of(24), DISTANCE_S));
    cr_expect(eq(int, trial_merge_distance_of(250), DISTANCE_X));
}

/* ---- several receivers ---- */

static struct frame_result result_of(int64_t begin_ns, int64_t duration_ns, uint64_t messages)
{
    struct frame_result result = {.block_count = 2, .drift_ratio = NAN};
    for (size_t i = 0; i < 2; i++)
        result.blocks[i] = (struct frame_block){.begin_ns = begin_ns + (int64_t)i * 1000,
                                                .duration_ns = duration_ns,
                                                .messages = messages,
                                                .latency_p50_ns = NAN};
    return result;
}

Test(trial_merge, receivers_are_summed_over_the_time_they_share)
{
    const struct ipc_case one = {
        .pattern = PATTERN_STREAM, .message_bytes = 64, .senders = 2, .receivers = 2};
    AUTO(store_trial_fini) struct store_trial trial = {.distance = -1, .frequency_hz = NAN};
    static struct frame_result results[4];
    results[0] = results[1] = result_of(0, 900, 77); /* what was sent counts for nothing */
    results[1].integrity.lost = 5;
    results[2] = result_of(10, 500, 300);
    results[2].integrity = (struct frame_integrity){.lost = 1, .reordered = 2};
    results[3] = result_of(20, 590, 100);
    results[3].integrity.lost = 3;
    results[0].steal_ns = 7;
    results[3].steal_ns = 9;
    results[1].frequency_hz = 3000;
    results[2].frequency_hz = 2000;
    for (int i = 3; i >= 0; i--)
        trial_merge_result(&merge, &trial, &one, i, &results[i]);
    trial_merge_finish(&merge, &trial, &one);
    cr_expect(eq(u64, trial.messages, 800));
    cr_expect(eq(i64, trial.duration_ns, 2 * 600), "from 10 to 610, and again");
    cr_expect(epsilon_eq(dbl, trial.messages_per_s, 800 / 1200e-9, 1));
    cr_expect(epsilon_eq(dbl, trial.drift_ratio, 1, 1e-9));
    cr_expect(eq(u64, trial.lost, 4));
    cr_expect(eq(u64, trial.reordered, 2));
    cr_expect(eq(i64, trial.steal_ns, 9));
    cr_expect(epsilon_eq(dbl, trial.frequency_hz, 2000, 0));
    cr_expect(gt(sz, trial.series.length, 0));
    cr_expect(isnan(trial.achieved_hz));
}

Test(trial_merge, a_round_trip_is_judged_by_who_asks)
{
    const struct ipc_case one = {
        .pattern = PATTERN_ROUND_TRIP, .message_bytes = 64, .senders = 1, .receivers = 1};
    AUTO(store_trial_fini) struct store_trial trial = {.distance = -1};
    static struct frame_result results[2];
    results[0] = result_of(0, 500, 100);
    results[1] = result_of(0, 700, 99);
    results[0].integrity.lost = 1;
    results[1].integrity.lost = 1; /* the same one */
    for (int i = 0; i < 2; i++)
        trial_merge_result(&merge, &trial, &one, i, &results[i]);
    trial_merge_finish(&merge, &trial, &one);
    cr_expect(eq(u64, trial.messages, 200));
    cr_expect(eq(u64, trial.lost, 1));
    cr_expect(eq(str, trial.flags, "integrity"));
}

/* ---- flags ---- */

static void expect_flags(struct store_trial trial, const struct ipc_case *one, const char *flags)
{
    trial.duration_ns = NS_PER_S;
    trial_merge_finish(&merge, &trial, one);
    cr_expect(eq(str, trial.flags, (char *)flags));
}

Test(trial_merge, what_disturbed_a_trial_is_named)
{
    const struct ipc_case one = {.senders = 1, .receivers = 1};
    struct ipc_case shared = one, same_cpu = one;
    shared.senders = 2;
    same_cpu.placement = PLACEMENT_SAME_CPU;
    expect_flags((struct store_trial){.steal_ns = 40000000}, &one, "");
    expect_flags((struct store_trial){.steal_ns = 60000000}, &one, "steal");
    expect_flags((struct store_trial){.run_delay_ns = 60000000}, &one, "run_delay");
    expect_flags((struct store_trial){.involuntary_switches = 39}, &one, "");
    expect_flags((struct store_trial){.involuntary_switches = 41}, &one, "preempted");
    expect_flags((struct store_trial){.involuntary_switches = 41}, &same_cpu, "");
    expect_flags((struct store_trial){.involuntary_switches = 41}, &shared, "");
}

/* Even once: all of the crew stood still until the period was over. */
Test(trial_merge, a_crew_without_cpu_time_was_throttled)
{
    const struct ipc_case one = {.senders = 1, .receivers = 1};
    static struct frame_result results[2];
    struct store_trial trial = {.distance = -1};
    merge = (struct trial_merge){.block_count = 0};
    for (int i = 0; i < 2; i++) {
        results[i] = result_of(0, NS_PER_S, 1);
        results[i].block_count = 1;
        results[i].throttled = i;
        trial_merge_result(&merge, &trial, &one, i, &results[i]);
    }
    trial_merge_finish(&merge, &trial, &one);
    cr_expect(eq(str, trial.flags, "throttled"));
    store_trial_fini(&trial);
}

/* Two workers that share a CPU for a second, and a neighbour who takes some of it. */
static void expect_same_cpu_flags(enum pattern pattern, int64_t neighbour_ns, const char *flags)
{
    const struct ipc_case one = {
        .pattern = pattern, .placement = PLACEMENT_SAME_CPU, .senders = 1, .receivers = 1};
    struct store_trial trial = {.distance = -1};
    static struct frame_result results[2];
    merge = (struct trial_merge){.block_count = 0};
    for (int i = 0; i < 2; i++) {
        results[i] = result_of(0, NS_PER_S, 1);
        results[i].block_count = 1;
        results[i].cpu_user_ns = (NS_PER_S - neighbour_ns) / 2;
        results[i].run_delay_ns = NS_PER_S - results[i].cpu_user_ns;
        results[i].gap_ns_max = 3 * NS_PER_MS;
        trial_merge_result(&merge, &trial, &one, i, &results[i]);
    }
    trial_merge_finish(&merge, &trial, &one);
    cr_expect(eq(str, trial.flags, (char *)flags), "%s: %s", pattern_names[pattern], trial.flags);
    store_trial_fini(&trial);
}

Test(trial_merge, who_shares_a_cpu_is_not_disturbed_by_the_other)
{
    expect_same_cpu_flags(PATTERN_STREAM, 0, "");
    expect_same_cpu_flags(PATTERN_STREAM, 40 * NS_PER_MS, "");
    expect_same_cpu_flags(PATTERN_STREAM, 60 * NS_PER_MS, "run_delay");
    expect_same_cpu_flags(PATTERN_ROUND_TRIP, 60 * NS_PER_MS, "gap run_delay");
}

static struct store_trial take_paced(double rate_hz, bool backlog_grew)
{
    const struct ipc_case one = {.pattern = PATTERN_PACED, .senders = 1, .receivers = 1, .rate_hz = rate_hz};
    struct store_trial trial = {.distance = -1};
    static struct frame_result result;
    result = result_of(0, 1000, 1); /* two messages in 2 us: a million a second */
    result.backlog_grew = backlog_grew;
    merge.block_count = 0;
    trial_merge_result(&merge, &trial, &one, 0, &result);
    trial_merge_finish(&merge, &trial, &one);
    store_trial_fini(&trial);
    return trial;
}

Test(trial_merge, a_rate_that_is_not_held_says_so)
{
    struct store_trial held = take_paced(1.01e6, false), missed = take_paced(1.03e6, false),
                       growing = take_paced(1e6, true);
    cr_expect(epsilon_eq(dbl, held.achieved_hz, 1e6, 1));
    cr_expect(eq(str, held.flags, ""));
    cr_expect(eq(str, missed.flags, "rate_not_held"));
    cr_expect(eq(str, growing.flags, "rate_not_held"));
}
