#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "server/analysis/compare_runs.h"
#include "server/analysis/statistic.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

/* Two archived runs of the same two cases (pipe round trips, tcp streams), whose figures the test chooses. */
struct bench {
    struct scratch scratch;
    struct store *store;
    struct store_run runs[2];
};

enum { CASES = ARCHIVE_CASES };
static struct store_case cases[CASES];

static int64_t add_run(struct bench *bench, const char *experiment)
{
    struct err err;
    struct store_run run = archive_run("run");
    if (experiment != NULL)
        run.experiment = (char *)(uintptr_t)experiment;
    memcpy(cases, archive_cases, sizeof cases);
    cases[1].key.pattern = PATTERN_STREAM;
    cr_assert(zero(int, store_run_insert(bench->store, &run, cases, CASES, NULL, &err)), "%s", err.text);
    return run.id;
}

static void put_on_machine(struct bench *bench, int64_t run_id)
{
    struct err err;
    const struct store_machine machine = {.comparable = "c", .full = "f", .facts = "{}"};
    struct store_run_change change = {.state = RUN_DONE, .isolation = "{\"cage\":\"full\"}"};
    cr_assert(zero(int, store_machine_put(bench->store, &machine, &change.machine_id, &err)), "%s", err.text);
    cr_assert(zero(int, store_run_change(bench->store, run_id, &change, &err)), "%s", err.text);
}

/* The experiments of the two runs, NULL = any. They have not begun. */
static void bench_init_bare(struct bench *bench, const char *const experiments[2])
{
    struct err err;
    scratch_init(&bench->scratch);
    cr_assert(zero(int, store_open(bench->scratch.path, &bench->store, &err)), "%s", err.text);
    for (size_t i = 0; i < 2; i++)
        bench->runs[i] = (struct store_run){.id = add_run(bench, experiments[i])};
}

static void bench_init_with(struct bench *bench, const char *const experiments[2])
{
    bench_init_bare(bench, experiments);
    for (size_t i = 0; i < 2; i++)
        put_on_machine(bench, bench->runs[i].id);
}

static void bench_init(struct bench *bench)
{
    bench_init_with(bench, (const char *const[2]){NULL, NULL});
}

static void bench_fini(struct bench *bench)
{
    for (size_t i = 0; i < 2; i++)
        store_run_fini(&bench->runs[i]);
    store_close(bench->store);
    scratch_fini(&bench->scratch);
}

/* count trials of each of the first cases: p50 and bytes/s around the given ones, 1 % apart. */
static void add_trials_of(struct bench *bench, size_t run, int case_count, int count, double p50_ns,
                          double bytes_per_s, enum distance distance)
{
    struct err err;
    for (int i = 0; i < count * CASES; i++) {
        if (i % CASES >= case_count)
            continue;
        struct store_trial trial = archive_trial(bench->runs[run].id, i, 10);
        double spread = 1 + 0.01 * (i / CASES) / count;
        trial.case_number = i % CASES;
        trial.done = true;
        trial.latency_p50_ns = cases[trial.case_number].key.pattern == PATTERN_STREAM ? NAN : p50_ns * spread;
        trial.bytes_per_s = bytes_per_s * spread;
        trial.distance = (int)distance;
        cr_assert(zero(int, store_trial_insert(bench->store, &trial, true, NULL, &err)), "%s", err.text);
        store_trial_fini(&trial);
    }
}

static void add_trials(struct bench *bench, size_t run, int count, double p50_ns, double bytes_per_s,
                       enum distance distance)
{
    add_trials_of(bench, run, CASES, count, p50_ns, bytes_per_s, distance);
}

