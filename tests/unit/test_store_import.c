/* Runs from elsewhere: nobody sees one before it is whole, and it is then what it was. Retention: what goes,
 * what stays, and that it goes in portions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "db/store.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

static struct scratch scratch;
static struct store *store;
static struct err err;

enum { TRIALS = 4, SAMPLES = 50, DAY_MS = 86400000 };
#define CREATED_MS INT64_C(1700000000000)

static void setup(void)
{
    scratch_init(&scratch);
    cr_assert(eq(int, store_open(scratch.path, &store, &err), 0), "%s", err.text);
}

static void teardown(void)
{
    store_close(store);
    scratch_fini(&scratch);
}

TestSuite(store_import, .init = setup, .fini = teardown);
TestSuite(store_retention, .init = setup, .fini = teardown);

static const struct store_machine machine = {
    .comparable = "c0", .full = "f0", .facts = (char *)(uintptr_t) "{\"kernel\":\"6.1\"}"};

static struct store_run foreign_run(void)
{
    struct store_run run = archive_run("from elsewhere");
    run.state = RUN_DONE;
    run.started_ms = CREATED_MS + 1;
    run.finished_ms = CREATED_MS + 2;
    return run;
}

static int64_t begin(const struct store_run *run)
{
    int64_t id = 0;
    cr_assert(eq(int, store_import_begin(store, run, &machine, archive_cases, ARCHIVE_CASES, &id, &err), 0),
              "%s", err.text);
    return id;
}

static int add_trials(int64_t id, int64_t first, size_t count, size_t *at)
{
    struct store_trial trials[TRIALS];
    for (size_t i = 0; i < count; i++)
        trials[i] = archive_trial(7, first + (int64_t)i, SAMPLES);
    int rc = store_import_trials(store, id, trials, count, at, &err);
    for (size_t i = 0; i < count; i++)
        store_trial_fini(&trials[i]);
    return rc;
}

static void import_all(const struct store_run *run, int64_t *id)
{
    size_t at = 0;
    *id = begin(run);
    cr_assert(eq(int, add_trials(*id, 0, TRIALS, &at), 0), "%s", err.text);
    cr_assert(eq(int, store_import_finish(store, *id, run, CREATED_MS + DAY_MS, &err), 0), "%s", err.text);
}

static size_t count_listed(void)
{
    static struct store_run_list list;
    const struct store_run_query query = {.limit = STORE_LIST_MAX, .state = -1};
    cr_assert(eq(int, store_run_list(store, &query, &list, &err), 0), "%s", err.text);
    size_t count = list.count;
    store_run_list_fini(&list);
    return count;
}

struct kept {
    size_t trials, histograms, series;
};

static int count_kept(void *context, const struct store_trial *trial)
{
    struct kept *kept = context;
    kept->trials++;
    kept->histograms += trial->histogram.length > 0;
    kept->series += trial->series.length > 0;
    return 0;
}

static struct kept kept_of(int64_t id)
{
    struct kept kept = {0};
    cr_assert(eq(int,
                 store_trial_each(store, id, 0, 0, STORE_TRIAL_HISTOGRAM | STORE_TRIAL_SERIES, count_kept,
                                  &kept, &err),
                 0),
              "%s", err.text);
    return kept;
}

Test(store_import, is_invisible_until_it_is_complete)
{
    struct store_run run = foreign_run(), seen;
    size_t at = 0;
    int64_t id = begin(&run), found = 0;
    const struct store_run_patch patch = {.note = "changed", .pinned = -1};
    cr_assert(eq(int, add_trials(id, 0, TRIALS, &at), 0), "%s", err.text);
    cr_expect(eq(sz, count_listed(), 0));
    cr_expect(eq(int, store_run_get(store, id, &seen, &err), -ENOENT));
    cr_expect(eq(int, store_run_find(store, run.uid, &found, &err), -ENOENT));
    cr_expect(eq(int, store_run_patch(store, id, 0, &patch, &err), -ENOENT));
    cr_expect(eq(int, store_run_set_deleted(store, id, 0, &err), -ENOENT),
              "it must not be restored into view");
    archive_must_be_whole(store);

    cr_assert(eq(int, store_import_finish(store, id, &run, CREATED_MS + DAY_MS, &err), 0), "%s", err.text);
    cr_expect(eq(sz, count_listed(), 1));
    cr_assert(eq(int, store_run_get(store, id, &seen, &err), 0), "%s", err.text);
    cr_expect(eq(str, seen.uid, run.uid));
    cr_expect(eq(int, seen.state, RUN_DONE));
    cr_expect(eq(i64, seen.imported_ms, CREATED_MS + DAY_MS));
    cr_expect(eq(i64, seen.created_ms, run.created_ms));
    cr_expect(eq(i64, seen.deleted_ms, 0));
    cr_expect(eq(i64, seen.trials_done, TRIALS));
    cr_expect(eq(i64, seen.rev, 1));
    cr_expect(eq(str, seen.machine_full, "f0"));
    store_run_fini(&seen);
    archive_must_be_whole(store);
}

Test(store_import, of_the_same_run_twice_ends_at_the_second_finish)
{
    struct store_run run = foreign_run();
    int64_t first, found = 0;
    int64_t second = begin(&run);
    import_all(&run, &first);
    cr_expect(eq(int, store_import_finish(store, second, &run, 1, &err), -EEXIST));
    cr_assert(eq(int, store_run_find(store, run.uid, &found, &err), 0), "%s", err.text);
    cr_expect(eq(i64, found, first));
}

Test(store_import, refuses_a_portion_whole_and_names_the_trial)
{
    struct store_run run = foreign_run();
    size_t at = 0;
    int64_t id = begin(&run);
    cr_assert(eq(int, add_trials(id, 2, 1, &at), 0), "%s", err.text);
    cr_expect(eq(int, add_trials(id, 0, TRIALS, &at), -EEXIST));
    cr_expect(eq(sz, at, 2));
    cr_expect(eq(sz, kept_of(id).trials, 1));
    archive_must_be_whole(store);
}

static void retain_all(const struct store_retention *retention, struct store_retention_place *place)
{
    int rc;
    while ((rc = store_retain(store, retention, place, &err)) > 0)
        ;
    cr_assert(eq(int, rc, 0), "%s", err.text);
}

Test(store_import, what_was_given_up_is_removed_and_nothing_else)
{
    struct store_run run = foreign_run(), seen;
    struct store_retention_place place = {0};
    const struct store_retention nothing = {.now_ms = CREATED_MS};
    size_t at = 0;
    int64_t whole, given_up = begin(&run), under_way = begin(&run);
    import_all(&run, &whole);
    cr_assert(eq(int, add_trials(given_up, 0, TRIALS, &at), 0), "%s", err.text);
    cr_assert(eq(int, add_trials(under_way, 0, TRIALS, &at), 0), "%s", err.text);
    cr_assert(eq(int, store_import_abandon(store, given_up, &err), 0), "%s", err.text);
    retain_all(&nothing, &place);
    cr_expect(eq(sz, kept_of(given_up).trials, 0));
    cr_expect(eq(sz, kept_of(under_way).trials, TRIALS));
    cr_expect(eq(sz, kept_of(whole).trials, TRIALS));

    /* The next server finds one that nobody goes on with. */
    cr_assert(eq(int, store_import_recover(store, &err), 0), "%s", err.text);
    place = (struct store_retention_place){0};
    retain_all(&nothing, &place);
    cr_expect(eq(sz, kept_of(under_way).trials, 0));
    cr_assert(eq(int, store_run_get(store, whole, &seen, &err), 0), "%s", err.text);
    store_run_fini(&seen);
    archive_must_be_whole(store);
}

