/* archive: how fast a full archive answers.
 *
 *     archive DIRECTORY                     10000 runs of 100 trials
 *     archive DIRECTORY RUNS TRIALS         fills it and asks nothing
 *
 * Fills DIRECTORY through the door when it holds no archive yet (some minutes, about 3 KB a trial), then asks
 * every kind of list, a run's trials and what is computed from them, and prints the median and the slowest of
 * REPEATS answers. Exits 1 when a list's median is above LIST_BUDGET_MS. Times are CPU time: after the first
 * answer everything is in memory, so that is what an answer costs the loop, and other programs on the machine
 * do not count.
 *
 * While filling, fsync does nothing: this program measures reading, and a million commits would otherwise
 * wait for the disk. The functions below stand in front of libc's for the whole program. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "db/store.h"
#include "server/analysis/compare_runs.h"
#include "server/analysis/results.h"
#include "server/analysis/trends.h"
#include "tests/support/archive.h"

enum {
    RUNS = 10000,
    TRIALS = 100,
    CASES = 10,
    EXPERIMENTS = 21,
    MACHINES = 3,
    MS_BETWEEN_RUNS = 600000,
    REPEATS = 21,
    SAMPLES = 4000,
    PAGE = 50,
};
#define LIST_BUDGET_MS 5.0
/* Hashes of machines, as fill makes them. */
#define FULL_0 "f0000000000000000000000000000000"
#define COMPARABLE_1 "c0000000000000000000000000000001"

int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

static void must(int rc, const struct err *err)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "archive: %s\n", err->text);
    exit(2);
}

/* ---- filling ---- */

/* A run is CASES sizes of one mechanism; every EXPERIMENTS-th run is of the same experiment, and from the
 * middle of the archive on everything takes a tenth longer, for the trends. */
static struct store_case cases[CASES + 1];

static void make_cases(void)
{
    for (int i = 0; i < CASES; i++) {
        cases[i] = archive_cases[0];
        cases[i].number = i;
        cases[i].key.message_bytes = INT64_C(1) << i;
    }
    cases[CASES] = archive_cases[1];
    cases[CASES].number = CASES;
}

/* Within 1 of a hundred, and the same in every archive. */
static double noise(int64_t number, int64_t trial)
{
    uint64_t bits = (uint64_t)(number * 1000003 + trial) * UINT64_C(0x9E3779B97F4A7C15);
    return 1 + (double)(bits >> 40) / (double)(1 << 24) / 100;
}

static void fill_run(struct store *store, int64_t number, int64_t runs, int64_t trials,
                     const int64_t *machines)
{
    char name[64], tags[64], experiment[64];
    struct err err;
    snprintf(name, sizeof name, "run number %lld", (long long)(number * 7919 % 10007));
    snprintf(tags, sizeof tags, "[\"nightly\",\"week-%lld\"]", (long long)(number % 52));
    struct store_run run = archive_run(name);
    snprintf(experiment, sizeof experiment, "{\"preset\":\"standard\",\"trials\":%lld}",
             (long long)(trials / CASES));
    run.tags = tags;
    run.experiment = experiment;
    run.trials_total = trials;
    run.created_ms += number * MS_BETWEEN_RUNS;
    snprintf(run.experiment_hash, sizeof run.experiment_hash, "%032lld", (long long)(number % EXPERIMENTS));
    /* One run in the whole archive has the last case's mechanism. */
    must(store_run_insert(store, &run, cases, number == 2 ? CASES + 1 : CASES, NULL, &err), &err);
    struct store_run_change start = {.state = RUN_RUNNING, .started_ms = run.created_ms};
    struct store_run_change end = {.state = number == 3 ? RUN_FAILED : RUN_DONE,
                                   .finished_ms = run.created_ms};
    start.machine_id = machines[number == 4 ? 0 : 1 + number % (MACHINES - 1)];
    must(store_run_change(store, run.id, &start, &err), &err);
    for (int64_t i = 0; i < trials; i++) {
        AUTO(store_trial_fini) struct store_trial trial = archive_trial(run.id, i, SAMPLES);
        trial.case_number = (int)(i % CASES);
        trial.latency_p50_ns = 6000 * noise(number, i) * (number < runs / 2 ? 1 : 1.1);
        must(store_trial_insert(store, &trial, true, i == trials - 1 ? &end : NULL, &err), &err);
    }
}

