/* Trials: every value comes back, the run's counters go with them, and damage shows. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/histogram.h"
#include "db/store.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

static struct scratch scratch;
static struct store *store;
static struct err err;
static int64_t run_id;

static void open_archive(void)
{
    cr_assert(eq(int, store_open(scratch.path, &store, &err), 0), "%s", err.text);
}

static void setup(void)
{
    scratch_init(&scratch);
    open_archive();
    run_id = archive_add_run(store, "trials", &err);
    cr_assert(gt(i64, run_id, 0), "%s", err.text);
}

static void teardown(void)
{
    store_close(store);
    scratch_fini(&scratch);
}

TestSuite(store_trials, .init = setup, .fini = teardown);

static struct store_run get_run(void)
{
    struct store_run run;
    cr_assert(eq(int, store_run_get(store, run_id, &run, &err), 0), "%s", err.text);
    return run;
}

static void insert(int64_t sequence, int attempt, bool done, bool settles)
{
    AUTO(store_trial_fini) struct store_trial trial = archive_trial(run_id, sequence, 200);
    trial.attempt = attempt;
    trial.done = done;
    cr_assert(eq(int, store_trial_insert(store, &trial, settles, NULL, &err), 0), "%s", err.text);
    cr_expect(gt(i64, trial.id, 0));
}

static bool same_text(const struct text *a, const struct text *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}

/* Every member but the blobs, bit by bit. */
static bool same_summary(const struct store_trial *a, const struct store_trial *b)
{
    struct store_trial x = *a, y = *b;
    x.id = y.id = 0;
    x.histogram = y.histogram = x.series = y.series = TEXT_EMPTY;
    return x.run_id == y.run_id && x.case_number == y.case_number && x.sequence == y.sequence &&
           x.attempt == y.attempt && x.done == y.done && strcmp(x.cause, y.cause) == 0 &&
           memcmp(&x.started_ms, &y.started_ms,
                  offsetof(struct store_trial, distance) - offsetof(struct store_trial, started_ms)) == 0 &&
           x.distance == y.distance && x.distance_count == y.distance_count &&
           memcmp(x.distance_ns, y.distance_ns, x.distance_count * sizeof x.distance_ns[0]) == 0 &&
           strcmp(x.flags, y.flags) == 0;
}

struct expected {
    const struct store_trial *trial;
    unsigned columns;
    int visits;
};

static int compare(void *context, const struct store_trial *trial)
{
    struct expected *expected = context;
    struct text none = TEXT_EMPTY;
    expected->visits++;
    cr_expect(same_summary(trial, expected->trial));
    cr_expect(eq(i64, trial->id, expected->trial->id));
    cr_expect(same_text(&trial->histogram,
                        expected->columns & STORE_TRIAL_HISTOGRAM ? &expected->trial->histogram : &none));
    cr_expect(
        same_text(&trial->series, expected->columns & STORE_TRIAL_SERIES ? &expected->trial->series : &none));
    return 0;
}

static void expect_back(const struct store_trial *trial)
{
    for (unsigned columns = 0; columns < 4; columns++) {
        struct expected expected = {.trial = trial, .columns = columns};
        cr_assert(eq(int, store_trial_each(store, run_id, 0, 0, columns, compare, &expected, &err), 0), "%s",
                  err.text);
        cr_expect(eq(int, expected.visits, 1));
    }
}

Test(store_trials, every_value_comes_back)
{
    AUTO(store_trial_fini) struct store_trial trial = archive_trial(run_id, 3, 5000);
    cr_assert(eq(int, store_trial_insert(store, &trial, true, NULL, &err), 0), "%s", err.text);
    cr_assert(gt(sz, trial.histogram.length, 100));
    expect_back(&trial);
}

Test(store_trials, no_value_comes_back_as_no_value)
{
    struct store_trial trial = archive_trial(run_id, 0, 0);
    store_trial_fini(&trial);
    trial.latency_p999_ns = trial.latency_p50_ns = trial.drift_ratio = (double)NAN;
    trial.load = trial.frequency_hz = trial.achieved_hz = (double)NAN;
    trial.distance = -1;
    trial.distance_count = 0;
    trial.done = false;
    strcpy(trial.cause, "killed by signal 9");
    strcpy(trial.flags, "");
    cr_assert(eq(int, store_trial_insert(store, &trial, false, NULL, &err), 0), "%s", err.text);
    expect_back(&trial);
}

