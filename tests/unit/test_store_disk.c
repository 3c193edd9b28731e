/* Disks that are full or read-only. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "db/store.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"
#include "tests/support/small_disk.h"

TestSuite(store_disk);

enum { SMALL_BYTES = 1 << 20, SAMPLES = 3000 };

static void mount_or_skip(struct scratch *scratch, size_t bytes)
{
    if (small_disk_mount(scratch->path, bytes))
        return;
    scratch_fini(scratch); /* skipping jumps over the cleanup */
    cr_skip_test("a small file system cannot be mounted here: that needs root");
}

static struct store *open_or_fail(const char *directory)
{
    struct store *store = NULL;
    struct err err = {0};
    cr_assert(eq(int, store_open(directory, &store, &err), 0), "%s", err.text);
    return store;
}

/* Trials from this sequence on until one is refused; its sequence. */
static int64_t insert_until_refused(struct store *store, int64_t run_id, int64_t sequence, int *refusal,
                                    struct err *err)
{
    for (;; sequence++) {
        AUTO(store_trial_fini) struct store_trial trial = archive_trial(run_id, sequence, SAMPLES);
        *refusal = store_trial_insert(store, &trial, true, NULL, err);
        if (*refusal < 0)
            return sequence;
    }
}

static void expect_trials(struct store *store, int64_t run_id, int64_t count)
{
    struct err err = {0};
    struct store_run run;
    cr_assert(eq(int, store_run_get(store, run_id, &run, &err), 0), "%s", err.text);
    cr_expect(eq(i64, run.trials_done, count));
    store_run_fini(&run);
    archive_must_be_whole(store);
}

static void expect_full(const struct store *store, int refusal, const char *text)
{
    cr_expect(eq(int, refusal, -ENOSPC), "%s", text);
    cr_expect(eq(int, store_health(store), STORE_FULL));
    /* The log's way into the file may have met the full disk before the refusal did. */
    const char *reason = store_health_reason(store);
    cr_expect(strcmp(reason, text) == 0 || strstr(reason, "write the log into the archive") != NULL, "%s",
              reason);
}

Test(store_disk, a_full_disk_refuses_and_keeps_and_recovers)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    mount_or_skip(&scratch, SMALL_BYTES);
    struct store *store = open_or_fail(scratch.path);
    struct err err = {0};
    int64_t run_id = archive_add_run(store, "on a small disk", &err);
    int refusal = 0;
    int64_t kept = insert_until_refused(store, run_id, 0, &refusal, &err);
    cr_expect(gt(i64, kept, 0));
    expect_full(store, refusal, err.text);
    expect_trials(store, run_id, kept);

    /* Room comes back: the same trial goes in, and the health with it. */
    cr_assert(small_disk_resize(scratch.path, 4 * SMALL_BYTES));
    AUTO(store_trial_fini) struct store_trial held = archive_trial(run_id, kept, SAMPLES);
    cr_expect(eq(int, store_trial_insert(store, &held, true, NULL, &err), 0), "%s", err.text);
    cr_expect(eq(int, store_health(store), STORE_OK));
    cr_expect(eq(str, (char *)(uintptr_t)store_health_reason(store), ""));
    expect_trials(store, run_id, kept + 1);
    store_close(store);
    store = open_or_fail(scratch.path);
    expect_trials(store, run_id, kept + 1);
    store_close(store);
}

/* The log is written anew only once all of it stands in the file, and on a small disk there may be no room
 * for both. */
Test(store_disk, a_small_disk_holds_the_archive_and_not_its_log)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    mount_or_skip(&scratch, 2 * SMALL_BYTES);
    struct store *store = open_or_fail(scratch.path);
    struct err err = {0};
    int64_t run_id = archive_add_run(store, "on a small disk", &err), kept = 0, before;
    int refusal = 0;
    do {
        before = kept;
        kept = insert_until_refused(store, run_id, before, &refusal, &err);
    } while (kept > before);
    expect_full(store, refusal, err.text);
    expect_trials(store, run_id, kept);
    struct stat file, log;
    cr_assert(eq(int, stat(scratch_file(&scratch, "ipclab.db"), &file), 0));
    cr_assert(eq(int, stat(scratch_file(&scratch, "ipclab.db-wal"), &log), 0));
    cr_expect(gt(i64, file.st_size, SMALL_BYTES), "%" PRId64 " trials", kept);
    cr_expect(lt(i64, log.st_size, SMALL_BYTES));
    store_close(store);
    store = open_or_fail(scratch.path);
    expect_trials(store, run_id, kept);
    store_close(store);
}

