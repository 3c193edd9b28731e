/* Runs: what is kept of them, who may change what, and the queue. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "db/store.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

static struct scratch scratch;
static struct store *store;
static struct err err;

static void open_archive(void)
{
    cr_assert(eq(int, store_open(scratch.path, &store, &err), 0), "%s", err.text);
}

static void setup(void)
{
    scratch_init(&scratch);
    open_archive();
}

static void teardown(void)
{
    archive_must_be_whole(store);
    store_close(store);
    scratch_fini(&scratch);
}

TestSuite(store_runs, .init = setup, .fini = teardown);

static int64_t add(const char *name)
{
    int64_t id = archive_add_run(store, name, &err);
    cr_assert(gt(i64, id, 0), "%s", err.text);
    return id;
}

static struct store_run get(int64_t id)
{
    struct store_run run;
    cr_assert(eq(int, store_run_get(store, id, &run, &err), 0), "%s", err.text);
    return run;
}

static void change(int64_t id, enum run_state state)
{
    struct store_run_change to = {.state = state};
    cr_assert(eq(int, store_run_change(store, id, &to, &err), 0), "%s", err.text);
}

Test(store_runs, a_run_comes_back_as_it_was_stored)
{
    struct store_run run = archive_run("round trip");
    run.pinned = true;
    cr_assert(eq(int, store_run_insert(store, &run, archive_cases, ARCHIVE_CASES, NULL, &err), 0));
    cr_expect(gt(i64, run.id, 0));
    cr_expect(eq(i64, run.rev, 1));

    AUTO(store_run_fini) struct store_run back = get(run.id);
    cr_expect(eq(i64, back.id, run.id));
    cr_expect(eq(str, back.uid, run.uid));
    cr_expect(eq(int, back.state, RUN_QUEUED));
    cr_expect(eq(i64, back.created_ms, run.created_ms));
    cr_expect(eq(i64, back.started_ms, 0));
    cr_expect(eq(i64, back.finished_ms, 0));
    cr_expect(eq(i64, back.trials_total, 4));
    cr_expect(eq(i64, back.trials_done, 0));
    cr_expect(eq(i64, back.trials_failed, 0));
    cr_expect(back.pinned);
    cr_expect(eq(i64, back.deleted_ms, 0));
    cr_expect(eq(i64, back.rev, 1));
    cr_expect(eq(str, back.experiment_hash, run.experiment_hash));
    cr_expect(eq(i64, back.machine_id, 0));
    cr_expect(eq(str, back.machine_comparable, ""));
    cr_expect(eq(str, back.name, run.name));
    cr_expect(eq(str, back.note, run.note));
    cr_expect(eq(str, back.tags, run.tags));
    cr_expect(eq(str, back.experiment, run.experiment));
    cr_expect(eq(str, back.isolation, "{}"));
    cr_expect(eq(str, back.overhead, "null"));
    cr_expect(eq(str, back.skipped, run.skipped));
    cr_expect(eq(str, back.message, ""));
}

Test(store_runs, cases_come_back_in_order)
{
    int64_t id = add("cases");
    AUTO_FREE struct store_case *cases = NULL;
    size_t count = 0;
    cr_assert(eq(int, store_run_cases(store, id, &cases, &count, &err), 0), "%s", err.text);
    cr_assert(eq(sz, count, ARCHIVE_CASES));
    for (size_t i = 0; i < count; i++) {
        cr_expect(eq(int, cases[i].number, archive_cases[i].number));
        cr_expect(case_equal(&cases[i].key, &archive_cases[i].key), "case %zu", i);
    }
}

Test(store_runs, what_is_not_there_is_said_to_be_missing)
{
    struct store_run run;
    struct store_run_change to = {.state = RUN_DONE};
    struct store_run_patch patch = {.pinned = 1};
    cr_expect(eq(int, store_run_get(store, 42, &run, &err), -ENOENT));
    cr_expect(ne(ptr, strstr(err.text, "42"), NULL), "%s", err.text);
    cr_expect(eq(int, store_run_change(store, 42, &to, &err), -ENOENT));
    cr_expect(eq(int, store_run_patch(store, 42, 0, &patch, &err), -ENOENT));
    cr_expect(eq(int, store_run_patch(store, 42, 7, &patch, &err), -ENOENT));
    cr_expect(eq(int, store_run_set_deleted(store, 42, 1, &err), -ENOENT));
}

Test(store_runs, a_failed_insert_leaves_nothing)
{
    struct store_run run = archive_run("twice the same case");
    struct store_case twice[2] = {archive_cases[0], archive_cases[0]};
    cr_expect(eq(int, store_run_insert(store, &run, twice, 2, NULL, &err), -EEXIST));
    cr_expect(eq(i64, run.id, 0));
    int64_t waiting = -1;
    cr_assert(eq(int, store_run_queued_count(store, &waiting, &err), 0));
    cr_expect(eq(i64, waiting, 0));
    add("the archive goes on working");
}

Test(store_runs, a_uid_is_taken_once)
{
    struct store_run run = archive_run("imported");
    cr_assert(eq(int, store_run_insert(store, &run, archive_cases, ARCHIVE_CASES, NULL, &err), 0));
    cr_expect(eq(int, store_run_insert(store, &run, archive_cases, ARCHIVE_CASES, NULL, &err), -EEXIST));
}

Test(store_runs, a_name_that_fits_in_no_cursor_is_refused)
{
    char name[STORE_NAME_BYTES_MAX + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cr_expect(eq(i64, archive_add_run(store, name, &err), -EINVAL));
    int64_t id = add("short");
    struct store_run_patch patch = {.name = name, .pinned = -1};
    cr_expect(eq(int, store_run_patch(store, id, 0, &patch, &err), -EINVAL));
    name[STORE_NAME_BYTES_MAX] = '\0';
    add(name);
}

/* ---- idempotency ---- */

