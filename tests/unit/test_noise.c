/* The noise floor: which runs make a pair, what a pair says, and when it is enough. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/analysis/noise.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

enum { TRIALS = 6, HOUR_MS = 3600 * 1000 };

struct bench {
    struct scratch scratch;
    struct store *store;
    int64_t machines[2];
    int64_t now_ms;
};

static void bench_init(struct bench *bench)
{
    struct err err;
    *bench = (struct bench){.now_ms = 1700000000000};
    scratch_init(&bench->scratch);
    cr_assert(zero(int, store_open(bench->scratch.path, &bench->store, &err)), "%s", err.text);
    for (int i = 0; i < 2; i++) {
        struct store_machine machine = {.comparable = "alike", .facts = (char *)(uintptr_t) "{}"};
        snprintf(machine.full, sizeof machine.full, "machine-%d", i);
        cr_assert(zero(int, store_machine_put(bench->store, &machine, &bench->machines[i], &err)), "%s",
                  err.text);
    }
}

static void bench_fini(struct bench *bench)
{
    store_close(bench->store);
    scratch_fini(&bench->scratch);
}

/* A run of experiment number `experiment`, an hour after the last one, whose trials take p50_ns. */
static int64_t take(struct bench *bench, int experiment, int machine, double p50_ns)
{
    struct err err;
    struct store_run run = archive_run("run");
    snprintf(run.experiment_hash, sizeof run.experiment_hash, "%032d", experiment);
    cr_assert(zero(int, store_run_insert(bench->store, &run, archive_cases, 1, NULL, &err)), "%s", err.text);
    bench->now_ms += HOUR_MS;
    const struct store_run_change start = {
        .state = RUN_RUNNING, .started_ms = bench->now_ms, .machine_id = bench->machines[machine]};
    const struct store_run_change end = {.state = RUN_DONE, .finished_ms = bench->now_ms + 1000};
    cr_assert(zero(int, store_run_change(bench->store, run.id, &start, &err)), "%s", err.text);
    for (int i = 0; i < TRIALS; i++) {
        AUTO(store_trial_fini) struct store_trial trial = archive_trial(run.id, i, 10);
        trial.case_number = 0;
        trial.latency_p50_ns = p50_ns;
        cr_assert(
            zero(int, store_trial_insert(bench->store, &trial, true, i == TRIALS - 1 ? &end : NULL, &err)),
            "%s", err.text);
    }
    return run.id;
}

static struct noise_pairs find(struct bench *bench, const char *machine, int64_t except)
{
    struct noise_pairs pairs;
    struct err err;
    cr_assert(zero(int, noise_find_pairs(bench->store, machine, &except, 1, &pairs, &err)), "%s", err.text);
    return pairs;
}

Test(noise, neighbours_of_one_experiment_on_one_machine_are_a_pair)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    int64_t first = take(&bench, 1, 0, 6000);
    int64_t other = take(&bench, 2, 0, 6000);
    int64_t second = take(&bench, 1, 0, 6000);
    take(&bench, 1, 1, 6000); /* on another machine */
    int64_t third = take(&bench, 1, 0, 6000);
    struct noise_pairs pairs = find(&bench, "machine-0", 0);
    cr_assert(eq(sz, pairs.count, 2));
    cr_expect(eq(i64, pairs.pairs[0].later, third));
    cr_expect(eq(i64, pairs.pairs[0].earlier, second));
    cr_expect(eq(i64, pairs.pairs[1].earlier, first));
    cr_expect(eq(i64, pairs.trials, 4 * TRIALS));
    cr_expect(eq(sz, find(&bench, "machine-0", second).count, 0), "what is compared is no noise");
    cr_expect(eq(sz, find(&bench, "machine-0", other).count, 2));
    cr_expect(eq(sz, find(&bench, "machine-1", 0).count, 0));

    bench.now_ms += 25 * HOUR_MS;
    take(&bench, 1, 0, 6000);
    cr_expect(eq(sz, find(&bench, "machine-0", 0).count, 2), "a day later is another day");
}

static struct noise_floor floor_of(struct bench *bench)
{
    struct noise_pairs pairs = find(bench, "machine-0", 0);
    struct noise noise;
    struct err err;
    cr_assert(zero(int, noise_read(bench->store, &pairs, -1, &noise, &err)), "%s", err.text);
    cr_expect(isnan(noise.floors[PATTERN_STREAM].value));
    return noise.floors[PATTERN_ROUND_TRIP];
}

Test(noise, the_floor_is_the_largest_of_few_readings_and_the_quantile_of_many)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    take(&bench, 1, 0, 6000);
    take(&bench, 1, 0, 6060);
    take(&bench, 1, 0, 6000);
    cr_expect(isnan(floor_of(&bench).value), "two pairs are too few");
    take(&bench, 1, 0, 6300);
    struct noise_floor few = floor_of(&bench);
    cr_expect(eq(int, (int)few.statistic, (int)STATISTIC_P50));
    cr_expect(eq(sz, few.pairs, 3));
    cr_expect(epsilon_eq(dbl, few.value, 0.05, 1e-9), "in either direction");
    for (int i = 0; i < 19; i++)
        take(&bench, 1, 0, i % 2 == 0 ? 6237 : 6300);
    struct noise_floor many = floor_of(&bench);
    cr_expect(eq(sz, many.pairs, NOISE_PAIRS_MAX));
    cr_expect(epsilon_eq(dbl, many.value, 6300.0 / 6237 - 1, 1e-9), "one in twenty lies above");
}