static struct json_node *compare(struct bench *bench, size_t base, double max_slower)
{
    struct err err;
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    for (size_t i = 0; i < 2; i++) {
        int64_t id = bench->runs[i].id;
        store_run_fini(&bench->runs[i]);
        cr_assert(zero(int, store_run_get(bench->store, id, &bench->runs[i], &err)), "%s", err.text);
    }
    const struct compare_request request = {.base = &bench->runs[base],
                                            .against = &bench->runs[1 - base],
                                            .against_count = 1,
                                            .statistic = -1,
                                            .max_slower = max_slower};
    cr_assert(zero(int, compare_runs_write(bench->store, &request, &text, &err)), "%s", err.text);
    struct json_node *document = json_parse(text_string(&text), text.length, &err);
    cr_assert(ne(ptr, document, NULL), "%s", err.text);
    return document;
}

static const struct json_node *verdict_of(const struct json_node *document, const char *mechanism)
{
    const struct json_node *verdict = json_first(json_member(document, "verdicts"));
    while (verdict != NULL && strcmp(json_string_or(json_member(verdict, "mechanism"), ""), mechanism) != 0)
        verdict = json_next(verdict);
    cr_assert(ne(ptr, (void *)(uintptr_t)verdict, NULL), "no verdict for %s", mechanism);
    return verdict;
}

static void expect_word(const struct json_node *node, const char *name, const char *word)
{
    cr_expect(eq(str, (char *)(uintptr_t)json_string_or(json_member(node, name), "(none)"),
                 (char *)(uintptr_t)word));
}

Test(compare_runs, a_longer_latency_and_a_lower_throughput_are_both_slower)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    add_trials(&bench, 0, 10, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 10, 7200, 1.6e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *there = compare(&bench, 0, NAN);
    expect_word(verdict_of(there, "pipe"), "verdict", "slower");
    expect_word(verdict_of(there, "pipe"), "statistic", "p50");
    expect_word(verdict_of(there, "tcp"), "verdict", "slower");
    expect_word(verdict_of(there, "tcp"), "statistic", "bytes_per_s");
    cr_expect(
        epsilon_eq(dbl, json_number_or(json_member(verdict_of(there, "pipe"), "ratio"), 0), 1.2, 0.001));
    cr_expect(epsilon_eq(dbl, json_number_or(json_member(verdict_of(there, "tcp"), "ratio"), 0), 0.8, 0.001));
    AUTO(json_cleanup) struct json_node *back = compare(&bench, 1, NAN);
    expect_word(verdict_of(back, "pipe"), "verdict", "faster");
    expect_word(verdict_of(back, "tcp"), "verdict", "faster");
}

Test(compare_runs, the_gate_lets_pass_what_is_within_the_limit_and_stops_what_is_not)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    add_trials(&bench, 0, 10, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 10, 6600, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *strict = compare(&bench, 0, 0.05);
    expect_word(strict, "gate", "regression");
    expect_word(strict, "correction", "holm");
    AUTO(json_cleanup) struct json_node *lenient = compare(&bench, 0, 0.2);
    expect_word(lenient, "gate", "pass");
    AUTO(json_cleanup) struct json_node *back = compare(&bench, 1, 0.05);
    expect_word(back, "gate", "pass");
}

Test(compare_runs, equal_figures_are_the_same_and_too_few_are_inconclusive)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    add_trials(&bench, 0, 10, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 10, 6010, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *document = compare(&bench, 0, NAN);
    expect_word(verdict_of(document, "pipe"), "verdict", "same");

    AUTO(bench_fini) struct bench few;
    bench_init(&few);
    add_trials(&few, 0, 3, 6000, 2e9, DISTANCE_C);
    add_trials(&few, 1, 3, 9000, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *unsure = compare(&few, 0, 0.05);
    expect_word(verdict_of(unsure, "pipe"), "verdict", "inconclusive");
    expect_word(unsure, "gate", "inconclusive");
}

Test(compare_runs, only_trials_of_equal_distance_are_compared)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    add_trials(&bench, 0, 8, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 8, 60000, 2e8, DISTANCE_X);
    AUTO(json_cleanup) struct json_node *apart = compare(&bench, 0, 0.05);
    expect_word(verdict_of(apart, "pipe"), "verdict", "not_comparable");
    expect_word(apart, "gate", "not_comparable");
}

