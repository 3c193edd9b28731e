/* From archived trials to a case's figures. */
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "db/store.h"
#include "server/analysis/results.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

static struct scratch scratch;
static struct store *store;
static struct err err;
static int64_t run_id;
static int64_t sequence;

static void setup(void)
{
    scratch_init(&scratch);
    cr_assert(zero(int, store_open(scratch.path, &store, &err)), "%s", err.text);
    run_id = archive_add_run(store, "results", &err);
    cr_assert(gt(i64, run_id, 0), "%s", err.text);
    const struct store_run_change begin = {
        .state = RUN_RUNNING,
        .started_ms = 1,
        .overhead = "{\"clock_ns\":20,\"histogram_ns\":2,\"verify_header_ns\":4,"
                    "\"verify_full_ns_per_kib\":100,\"loop_ns\":30}",
    };
    cr_assert(zero(int, store_run_change(store, run_id, &begin, &err)), "%s", err.text);
}

static void teardown(void)
{
    store_close(store);
    scratch_fini(&scratch);
}

TestSuite(results, .init = setup, .fini = teardown);

/* Of case 0, a round trip of 64 bytes. */
static void add_trial(int distance, double p50_ns, uint64_t batch)
{
    AUTO(store_trial_fini) struct store_trial trial = archive_trial(run_id, sequence++, 10);
    trial.case_number = 0;
    trial.distance = distance;
    trial.latency_p50_ns = p50_ns;
    trial.batch = batch;
    cr_assert(zero(int, store_trial_insert(store, &trial, true, NULL, &err)), "%s", err.text);
}

static struct json_node *case_json(void)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    cr_assert(zero(int, results_write_case(store, run_id, 0, &text, &err)), "%s", err.text);
    struct json_node *node = json_parse(text_string(&text), text.length, &err);
    cr_assert(ne(ptr, node, NULL), "%s", err.text);
    return node;
}

static double p50_of(const struct json_node *node)
{
    const struct json_node *p50 = json_member(json_member(node, "latency_ns"), "p50");
    return json_number_or(json_member(p50, "value"), NAN);
}

Test(results, trials_of_one_distance_are_one_class)
{
    for (int i = 0; i < 3; i++)
        add_trial(DISTANCE_C, 1000 + i, 1);
    AUTO(json_cleanup) struct json_node *node = case_json();
    cr_expect(zero(sz, json_count(json_member(node, "by_distance"))));
    cr_expect(epsilon_eq(dbl, p50_of(node), 1001, 0));
}

Test(results, trials_that_differ_in_distance_are_summed_up_by_class_too)
{
    /* One after the other, as they come: the classes must not borrow values from each other. */
    static const int distances[] = {DISTANCE_X, DISTANCE_C, DISTANCE_X, -1, DISTANCE_C, DISTANCE_X};
    static const double p50s_ns[] = {400, 100, 500, 50, 120, 450};
    for (size_t i = 0; i < 6; i++)
        add_trial(distances[i], p50s_ns[i], 1);
    AUTO(json_cleanup) struct json_node *node = case_json();
    cr_expect(eq(str, (char *)json_string_or(json_member(node, "distance"), ""), "mixed"));
    cr_expect(eq(i64, json_integer_or(json_member(node, "trials"), 0), 6));
    const struct json_node *classes = json_member(node, "by_distance");
    cr_assert(eq(sz, json_count(classes), 3));
    static const struct {
        const char *distance;
        int64_t trials;
        double p50_ns;
    } expected[] = {{"", 1, 50}, {"C", 2, 110}, {"X", 3, 450}};
    const struct json_node *one = json_first(classes);
    for (size_t i = 0; i < 3; i++, one = json_next(one)) {
        cr_expect(
            eq(str, (char *)json_string_or(json_member(one, "distance"), ""), (char *)expected[i].distance));
        cr_expect(eq(i64, json_integer_or(json_member(one, "trials"), 0), expected[i].trials));
        cr_expect(epsilon_eq(dbl, p50_of(one), expected[i].p50_ns, 1e-9));
    }
}

/* The run of the archive names no verification, so it is the header's: 1.5 pairs of 4 ns. */
Test(results, a_batch_shares_the_clock)
{
    add_trial(DISTANCE_C, 100, 1);
    AUTO(json_cleanup) struct json_node *alone = case_json();
    cr_expect(epsilon_eq(dbl, json_number_or(json_member(alone, "overhead_share"), NAN), 0.28, 1e-9));
    add_trial(DISTANCE_C, 100, 11);
    AUTO(json_cleanup) struct json_node *batched = case_json();
    cr_expect(epsilon_eq(dbl, json_number_or(json_member(batched, "overhead_share"), NAN), 0.08, 1e-9));
}