Test(store_trials, counters_and_state_go_with_the_trial)
{
    insert(0, 1, true, true);
    insert(1, 1, false, false);
    insert(1, 2, false, true);
    struct store_run run = get_run();
    cr_expect(eq(i64, run.trials_done, 2));
    cr_expect(eq(i64, run.trials_failed, 1));
    cr_expect(eq(i64, run.rev, 4));
    store_run_fini(&run);

    AUTO(store_trial_fini) struct store_trial last = archive_trial(run_id, 2, 10);
    struct store_run_change end = {.state = RUN_DONE, .finished_ms = 77, .message = "complete"};
    cr_assert(eq(int, store_trial_insert(store, &last, true, &end, &err), 0), "%s", err.text);
    run = get_run();
    cr_expect(eq(int, run.state, RUN_DONE));
    cr_expect(eq(i64, run.finished_ms, 77));
    cr_expect(eq(i64, run.trials_done, 3));
    cr_expect(eq(i64, run.rev, 5), "one transaction, one change");
    cr_expect(eq(str, run.message, "complete"));
    store_run_fini(&run);
    archive_must_be_whole(store);
}

Test(store_trials, a_trial_that_is_refused_changes_nothing)
{
    insert(0, 1, true, true);
    AUTO(store_trial_fini) struct store_trial again = archive_trial(run_id, 0, 10);
    AUTO(store_trial_fini) struct store_trial nowhere = archive_trial(run_id + 1, 0, 10);
    AUTO(store_trial_fini) struct store_trial caseless = archive_trial(run_id, 1, 10);
    AUTO(store_trial_fini) struct store_trial distant = archive_trial(run_id, 1, 10);
    struct store_run_change end = {.state = RUN_DONE};
    caseless.case_number = ARCHIVE_CASES;
    distant.distance_count = STORE_DISTANCES_MAX + 1;
    cr_expect(eq(int, store_trial_insert(store, &again, true, &end, &err), -EEXIST));
    cr_expect(eq(int, store_trial_insert(store, &nowhere, true, &end, &err), -ENOENT));
    cr_expect(eq(int, store_trial_insert(store, &caseless, true, &end, &err), -ENOENT));
    cr_expect(eq(int, store_trial_insert(store, &distant, true, &end, &err), -EINVAL));
    AUTO(store_run_fini) struct store_run run = get_run();
    cr_expect(eq(i64, run.trials_done, 1));
    cr_expect(eq(int, run.state, RUN_QUEUED));
    cr_expect(eq(i64, run.rev, 2));
    archive_must_be_whole(store);
}

Test(store_trials, attempts_tell_which_slots_are_settled)
{
    insert(0, 1, true, true);
    insert(2, 1, false, false);
    insert(3, 1, false, false);
    insert(3, 2, true, true);
    uint8_t attempts[4] = {9, 9, 9, 9};
    cr_assert(eq(int, store_trial_attempts(store, run_id, attempts, 4, &err), 0), "%s", err.text);
    cr_expect(eq(int, attempts[0], 0x81));
    cr_expect(eq(int, attempts[1], 0));
    cr_expect(eq(int, attempts[2], 1));
    cr_expect(eq(int, attempts[3], 0x82));
    cr_assert(eq(int, store_trial_attempts(store, run_id, attempts, 1, &err), 0), "never past the count");
    cr_expect(eq(int, attempts[3], 0x82));
}

/* ---- visiting ---- */

struct walk {
    int64_t last_id;
    int visits, stop_after;
};

static int step(void *context, const struct store_trial *trial)
{
    struct walk *walk = context;
    cr_expect(gt(i64, trial->id, walk->last_id), "in order of id");
    walk->last_id = trial->id;
    return ++walk->visits == walk->stop_after ? -ECANCELED : 0;
}

Test(store_trials, visits_in_pages_and_stops_when_told)
{
    for (int64_t i = 0; i < 10; i++)
        insert(9 - i, 1, true, true);
    struct walk walk = {.stop_after = -1};
    int total = 0;
    do {
        walk.visits = 0;
        cr_assert(eq(int, store_trial_each(store, run_id, walk.last_id, 4, 0, step, &walk, &err), 0));
        total += walk.visits;
    } while (walk.visits > 0);
    cr_expect(eq(int, total, 10));

    struct walk cut = {.stop_after = 3};
    cr_expect(eq(int, store_trial_each(store, run_id, 0, 0, 0, step, &cut, &err), -ECANCELED));
    cr_expect(eq(int, cut.visits, 3));
    struct walk other = {.stop_after = -1};
    cr_expect(eq(int, store_trial_each(store, run_id + 1, 0, 0, 0, step, &other, &err), 0));
    cr_expect(eq(int, other.visits, 0));
}

static int visit_again(void *context, const struct store_trial *trial)
{
    int *pairs = context;
    struct walk inner = {.stop_after = -1};
    cr_assert(eq(int, store_trial_each(store, trial->run_id, 0, 0, 0, step, &inner, &err), 0));
    *pairs += inner.visits;
    return 0;
}

Test(store_trials, a_visitor_may_ask_the_same_again)
{
    for (int64_t i = 0; i < 4; i++)
        insert(i, 1, true, true);
    int pairs = 0;
    cr_assert(eq(int, store_trial_each(store, run_id, 0, 0, 0, visit_again, &pairs, &err), 0));
    cr_expect(eq(int, pairs, 16));
}