Test(store_runs, a_key_leads_to_the_run_it_made)
{
    struct store_idempotency key = {.key = "5f3b", .body_hash = "0123456789abcdef0123456789abcdef"};
    struct store_run first = archive_run("first"), second = archive_run("second");
    int64_t run_id = 0;
    char body_hash[STORE_HASH_BYTES];
    cr_expect(eq(int, store_idempotency_find(store, "5f3b", &run_id, body_hash, &err), -ENOENT));
    cr_assert(eq(int, store_run_insert(store, &first, archive_cases, ARCHIVE_CASES, &key, &err), 0));
    cr_assert(eq(int, store_idempotency_find(store, "5f3b", &run_id, body_hash, &err), 0));
    cr_expect(eq(i64, run_id, first.id));
    cr_expect(eq(str, body_hash, "0123456789abcdef0123456789abcdef"));

    cr_expect(eq(int, store_run_insert(store, &second, archive_cases, ARCHIVE_CASES, &key, &err), -EEXIST));
    int64_t waiting = 0;
    cr_assert(eq(int, store_run_queued_count(store, &waiting, &err), 0));
    cr_expect(eq(i64, waiting, 1), "the second run went with its transaction");
}

Test(store_runs, a_key_is_kept_for_a_day_and_forgotten_some_time_later)
{
    enum { HOUR_MS = 3600 * 1000 };
    struct store_idempotency old = {.key = "old", .body_hash = "a"}, day = {.key = "day", .body_hash = "b"};
    struct store_idempotency now = {.key = "now", .body_hash = "c"};
    struct store_run runs[3] = {archive_run("old"), archive_run("day"), archive_run("now")};
    runs[0].created_ms = runs[2].created_ms - INT64_C(72) * HOUR_MS;
    runs[1].created_ms = runs[2].created_ms - INT64_C(25) * HOUR_MS;
    cr_assert(eq(int, store_run_insert(store, &runs[0], archive_cases, 1, &old, &err), 0));
    cr_assert(eq(int, store_run_insert(store, &runs[1], archive_cases, 1, &day, &err), 0));
    cr_assert(eq(int, store_run_insert(store, &runs[2], archive_cases, 1, &now, &err), 0));
    int64_t run_id = 0;
    char body_hash[STORE_HASH_BYTES];
    cr_expect(eq(int, store_idempotency_find(store, "old", &run_id, body_hash, &err), -ENOENT));
    cr_expect(eq(int, store_idempotency_find(store, "day", &run_id, body_hash, &err), 0));
    cr_expect(eq(int, store_idempotency_find(store, "now", &run_id, body_hash, &err), 0));
}

/* ---- changes ---- */