static void fill(struct store *store, int64_t runs, int64_t trials)
{
    int64_t machines[MACHINES];
    struct err err;
    make_cases();
    for (int i = 0; i < MACHINES; i++) {
        struct store_machine machine = {.facts = (char *)(uintptr_t) "{}"};
        snprintf(machine.comparable, sizeof machine.comparable, "c%031d", i);
        snprintf(machine.full, sizeof machine.full, "f%031d", i);
        must(store_machine_put(store, &machine, &machines[i], &err), &err);
    }
    for (int64_t i = 0; i < runs; i++) {
        fill_run(store, i, runs, trials, machines);
        if (i % 500 == 499)
            fprintf(stderr, "archive: %lld of %lld runs\n", (long long)(i + 1), (long long)runs);
    }
}

/* ---- asking ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median in milliseconds. */
static double report(const char *what, double *ms, size_t amount, const char *unit)
{
    qsort(ms, REPEATS, sizeof ms[0], compare_doubles);
    printf("%-40s %8.3f ms  (slowest %8.3f ms)  %zu %s\n", what, ms[REPEATS / 2], ms[REPEATS - 1], amount,
           unit);
    return ms[REPEATS / 2];
}

static double ms_since(int64_t start_ns)
{
    return (double)(clock_cpu_ns() - start_ns) / (double)NS_PER_MS;
}

static double time_list(struct store *store, const char *what, const struct store_run_query *query)
{
    AUTO_FREE struct store_run_list *list = calloc(1, sizeof *list);
    double ms[REPEATS];
    size_t rows = 0;
    struct err err;
    for (int i = 0; i < REPEATS; i++) {
        int64_t start_ns = clock_cpu_ns();
        must(store_run_list(store, query, list, &err), &err);
        ms[i] = ms_since(start_ns);
        rows = list->count;
        store_run_list_fini(list);
    }
    return report(what, ms, rows, "rows");
}

static int count_visit(void *context, const struct store_trial *trial)
{
    (void)trial;
    ++*(size_t *)context;
    return 0;
}

static void time_trials(struct store *store, const char *what, int64_t run_id, unsigned columns)
{
    double ms[REPEATS];
    size_t rows = 0;
    struct err err;
    for (int i = 0; i < REPEATS; i++) {
        rows = 0;
        int64_t start_ns = clock_cpu_ns();
        must(store_trial_each(store, run_id, 0, 0, columns, count_visit, &rows, &err), &err);
        ms[i] = ms_since(start_ns);
    }
    report(what, ms, rows, "rows");
}

/* ---- what is computed ---- */

enum { COMPARED = 9 };

struct computed {
    struct store *store;
    struct store_run runs[COMPARED]; /* the newest of one experiment on one machine */
};

static int write_results(const struct computed *computed, struct text *out, struct err *err)
{
    return results_write(computed->store, computed->runs[0].id, out, err);
}

static int write_comparison(const struct computed *computed, struct text *out, struct err *err)
{
    const struct compare_request request = {.base = &computed->runs[0],
                                            .against = &computed->runs[1],
                                            .against_count = COMPARED - 1,
                                            .statistic = -1,
                                            .max_slower = 0.05};
    return compare_runs_write(computed->store, &request, out, err);
}

static int write_trend_of(const struct computed *computed, size_t runs, struct text *out, struct err *err)
{
    const struct trends_request request = {
        .series = {computed->runs[0].experiment_hash, computed->runs[0].machine_full, 0, runs},
        .statistic = -1,
        .pattern = -1};
    return trends_write(computed->store, &request, out, err);
}

static int write_trend_50(const struct computed *computed, struct text *out, struct err *err)
{
    return write_trend_of(computed, 50, out, err);
}

static int write_trend(const struct computed *computed, struct text *out, struct err *err)
{
    return write_trend_of(computed, TRENDS_RUNS_MAX, out, err);
}

static int write_experiments(const struct computed *computed, struct text *out, struct err *err)
{
    return trends_write_experiments(computed->store, 0, PAGE, out, err);
}

static void read_runs(struct computed *computed, int64_t newest)
{
    struct err err;
    for (int i = 0; i < COMPARED; i++) {
        int64_t back = (int64_t)i * EXPERIMENTS * (MACHINES - 1);
        must(store_run_get(computed->store, newest > back ? newest - back : 1, &computed->runs[i], &err),
             &err);
    }
}