/* ---- damage ---- */

static void note_finding(void *context, const char *finding)
{
    snprintf(context, ERR_TEXT_BYTES, "%s", finding);
}

static int decode(void *context, const struct store_trial *trial)
{
    AUTO_FREE struct histogram *histogram = calloc(1, sizeof *histogram);
    *(int *)context = histogram_decode(trial->histogram.bytes, trial->histogram.length, histogram, &err);
    return 0;
}

/* Flips one bit of the histogram inside the closed file. */
static void flip_bit_of(const struct text *blob, size_t offset)
{
    size_t length = 0;
    const char *path = scratch_file(&scratch, "ipclab.db");
    AUTO_FREE unsigned char *bytes = scratch_read(path, &length);
    unsigned char *found = memmem(bytes, length, blob->bytes, blob->length);
    cr_assert(ne(ptr, found, NULL), "the blob lies in one page");
    found[offset] ^= 0x10;
    scratch_write(path, bytes, length);
}

Test(store_trials, a_flipped_bit_in_a_blob_is_seen)
{
    AUTO(store_trial_fini) struct store_trial trial = archive_trial(run_id, 0, 300);
    cr_assert(eq(int, store_trial_insert(store, &trial, true, NULL, &err), 0), "%s", err.text);
    int decoded = -1;
    cr_assert(
        eq(int, store_trial_each(store, run_id, 0, 0, STORE_TRIAL_HISTOGRAM, decode, &decoded, &err), 0));
    cr_expect(eq(int, decoded, 0));
    archive_must_be_whole(store);

    store_close(store);
    flip_bit_of(&trial.histogram, trial.histogram.length / 2);
    open_archive();
    cr_assert(
        eq(int, store_trial_each(store, run_id, 0, 0, STORE_TRIAL_HISTOGRAM, decode, &decoded, &err), 0),
        "SQLite does not notice");
    cr_expect(lt(int, decoded, 0), "the checksum does");
    char finding[ERR_TEXT_BYTES] = "";
    int64_t findings = 0;
    cr_assert(eq(int, store_verify(store, note_finding, finding, &findings, &err), 0), "%s", err.text);
    cr_expect(eq(i64, findings, 1));
    cr_expect(ne(ptr, strstr(finding, "histogram of trial 1"), NULL), "%s", finding);
}

Test(store_trials, a_flipped_bit_in_a_figure_is_seen)
{
    AUTO(store_trial_fini) struct store_trial trial = archive_trial(run_id, 0, 10);
    cr_assert(eq(int, store_trial_insert(store, &trial, true, NULL, &err), 0), "%s", err.text);
    store_close(store);
    struct text distances = {.bytes = (char *)trial.distance_ns, .length = sizeof(double)};
    flip_bit_of(&distances, 3);
    open_archive();
    char finding[ERR_TEXT_BYTES] = "";
    int64_t findings = 0;
    cr_assert(eq(int, store_verify(store, note_finding, finding, &findings, &err), 0), "%s", err.text);
    cr_expect(eq(i64, findings, 1));
    cr_expect(ne(ptr, strstr(finding, "figures of trial 1, of run 1"), NULL), "%s", finding);
}

Test(store_trials, another_file_is_verified_without_being_written)
{
    AUTO(store_trial_fini) struct store_trial trial = archive_trial(run_id, 0, 10);
    cr_assert(eq(int, store_trial_insert(store, &trial, true, NULL, &err), 0), "%s", err.text);
    const char *path = scratch_file(&scratch, "copy.db");
    struct store *copy = NULL;
    size_t length = 0, length_after = 0;
    char finding[ERR_TEXT_BYTES] = "";
    int64_t findings = 0;
    cr_assert(eq(int, store_backup(store, path, &err), 0), "%s", err.text);
    AUTO_FREE unsigned char *before = scratch_read(path, &length);
    cr_assert(eq(int, store_open_file(path, &copy, &err), 0), "%s", err.text);
    cr_assert(eq(int, store_verify(copy, note_finding, finding, &findings, &err), 0), "%s", err.text);
    cr_expect(eq(i64, findings, 0));
    cr_expect(eq(int, store_run_set_deleted(copy, run_id, 1, &err), -EROFS));
    store_close(copy);
    AUTO_FREE unsigned char *after = scratch_read(path, &length_after);
    cr_assert(eq(sz, length, length_after));
    cr_expect(eq(int, memcmp(before, after, length), 0));
    cr_expect(eq(int, store_open_file(scratch_file(&scratch, "none.db"), &copy, &err), -ENOENT));
    scratch_write(scratch_file(&scratch, "text.db"), "hello", 5);
    cr_expect(eq(int, store_open_file(scratch_file(&scratch, "text.db"), &copy, &err), -EBADMSG));
}
