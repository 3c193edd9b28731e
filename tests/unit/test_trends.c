/* One experiment over many runs: a series for each case and distance, and where it moved. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "server/analysis/trends.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

enum { TRIALS = 2 * ARCHIVE_CASES };

struct bench {
    struct scratch scratch;
    struct store *store;
    int64_t machine_id;
};

static void bench_init(struct bench *bench)
{
    struct err err;
    struct store_machine machine = {
        .comparable = "alike", .full = "machine", .facts = (char *)(uintptr_t) "{}"};
    scratch_init(&bench->scratch);
    cr_assert(zero(int, store_open(bench->scratch.path, &bench->store, &err)), "%s", err.text);
    cr_assert(zero(int, store_machine_put(bench->store, &machine, &bench->machine_id, &err)), "%s", err.text);
}

static void bench_fini(struct bench *bench)
{
    store_close(bench->store);
    scratch_fini(&bench->scratch);
}

static int64_t take(struct bench *bench, double p50_ns, enum distance distance)
{
    struct err err;
    int64_t id = archive_add_run(bench->store, "trend", &err);
    cr_assert(gt(i64, id, 0), "%s", err.text);
    const struct store_run_change start = {
        .state = RUN_RUNNING, .started_ms = 1, .machine_id = bench->machine_id};
    const struct store_run_change end = {.state = RUN_DONE, .finished_ms = 2};
    cr_assert(zero(int, store_run_change(bench->store, id, &start, &err)), "%s", err.text);
    for (int i = 0; i < TRIALS; i++) {
        AUTO(store_trial_fini) struct store_trial trial = archive_trial(id, i, 10);
        trial.latency_p50_ns = p50_ns * (1 + 0.001 * (double)(id % 7));
        trial.distance = (int)distance;
        cr_assert(
            zero(int, store_trial_insert(bench->store, &trial, true, i == TRIALS - 1 ? &end : NULL, &err)),
            "%s", err.text);
    }
    return id;
}

static struct json_node *ask(struct bench *bench, const char *mechanism, int64_t before_id, size_t limit)
{
    struct err err;
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    const struct trends_request request = {
        .series = {"00112233445566778899aabbccddeeff", "machine", before_id, limit},
        .statistic = -1,
        .mechanism = mechanism,
        .pattern = -1};
    cr_assert(zero(int, trends_write(bench->store, &request, &text, &err)), "%s", err.text);
    struct json_node *document = json_parse(text_string(&text), text.length, &err);
    cr_assert(ne(ptr, document, NULL), "%s", err.text);
    return document;
}

static size_t count_of(const struct json_node *array)
{
    size_t count = 0;
    for (const struct json_node *node = json_first(array); node != NULL; node = json_next(node))
        count++;
    return count;
}

static double number_of(const struct json_node *node, const char *name)
{
    return json_number_or(json_member(node, name), NAN);
}

Test(trends, a_step_is_found_at_the_run_that_made_it)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    for (int i = 0; i < 12; i++)
        take(&bench, 6000, DISTANCE_C);
    int64_t step = take(&bench, 7200, DISTANCE_C);
    for (int i = 0; i < 5; i++)
        take(&bench, 7200, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *document = ask(&bench, "pipe", 0, 100);
    const struct json_node *series = json_first(json_member(document, "series"));
    cr_assert(eq(sz, count_of(json_member(document, "series")), 1));
    cr_expect(eq(sz, count_of(json_member(series, "points")), 18));
    cr_assert(eq(sz, count_of(json_member(series, "change_points")), 1));
    const struct json_node *point = json_first(json_member(series, "change_points"));
    cr_expect(eq(i64, (int64_t)number_of(point, "run"), step));
    cr_expect(eq(i64, (int64_t)number_of(point, "previous_run"), step - 1));
    cr_expect(epsilon_eq(dbl, number_of(point, "ratio"), 1.2, 0.005));
    cr_expect(lt(dbl, number_of(point, "p"), 0.001));
}

Test(trends, another_distance_is_another_series_and_a_move_is_in_none)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    take(&bench, 6000, DISTANCE_C);
    take(&bench, 60000, DISTANCE_X);
    take(&bench, 6000, DISTANCE_MIXED);
    take(&bench, 6000, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *document = ask(&bench, NULL, 0, 100);
    cr_expect(eq(sz, count_of(json_member(document, "series")), 2 * ARCHIVE_CASES));
    const struct json_node *first = json_first(json_member(document, "series"));
    cr_expect(eq(str, (char *)(uintptr_t)json_string_or(json_member(first, "distance"), ""), "C"));
    cr_expect(eq(sz, count_of(json_member(first, "points")), 2));
    cr_expect(eq(sz, count_of(json_member(first, "change_points")), 0));
}

Test(trends, pages_go_back_in_time)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    int64_t first = take(&bench, 6000, DISTANCE_C);
    for (int i = 0; i < 4; i++)
        take(&bench, 6000, DISTANCE_C);
    AUTO(json_cleanup) struct json_node *newest = ask(&bench, "pipe", 0, 3);
    const char *cursor = json_string_or(json_member(newest, "next_cursor"), "");
    cr_expect(epsilon_eq(dbl, number_of(newest, "runs"), 3, 0));
    AUTO(json_cleanup) struct json_node *oldest = ask(&bench, "pipe", strtoll(cursor, NULL, 10), 3);
    cr_expect(epsilon_eq(dbl, number_of(oldest, "runs"), 2, 0));
    const struct json_node *series = json_first(json_member(oldest, "series"));
    cr_expect(eq(i64, (int64_t)number_of(json_first(json_member(series, "points")), "run"), first));
    cr_expect(json_is(json_member(oldest, "next_cursor"), JSON_NULL));
}

Test(trends, what_was_taken_more_than_once_is_listed)
{
    AUTO(bench_fini) struct bench bench;
    bench_init(&bench);
    struct err err;
    AUTO(text_fini) struct text before = TEXT_EMPTY, after = TEXT_EMPTY;
    take(&bench, 6000, DISTANCE_C);
    cr_assert(zero(int, trends_write_experiments(bench.store, 0, 10, &before, &err)), "%s", err.text);
    cr_expect(eq(str, (char *)(uintptr_t)text_string(&before), "{\"experiments\":[],\"next_cursor\":null}"));
    int64_t last = take(&bench, 6000, DISTANCE_C);
    cr_assert(zero(int, trends_write_experiments(bench.store, 0, 10, &after, &err)), "%s", err.text);
    AUTO(json_cleanup) struct json_node *document = json_parse(text_string(&after), after.length, &err);
    const struct json_node *one = json_first(json_member(document, "experiments"));
    cr_expect(epsilon_eq(dbl, number_of(one, "runs"), 2, 0));
    cr_expect(eq(i64, (int64_t)number_of(one, "last_run"), last));
}