/* It will be taken on this machine, or not at all: until then nothing tells the two apart. */
Test(compare_runs, a_run_that_has_not_begun_is_on_no_other_machine)
{
    AUTO(bench_fini) struct bench bench;
    bench_init_bare(&bench, (const char *const[2]){NULL, NULL});
    put_on_machine(&bench, bench.runs[0].id);
    add_trials(&bench, 0, 8, 6000, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *waiting = compare(&bench, 0, 0.05);
    cr_expect(json_boolean_or(json_member(waiting, "comparable"), false));
    expect_word(waiting, "gate", "nothing_measured");
    add_trials(&bench, 1, 8, 6000, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *unknown = compare(&bench, 0, 0.05);
    cr_expect(json_is(json_member(unknown, "comparable"), JSON_NULL));
}

Test(compare_runs, two_runs_of_no_known_machine_pass_no_gate)
{
    AUTO(bench_fini) struct bench bench;
    bench_init_bare(&bench, (const char *const[2]){NULL, NULL});
    add_trials(&bench, 0, 10, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 10, 6000, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *document = compare(&bench, 0, 0.05);
    cr_expect(json_is(json_member(document, "comparable"), JSON_NULL));
    expect_word(document, "gate", "not_comparable");
    expect_word(verdict_of(document, "pipe"), "verdict", "same");
}

Test(compare_runs, another_isolation_can_be_looked_at_but_passes_no_gate)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    struct err err;
    add_trials(&bench, 0, 10, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 10, 6000, 2e9, DISTANCE_C);
    const struct store_run_change change = {.state = RUN_DONE, .isolation = "{\"cage\":\"reduced\"}"};
    cr_assert(zero(int, store_run_change(bench.store, bench.runs[1].id, &change, &err)), "%s", err.text);
    AUTO(json_cleanup) struct json_node *document = compare(&bench, 0, 0.05);
    expect_word(document, "gate", "not_comparable");
    cr_expect(not(json_boolean_or(json_member(document, "comparable"), true)));
    expect_word(verdict_of(document, "pipe"), "verdict", "same");
}

static double number_of(const struct json_node *node, const char *name)
{
    return json_number_or(json_member(node, name), NAN);
}

Test(compare_runs, a_regression_counts_whatever_keeps_the_other_cases_open)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    add_trials(&bench, 0, 10, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 10, 6000, 1e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *document = compare(&bench, 0, 0.05);
    expect_word(document, "gate", "regression");
    expect_word(document, "gate_reason", "tcp, stream of 65536 bytes: slower by 100.0 %, the limit is 5.0 %");
}

/* Its next trials may say otherwise. */
Test(compare_runs, a_run_that_goes_on_passes_no_gate)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    struct err err;
    add_trials(&bench, 0, 10, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 10, 6000, 2e9, DISTANCE_C);
    const struct store_run_change change = {.state = RUN_RUNNING};
    cr_assert(zero(int, store_run_change(bench.store, bench.runs[1].id, &change, &err)), "%s", err.text);
    AUTO(json_cleanup) struct json_node *document = compare(&bench, 0, 0.05);
    expect_word(document, "gate", "inconclusive");
    expect_word(document, "gate_reason", "run 2 goes on: wait for its end");
    expect_word(verdict_of(document, "pipe"), "verdict", "same");
}

/* A mechanism that no longer works is slower than any limit. */
Test(compare_runs, a_case_that_failed_in_every_trial_passes_no_gate)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    add_trials(&bench, 0, 10, 6000, 2e9, DISTANCE_C);
    add_trials_of(&bench, 1, 1, 10, 6000, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *document = compare(&bench, 0, 0.05);
    expect_word(verdict_of(document, "pipe"), "verdict", "same");
    expect_word(document, "gate", "nothing_measured");
    expect_word(document, "gate_reason", "tcp, stream of 65536 bytes: run 1 measured it, run 2 did not");
    AUTO(json_cleanup) struct json_node *back = compare(&bench, 1, 0.05);
    expect_word(back, "gate", "pass");
}

Test(compare_runs, inconclusive_says_how_many_trials_it_would_take)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    add_trials(&bench, 0, 3, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 3, 9000, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *few = compare(&bench, 0, NAN);
    cr_expect(epsilon_eq(dbl, number_of(verdict_of(few, "pipe"), "trials_needed"), 5, 0),
              "of two tests p has to be below 0.025");
    AUTO(json_cleanup) struct json_node *gated = compare(&bench, 0, 0.05);
    expect_word(gated, "gate", "inconclusive");
    cr_expect(epsilon_eq(dbl, number_of(gated, "trials_needed"), 8, 0));
}

/* Of eight trials one may have been at another core distance: to say eight once more would be no help. */
Test(compare_runs, a_gate_with_too_few_trials_asks_for_what_decides_it)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    add_trials(&bench, 0, 7, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 7, 6000, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *gated = compare(&bench, 0, 0.003);
    expect_word(gated, "gate", "inconclusive");
    expect_word(
        gated, "gate_reason",
        "pipe, round_trip of 64 bytes: 7 and 7 trials of equal core distance, a gate wants 8 of each");
    cr_expect(gt(dbl, number_of(gated, "trials_needed"), 8));
}

Test(compare_runs, runs_that_verify_otherwise_are_shown_and_not_judged)
{
    AUTO(bench_fini) struct bench bench;
    bench_init_with(&bench,
                    (const char *const[2]){"{\"verify\":\"none\",\"duration_ms\":250,\"warmup_ms\":50}",
                                           "{\"verify\":\"full\",\"duration_ms\":250,\"warmup_ms\":50}"});
    add_trials(&bench, 0, 10, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 10, 7200, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *document = compare(&bench, 0, 0.05);
    const struct json_node *verdict = verdict_of(document, "pipe");
    expect_word(verdict, "verdict", "not_comparable");
    expect_word(verdict, "reason", "verify");
    cr_expect(epsilon_eq(dbl, number_of(verdict, "ratio"), 1.2, 0.001));
    cr_expect(isnan(number_of(verdict, "p_adjusted")));
    expect_word(document, "gate", "not_comparable");
    const struct json_node *difference = json_first(json_member(document, "experiment_differences"));
    expect_word(difference, "field", "verify");
    expect_word(difference, "base_value", "none");
    expect_word(difference, "against_value", "full");
    cr_expect(eq(ptr, (void *)(uintptr_t)json_next(difference), NULL));
}

static struct json_node *compare_by(struct bench *bench, int statistic)
{
    struct err err;
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    json_free(compare(bench, 0, NAN)); /* reads the runs again */
    const struct compare_request request = {.base = &bench->runs[0],
                                            .against = &bench->runs[1],
                                            .against_count = 1,
                                            .statistic = statistic,
                                            .max_slower = NAN};
    cr_assert(zero(int, compare_runs_write(bench->store, &request, &text, &err)), "%s", err.text);
    return json_parse(text_string(&text), text.length, &err);
}

Test(compare_runs, longer_trials_are_compared_by_all_but_their_extremes)
{
    AUTO(bench_fini) struct bench bench;
    bench_init_with(&bench,
                    (const char *const[2]){"{\"verify\":\"header\",\"duration_ms\":250,\"warmup_ms\":50}",
                                           "{\"verify\":\"header\",\"duration_ms\":500,\"warmup_ms\":60}"});
    add_trials(&bench, 0, 10, 6000, 2e9, DISTANCE_C);
    add_trials(&bench, 1, 10, 7200, 2e9, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *median = compare_by(&bench, STATISTIC_P50);
    expect_word(verdict_of(median, "pipe"), "verdict", "slower");
    const struct json_node *difference = json_first(json_member(median, "experiment_differences"));
    expect_word(difference, "field", "duration_ms");
    expect_word(json_next(difference), "field", "warmup_ms");
    AUTO(json_cleanup) struct json_node *extreme = compare_by(&bench, STATISTIC_MAX);
    expect_word(verdict_of(extreme, "pipe"), "verdict", "not_comparable");
    expect_word(verdict_of(extreme, "pipe"), "reason", "duration_ms");
}