Test(store_disk, a_disk_that_is_full_from_the_start_leaves_no_archive)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    mount_or_skip(&scratch, 32 << 10);
    struct store *store = NULL;
    struct err err = {0};
    cr_expect(eq(int, store_open(scratch.path, &store, &err), -ENOSPC), "%s", err.text);
    cr_expect(eq(int, access(scratch_file(&scratch, "ipclab.db"), F_OK), -1));
    cr_expect(eq(int, access(scratch_file(&scratch, "ipclab.db.new"), F_OK), -1));
}

/* A quota or a file size limit is a full disk too; this one needs no privilege. */
Test(store_disk, a_file_size_limit_is_a_full_disk)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    struct store *store = open_or_fail(scratch.path);
    struct err err = {0};
    int64_t run_id = archive_add_run(store, "under a limit", &err);
    struct rlimit before, limit;
    cr_assert(eq(int, getrlimit(RLIMIT_FSIZE, &before), 0));
    limit = before;
    limit.rlim_cur = SMALL_BYTES;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    int refusal = 0;
    int64_t kept = insert_until_refused(store, run_id, 0, &refusal, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    expect_full(store, refusal, err.text);
    expect_trials(store, run_id, kept);
    AUTO(store_trial_fini) struct store_trial held = archive_trial(run_id, kept, SAMPLES);
    cr_expect(eq(int, store_trial_insert(store, &held, true, NULL, &err), 0), "%s", err.text);
    cr_expect(eq(int, store_health(store), STORE_OK));
    store_close(store);
}

static void expect_read_only(const char *directory, int64_t run_id)
{
    struct store *store = open_or_fail(directory);
    struct err err = {0};
    cr_expect(eq(int, store_health(store), STORE_READ_ONLY));
    cr_expect(ne(ptr, strstr(store_health_reason(store), "read-only"), NULL));
    struct store_run run;
    cr_assert(eq(int, store_run_get(store, run_id, &run, &err), 0), "%s", err.text);
    cr_expect(eq(str, run.name, "to be read"));
    store_run_fini(&run);
    cr_expect(eq(i64, archive_add_run(store, "refused", &err), -EROFS), "%s", err.text);
    store_close(store);
}

Test(store_disk, a_read_only_file_system_is_read)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    mount_or_skip(&scratch, SMALL_BYTES);
    struct err err = {0};
    struct store *store = open_or_fail(scratch_file(&scratch, "odd #1 %41?"));
    int64_t run_id = archive_add_run(store, "to be read", &err);
    store_close(store);
    cr_assert(small_disk_set_read_only(scratch.path));
    expect_read_only(scratch_file(&scratch, "odd #1 %41?"), run_id);

    store = NULL;
    cr_expect(eq(int, store_open(scratch.path, &store, &err), -EROFS), "no archive there, none can be made");
}

/* What a crash left in the log is part of the archive, though it cannot be written into the file. */
Test(store_disk, a_read_only_file_system_is_read_with_the_log_of_a_crash)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    mount_or_skip(&scratch, SMALL_BYTES);
    static const char *const files[] = {"ipclab.db", "ipclab.db-wal", "ipclab.db-shm"};
    char crashed[SCRATCH_FILE_BYTES], name[64];
    struct err err = {0};
    struct store *store = open_or_fail(scratch_file(&scratch, "live"));
    int64_t run_id = archive_add_run(store, "to be read", &err);
    store_close(open_or_fail(scratch_file(&scratch, "crashed")));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        size_t length = 0;
        snprintf(name, sizeof name, "live/%s", files[i]);
        AUTO_FREE unsigned char *bytes = scratch_read(scratch_file(&scratch, name), &length);
        snprintf(name, sizeof name, "crashed/%s", files[i]);
        scratch_write(scratch_file(&scratch, name), bytes, length);
    }
    store_close(store);
    cr_assert(small_disk_set_read_only(scratch.path));
    snprintf(crashed, sizeof crashed, "%s", scratch_file(&scratch, "crashed"));
    expect_read_only(crashed, run_id);
}