static void time_computed(struct store *store, int64_t newest)
{
    static const struct {
        const char *what;
        int (*write)(const struct computed *computed, struct text *out, struct err *err);
    } answers[] = {
        {"a run's results", write_results},
        {"1 run held against 8", write_comparison},
        {"a trend of 50 runs", write_trend_50},
        {"a trend of all its runs", write_trend},
        {"the experiments there are trends of", write_experiments},
    };
    struct computed computed = {.store = store};
    read_runs(&computed, newest);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        double ms[REPEATS];
        size_t bytes = 0;
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            AUTO(text_fini) struct text out = TEXT_EMPTY;
            struct err err;
            int64_t start_ns = clock_cpu_ns();
            must(answers[i].write(&computed, &out, &err), &err);
            ms[repeat] = ms_since(start_ns);
            bytes = out.length;
        }
        report(answers[i].what, ms, bytes, "bytes");
    }
    for (int i = 0; i < COMPARED; i++)
        store_run_fini(&computed.runs[i]);
}

/* The slowest median of the lists. */
static double time_lists(struct store *store)
{
    static const struct {
        const char *what;
        struct store_run_query query;
    } lists[] = {
        {"newest", {.state = -1}},
        {"newest, a page of 200", {.state = -1, .limit = STORE_LIST_MAX}},
        {"oldest", {.state = -1, .sort = STORE_SORT_OLDEST}},
        {"by name", {.state = -1, .sort = STORE_SORT_NAME}},
        {"state, one run", {.state = RUN_FAILED}},
        {"state, most runs", {.state = RUN_DONE}},
        {"mechanism, one run", {.state = -1, .mechanism = "tcp"}},
        {"mechanism, all runs", {.state = -1, .mechanism = "pipe"}},
        {"mechanism, all runs, by name", {.state = -1, .mechanism = "pipe", .sort = STORE_SORT_NAME}},
        {"tag, 1 in 52", {.state = -1, .tag = "week-7"}},
        {"tag, all runs", {.state = -1, .tag = "nightly"}},
        {"tag, no run, by name", {.state = -1, .tag = "none", .sort = STORE_SORT_NAME}},
        {"machine, one run", {.state = -1, .machine = FULL_0}},
        {"machine, half the runs", {.state = -1, .machine = COMPARABLE_1}},
        {"text, one run", {.state = -1, .text = "number 7919"}},
        {"text, no run", {.state = -1, .text = "nowhere"}},
        {"text, no run, by name", {.state = -1, .text = "nowhere", .sort = STORE_SORT_NAME}},
        {"since, no run", {.state = -1, .since_ms = INT64_MAX}},
        {"everything at once",
         {.state = RUN_DONE, .mechanism = "pipe", .tag = "nightly", .machine = COMPARABLE_1, .text = "zzz"}},
    };
    double slowest = 0;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct store_run_query query = lists[i].query;
        if (query.limit == 0)
            query.limit = PAGE;
        double ms = time_list(store, lists[i].what, &query);
        slowest = ms > slowest ? ms : slowest;
    }
    return slowest;
}

int main(int argc, char **argv)
{
    bool is_sized = argc == 4;
    if (argc != 2 && !is_sized) {
        fprintf(stderr, "usage: archive DIRECTORY [RUNS TRIALS]\n");
        return 2;
    }
    int64_t runs = is_sized ? strtoll(argv[2], NULL, 10) : RUNS;
    int64_t trials = is_sized ? strtoll(argv[3], NULL, 10) : TRIALS;
    struct store *store = NULL;
    struct store_run run;
    struct err err;
    must(store_open(argv[1], &store, &err), &err);
    if (store_run_get(store, 1, &run, NULL) == -ENOENT)
        fill(store, runs, trials);
    else
        store_run_fini(&run);
    if (is_sized) {
        store_close(store);
        return 0;
    }

    double slowest = time_lists(store);
    time_trials(store, "a run's trials", runs / 2, STORE_TRIAL_SUMMARY);
    time_trials(store, "a run's trials with their histograms", runs / 2, STORE_TRIAL_HISTOGRAM);
    time_computed(store, runs);
    store_close(store);
    printf("slowest list: %.3f ms, budget %.1f ms: %s\n", slowest, LIST_BUDGET_MS,
           slowest <= LIST_BUDGET_MS ? "ok" : "too slow");
    return slowest <= LIST_BUDGET_MS ? 0 : 1;
}