Test(store_runs, a_patch_changes_what_it_names_and_counts)
{
    int64_t id = add("before");
    struct store_run_patch patch = {.name = "after", .tags = "[\"b\",\"b\"]", .pinned = -1};
    cr_assert(eq(int, store_run_patch(store, id, 1, &patch, &err), 0), "%s", err.text);
    AUTO(store_run_fini) struct store_run run = get(id);
    cr_expect(eq(str, run.name, "after"));
    cr_expect(eq(str, run.note, "what was tried"));
    cr_expect(eq(str, run.tags, "[\"b\",\"b\"]"));
    cr_expect(not(run.pinned));
    cr_expect(eq(i64, run.rev, 2));
}

Test(store_runs, a_patch_of_another_rev_is_stale)
{
    int64_t id = add("contended");
    struct store_run_patch mine = {.note = "mine", .pinned = -1}, theirs = {.note = "theirs", .pinned = 1};
    cr_assert(eq(int, store_run_patch(store, id, 1, &theirs, &err), 0));
    cr_expect(eq(int, store_run_patch(store, id, 1, &mine, &err), -ESTALE));
    AUTO(store_run_fini) struct store_run run = get(id);
    cr_expect(eq(str, run.note, "theirs"));
    cr_expect(run.pinned);
    cr_expect(eq(int, store_run_patch(store, id, 0, &mine, &err), 0), "rev 0 is any");
}

Test(store_runs, tags_that_are_no_json_change_nothing)
{
    int64_t id = add("tagged");
    struct store_run_patch patch = {.name = "renamed", .tags = "[\"open", .pinned = -1};
    cr_expect(lt(int, store_run_patch(store, id, 0, &patch, &err), 0));
    AUTO(store_run_fini) struct store_run run = get(id);
    cr_expect(eq(str, run.name, "tagged"));
    cr_expect(eq(i64, run.rev, 1));
}

Test(store_runs, a_deleted_run_is_found_and_can_come_back)
{
    int64_t id = add("deleted by mistake"), next = 0;
    cr_assert(eq(int, store_run_set_deleted(store, id, 1234, &err), 0));
    struct store_run run = get(id);
    cr_expect(eq(i64, run.deleted_ms, 1234));
    cr_expect(eq(i64, run.rev, 2));
    store_run_fini(&run);
    cr_expect(eq(int, store_run_next(store, &next, &err), -ENOENT), "a deleted run does not start");
    cr_assert(eq(int, store_run_set_deleted(store, id, 0, &err), 0));
    run = get(id);
    cr_expect(eq(i64, run.deleted_ms, 0));
    store_run_fini(&run);
    cr_expect(eq(int, store_run_next(store, &next, &err), 0));
}

Test(store_runs, a_change_leaves_what_it_does_not_name)
{
    struct store_machine machine = {.comparable = "c0", .full = "f0", .facts = (char *)(uintptr_t) "{}"};
    int64_t machine_id = 0;
    cr_assert(eq(int, store_machine_put(store, &machine, &machine_id, &err), 0), "%s", err.text);
    int64_t id = add("started");
    struct store_run_change start = {.state = RUN_RUNNING,
                                     .started_ms = 5,
                                     .machine_id = machine_id,
                                     .isolation = "{\"cage\":true}",
                                     .overhead = "{\"clock_ns\":22}"};
    struct store_run_change end = {.state = RUN_FAILED, .finished_ms = 9, .message = "no worker"};
    cr_assert(eq(int, store_run_change(store, id, &start, &err), 0), "%s", err.text);
    cr_assert(eq(int, store_run_change(store, id, &end, &err), 0), "%s", err.text);
    AUTO(store_run_fini) struct store_run run = get(id);
    cr_expect(eq(int, run.state, RUN_FAILED));
    cr_expect(eq(i64, run.started_ms, 5));
    cr_expect(eq(i64, run.finished_ms, 9));
    cr_expect(eq(i64, run.machine_id, machine_id));
    cr_expect(eq(str, run.machine_comparable, "c0"));
    cr_expect(eq(str, run.machine_full, "f0"));
    cr_expect(eq(str, run.isolation, "{\"cage\":true}"));
    cr_expect(eq(str, run.overhead, "{\"clock_ns\":22}"));
    cr_expect(eq(str, run.message, "no worker"));
    cr_expect(eq(i64, run.rev, 3));
}