/* A run of this archive that is over, made at created_ms. */
static int64_t add_run(int64_t created_ms, int64_t trials)
{
    struct store_run run = archive_run("old");
    struct store_run_change start = {.state = RUN_RUNNING, .started_ms = created_ms};
    struct store_run_change end = {.state = RUN_DONE, .finished_ms = created_ms};
    run.created_ms = created_ms;
    run.trials_total = trials;
    cr_assert(eq(int, store_run_insert(store, &run, archive_cases, ARCHIVE_CASES, NULL, &err), 0), "%s",
              err.text);
    cr_assert(eq(int, store_run_change(store, run.id, &start, &err), 0), "%s", err.text);
    for (int64_t i = 0; i < trials; i++) {
        AUTO(store_trial_fini) struct store_trial trial = archive_trial(run.id, i, SAMPLES);
        cr_assert(eq(int, store_trial_insert(store, &trial, true, i == trials - 1 ? &end : NULL, &err), 0),
                  "%s", err.text);
    }
    return run.id;
}

static struct store_run get_run(int64_t id)
{
    struct store_run run;
    cr_assert(eq(int, store_run_get(store, id, &run, &err), 0), "%s", err.text);
    return run;
}

Test(store_retention, drops_by_age_and_spares_what_is_pinned)
{
    const struct store_run_patch pin = {.pinned = 1};
    int64_t old = add_run(CREATED_MS, 2);
    int64_t recent = add_run(CREATED_MS + 10 * (int64_t)DAY_MS, 2);
    int64_t pinned = add_run(CREATED_MS, 2);
    cr_assert(eq(int, store_run_patch(store, pinned, 0, &pin, &err), 0), "%s", err.text);
    const struct store_retention retention = {.now_ms = CREATED_MS + 11 * (int64_t)DAY_MS,
                                              .before_ms[STORE_RETAIN_SERIES] =
                                                  CREATED_MS + 5 * (int64_t)DAY_MS};
    struct store_retention_place place = {0};
    retain_all(&retention, &place);
    cr_expect(eq(i64, place.finished[STORE_RETAIN_SERIES], 1));
    cr_expect(eq(sz, kept_of(old).series, 0));
    cr_expect(eq(sz, kept_of(old).histograms, 2));
    cr_expect(eq(sz, kept_of(old).trials, 2));
    cr_expect(eq(sz, kept_of(recent).series, 2));
    cr_expect(eq(sz, kept_of(pinned).series, 2));
    AUTO(store_run_fini) struct store_run run = get_run(old);
    cr_expect(eq(i64, run.series_dropped_ms, retention.now_ms));
    cr_expect(eq(i64, run.histograms_dropped_ms, 0));

    /* Done is done: nothing is left to look through. */
    place = (struct store_retention_place){0};
    retain_all(&retention, &place);
    cr_expect(eq(i64, place.finished[STORE_RETAIN_SERIES], 0));
    archive_must_be_whole(store);
}

Test(store_retention, an_imported_run_ages_from_its_arrival)
{
    struct store_run run = foreign_run();
    struct store_retention_place place = {0};
    const struct store_retention retention = {.now_ms = CREATED_MS + 2 * (int64_t)DAY_MS,
                                              .before_ms[STORE_RETAIN_SERIES] = CREATED_MS + DAY_MS / 2,
                                              .before_ms[STORE_RETAIN_HISTOGRAMS] = CREATED_MS + DAY_MS / 2};
    int64_t id;
    import_all(&run, &id);
    retain_all(&retention, &place);
    cr_expect(eq(sz, kept_of(id).series, TRIALS));
    cr_expect(eq(sz, kept_of(id).histograms, TRIALS));
}

Test(store_retention, purges_deleted_runs_in_portions)
{
    enum { MANY = 130 };
    int64_t gone = add_run(CREATED_MS, MANY), kept = add_run(CREATED_MS, 1);
    cr_assert(eq(int, store_run_set_deleted(store, gone, CREATED_MS + DAY_MS, &err), 0), "%s", err.text);
    cr_assert(eq(int, store_run_set_deleted(store, kept, CREATED_MS + 3 * (int64_t)DAY_MS, &err), 0), "%s",
              err.text);
    const struct store_retention retention = {.now_ms = CREATED_MS + 4 * (int64_t)DAY_MS,
                                              .before_ms[STORE_RETAIN_DELETED] =
                                                  CREATED_MS + 2 * (int64_t)DAY_MS};
    struct store_retention_place place = {0};
    size_t portions = 0, before = kept_of(gone).trials;
    cr_assert(eq(sz, before, MANY));
    for (int rc = 1; rc > 0; portions++) {
        rc = store_retain(store, &retention, &place, &err);
        cr_assert(ge(int, rc, 0), "%s", err.text);
        size_t left = kept_of(gone).trials;
        cr_expect(le(sz, before - left, 50), "one portion took %zu trials", before - left);
        before = left;
    }
    struct store_run run;
    cr_expect(eq(int, store_run_get(store, gone, &run, &err), -ENOENT));
    cr_expect(eq(i64, place.finished[STORE_RETAIN_DELETED], 1));
    run = get_run(kept);
    store_run_fini(&run);
    archive_must_be_whole(store);
}

/* Half of a run cannot be restored, and is no damage. */
Test(store_retention, a_run_is_gone_from_its_first_portion_on)
{
    enum { MANY = 60 };
    int64_t gone = add_run(CREATED_MS, MANY), again;
    cr_assert(eq(int, store_run_set_deleted(store, gone, CREATED_MS, &err), 0), "%s", err.text);
    AUTO(store_run_fini) struct store_run run = get_run(gone);
    const struct store_retention retention = {.now_ms = CREATED_MS + DAY_MS,
                                              .before_ms[STORE_RETAIN_DELETED] = CREATED_MS + 1};
    struct store_retention_place place = {0};
    while (kept_of(gone).trials == MANY)
        cr_assert(eq(int, store_retain(store, &retention, &place, &err), 1), "%s", err.text);
    cr_expect(eq(int, store_run_set_deleted(store, gone, 0, &err), -ENOENT));
    archive_must_be_whole(store);

    /* It can come back from a bundle meanwhile, and the next server clears the rest away. */
    import_all(&run, &again);
    const struct store_retention nothing = {.now_ms = CREATED_MS + DAY_MS};
    place = (struct store_retention_place){0};
    retain_all(&nothing, &place);
    cr_expect(eq(sz, kept_of(gone).trials, 0));
    cr_expect(eq(sz, kept_of(again).trials, TRIALS));
    archive_must_be_whole(store);
}

Test(store_retention, spares_what_was_restored_before_its_first_portion)
{
    int64_t restored = add_run(CREATED_MS, 2);
    cr_assert(eq(int, store_run_set_deleted(store, restored, CREATED_MS, &err), 0), "%s", err.text);
    const struct store_retention retention = {.now_ms = CREATED_MS + DAY_MS,
                                              .before_ms[STORE_RETAIN_DELETED] = CREATED_MS + 1};
    struct store_retention_place place = {0};
    while (place.id != restored)
        cr_assert(eq(int, store_retain(store, &retention, &place, &err), 1), "%s", err.text);
    cr_assert(eq(int, store_run_set_deleted(store, restored, 0, &err), 0), "%s", err.text);
    retain_all(&retention, &place);
    cr_expect(eq(i64, place.finished[STORE_RETAIN_DELETED], 0));
    cr_expect(eq(sz, kept_of(restored).trials, 2));
}