Test(store_runs, a_machine_is_one_row_however_often_it_is_seen)
{
    struct store_machine machine = {.comparable = "c", .full = "f1", .facts = (char *)(uintptr_t) "{}"};
    struct store_machine sibling = {
        .comparable = "c", .full = "f2", .facts = (char *)(uintptr_t) "{\"cpus\":2}"};
    int64_t first = 0, again = 0, other = 0;
    cr_assert(eq(int, store_machine_put(store, &machine, &first, &err), 0));
    cr_assert(eq(int, store_machine_put(store, &machine, &again, &err), 0));
    cr_assert(eq(int, store_machine_put(store, &sibling, &other, &err), 0));
    cr_expect(eq(i64, first, again));
    cr_expect(ne(i64, first, other));

    struct store_machine back;
    cr_assert(eq(int, store_machine_get(store, "f2", &back, &err), 0), "%s", err.text);
    cr_expect(eq(str, back.comparable, "c"));
    cr_expect(eq(str, back.full, "f2"));
    cr_expect(eq(str, back.facts, "{\"cpus\":2}"));
    store_machine_fini(&back);
    cr_expect(eq(int, store_machine_get(store, "f3", &back, &err), -ENOENT));
}

/* ---- the queue ---- */

Test(store_runs, only_one_run_is_running)
{
    int64_t first = add("first"), second = add("second");
    change(first, RUN_RUNNING);
    struct store_run_change start = {.state = RUN_RUNNING, .message = "never seen"};
    cr_expect(eq(int, store_run_change(store, second, &start, &err), -EBUSY));
    AUTO(store_run_fini) struct store_run run = get(second);
    cr_expect(eq(int, run.state, RUN_QUEUED));
    cr_expect(eq(str, run.message, ""));
    change(first, RUN_DONE);
    change(second, RUN_RUNNING);
}

Test(store_runs, interrupted_runs_go_on_before_others_begin)
{
    int64_t ids[4], next = 0, waiting = 0;
    for (size_t i = 0; i < 4; i++)
        ids[i] = add("waiting");
    change(ids[2], RUN_INTERRUPTED);
    const size_t order[] = {2, 0, 1, 3};
    for (size_t i = 0; i < 4; i++) {
        cr_assert(eq(int, store_run_queued_count(store, &waiting, &err), 0));
        cr_expect(eq(i64, waiting, 4 - (int64_t)i));
        cr_assert(eq(int, store_run_next(store, &next, &err), 0), "%s", err.text);
        cr_expect(eq(i64, next, ids[order[i]]));
        change(next, RUN_DONE);
    }
    cr_expect(eq(int, store_run_next(store, &next, &err), -ENOENT));
}

Test(store_runs, what_was_running_when_the_server_died_is_interrupted)
{
    int64_t running = add("running"), queued = add("queued"), count = 0;
    change(running, RUN_RUNNING);
    store_close(store);
    open_archive();
    cr_assert(eq(int, store_run_recover(store, &count, &err), 0), "%s", err.text);
    cr_expect(eq(i64, count, 1));
    struct store_run run = get(running);
    cr_expect(eq(int, run.state, RUN_INTERRUPTED));
    cr_expect(ne(str, run.message, ""));
    store_run_fini(&run);
    run = get(queued);
    cr_expect(eq(int, run.state, RUN_QUEUED));
    cr_expect(eq(str, run.message, ""));
    store_run_fini(&run);
    cr_assert(eq(int, store_run_recover(store, &count, &err), 0));
    cr_expect(eq(i64, count, 0));
}

Test(store_runs, counts_are_of_what_is_not_deleted)
{
    int64_t ids[4];
    for (size_t i = 0; i < 4; i++)
        ids[i] = add("counted");
    AUTO(store_trial_fini) struct store_trial done = archive_trial(ids[0], 0, 10);
    AUTO(store_trial_fini) struct store_trial failed = archive_trial(ids[0], 1, 10);
    failed.done = false;
    cr_assert(eq(int, store_trial_insert(store, &done, true, NULL, &err), 0), "%s", err.text);
    cr_assert(eq(int, store_trial_insert(store, &failed, true, NULL, &err), 0), "%s", err.text);
    change(ids[0], RUN_DONE);
    change(ids[1], RUN_DONE);
    cr_assert(eq(int, store_run_set_deleted(store, ids[3], 1, &err), 0));
    struct store_counts counts;
    cr_assert(eq(int, store_count(store, &counts, &err), 0), "%s", err.text);
    cr_expect(eq(i64, counts.runs[RUN_DONE], 2));
    cr_expect(eq(i64, counts.runs[RUN_QUEUED], 1));
    cr_expect(eq(i64, counts.runs[RUN_FAILED], 0));
    cr_expect(eq(i64, counts.trials_done, 2));
    cr_expect(eq(i64, counts.trials_failed, 1));
}
