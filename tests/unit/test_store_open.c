/* Opening an archive: what is made, what is refused, and that what is refused is left alone. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "db/store.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

TestSuite(store_open);

static struct store *open_or_fail(const char *directory)
{
    struct store *store = NULL;
    struct err err = {0};
    int rc = store_open(directory, &store, &err);
    cr_assert(eq(int, rc, 0), "%s", err.text);
    return store;
}

Test(store_open, makes_the_directory_and_the_archive_for_us_alone)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    const char *directory = scratch_file(&scratch, "a/b");
    struct store *store = open_or_fail(directory);
    cr_expect(eq(int, store_health(store), STORE_OK));
    cr_expect(eq(str, (char *)store_health_reason(store), ""));
    store_close(store);

    struct stat status;
    cr_assert(eq(int, stat(scratch_file(&scratch, "a/b"), &status), 0));
    cr_expect(eq(int, (int)(status.st_mode & 0777), 0700));
    cr_expect(eq(int, stat(scratch_file(&scratch, "a/b/ipclab.db"), &status), 0));
    cr_expect(eq(int, access(scratch_file(&scratch, "a/b/ipclab.db-wal"), F_OK), -1),
              "closed: the log is in");
    cr_expect(eq(int, access(scratch_file(&scratch, "a/b/ipclab.db.new"), F_OK), -1));
}

Test(store_open, finds_again_what_was_archived)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    struct err err = {0};
    struct store *store = open_or_fail(scratch.path);
    int64_t id = archive_add_run(store, "kept", &err);
    store_close(store);

    store = open_or_fail(scratch.path);
    struct store_run run;
    cr_assert(eq(int, store_run_get(store, id, &run, &err), 0), "%s", err.text);
    cr_expect(eq(str, run.name, "kept"));
    store_run_fini(&run);
    store_close(store);
}

Test(store_open, keeps_a_second_server_out_and_names_the_first)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    struct store *first = open_or_fail(scratch.path), *second = NULL;
    struct err err = {0};
    char pid[32];
    snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    cr_expect(eq(int, store_open(scratch.path, &second, &err), -EBUSY));
    cr_expect(eq(ptr, second, NULL));
    cr_expect(ne(ptr, strstr(err.text, pid), NULL), "%s", err.text);
    store_close(first);
    store_close(open_or_fail(scratch.path));
}

/* The lock must not outlive its owner, however that one ended. */
Test(store_open, takes_over_from_a_server_that_was_killed)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    int ready[2];
    cr_assert(eq(int, pipe(ready), 0));
    pid_t child = fork();
    if (child == 0) {
        struct store *store = NULL;
        struct err err = {0};
        bool good =
            store_open(scratch.path, &store, &err) == 0 && archive_add_run(store, "acknowledged", &err) > 0;
        if (good && write(ready[1], "+", 1) == 1)
            pause();
        _exit(1);
    }
    char acknowledged = 0;
    close(ready[1]);
    cr_assert(eq(int, (int)read(ready[0], &acknowledged, 1), 1));
    struct store *store = NULL;
    struct err err = {0};
    cr_expect(eq(int, store_open(scratch.path, &store, &err), -EBUSY));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);

    store = open_or_fail(scratch.path);
    struct store_run run;
    cr_assert(eq(int, store_run_get(store, 1, &run, &err), 0), "%s", err.text);
    cr_expect(eq(str, run.name, "acknowledged"));
    store_run_fini(&run);
    store_close(store);
    close(ready[0]);
}

Test(store_open, replaces_the_unfinished_file_of_a_start_that_was_killed)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    scratch_write(scratch_file(&scratch, "ipclab.db.new"), "half", 4);
    scratch_write(scratch_file(&scratch, "ipclab.db.new-journal"), "half", 4);
    store_close(open_or_fail(scratch.path));
    cr_expect(eq(int, access(scratch_file(&scratch, "ipclab.db.new"), F_OK), -1));
    cr_expect(eq(int, access(scratch_file(&scratch, "ipclab.db.new-journal"), F_OK), -1));
}

Test(store_open, says_what_is_in_the_way_of_the_directory)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    scratch_write(scratch_file(&scratch, "file"), "x", 1);
    struct store *store = NULL;
    struct err err = {0};
    cr_expect(eq(int, store_open(scratch_file(&scratch, "file/data"), &store, &err), -ENOTDIR));
    cr_expect(ne(ptr, strstr(err.text, "file"), NULL), "%s", err.text);
}

/* ---- what is no archive, or no longer one ---- */

/* An archive of some 150 trials, closed, as bytes. */
static unsigned char *archive_bytes(struct scratch *scratch, size_t *length)
{
    struct store *store = open_or_fail(scratch->path);
    struct err err = {0};
    int64_t id = archive_add_run(store, "full of trials", &err);
    for (int64_t i = 0; i < 150; i++) {
        AUTO(store_trial_fini) struct store_trial trial = archive_trial(id, i, 500);
        cr_assert(eq(int, store_trial_insert(store, &trial, true, NULL, &err), 0), "%s", err.text);
    }
    store_close(store);
    return scratch_read(scratch_file(scratch, "ipclab.db"), length);
}

/* Refused with -EBADMSG and a way out; the bytes are afterwards what they were before. */
static void expect_refused(struct scratch *scratch, const unsigned char *bytes, size_t length,
                           const char *what)
{
    scratch_write(scratch_file(scratch, "ipclab.db"), bytes, length);
    struct store *store = NULL;
    struct err err = {0};
    cr_expect(eq(int, store_open(scratch->path, &store, &err), -EBADMSG), "%s: %s", what, err.text);
    cr_expect(eq(ptr, store, NULL));
    cr_expect(ne(ptr, strstr(err.text, "recover"), NULL), "%s: %s", what, err.text);
    size_t after_length = 0;
    AUTO_FREE unsigned char *after = scratch_read(scratch_file(scratch, "ipclab.db"), &after_length);
    cr_expect(after_length == length && memcmp(after, bytes, length) == 0, "%s: the file was touched", what);
}

/* Read as a file that does not change, but changed halfway through: a copy could be of two moments. */
Test(store_open, makes_no_copy_of_a_file_that_was_taken_up_meanwhile)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    store_close(open_or_fail(scratch.path));
    struct store *looking = NULL;
    struct err err = {0};
    char path[PATH_MAX], copy[PATH_MAX];
    snprintf(path, sizeof path, "%s/ipclab.db", scratch.path);
    snprintf(copy, sizeof copy, "%s/copy.db", scratch.path);
    /* The clock of a file system may be coarse: let the file be old. */
    cr_assert(eq(int, utimensat(AT_FDCWD, path, (struct timespec[2]){{.tv_sec = 1}, {.tv_sec = 1}}, 0), 0));
    cr_assert(eq(int, store_open_file(path, &looking, &err), 0), "%s", err.text);
    cr_expect(eq(int, store_backup(looking, copy, &err), 0), "%s", err.text);
    cr_assert(eq(int, unlink(copy), 0));

    struct store *serving = open_or_fail(scratch.path);
    cr_assert(gt(i64, archive_add_run(serving, "meanwhile", &err), 0), "%s", err.text);
    store_close(serving);
    cr_expect(eq(int, store_backup(looking, copy, &err), -EBUSY));
    cr_expect(ne(int, access(copy, F_OK), 0));
    store_close(looking);
}

Test(store_open, refuses_what_is_no_archive)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    static const unsigned char text[200] = "Dear archive, I am a letter.";
    static const unsigned char foreign[100] = "SQLite format 3";
    expect_refused(&scratch, text, 0, "zero bytes");
    expect_refused(&scratch, text, 10, "ten bytes");
    expect_refused(&scratch, text, sizeof text, "a text");
    expect_refused(&scratch, foreign, sizeof foreign, "another program's database");
}

Test(store_open, refuses_a_truncated_archive)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    size_t length = 0;
    AUTO_FREE unsigned char *bytes = archive_bytes(&scratch, &length);
    expect_refused(&scratch, bytes, length / 2, "half an archive");
    expect_refused(&scratch, bytes, 100, "a header alone");
}

Test(store_open, refuses_an_archive_with_pages_overwritten)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    size_t length = 0;
    AUTO_FREE unsigned char *bytes = archive_bytes(&scratch, &length);
    AUTO_FREE unsigned char *damaged = malloc(length);
    for (size_t page = 4096; page < length; page += length / 8 / 4096 * 4096) {
        memcpy(damaged, bytes, length);
        memset(damaged + page, 0xA5, 512);
        expect_refused(&scratch, damaged, length, "an overwritten page");
    }
    memcpy(damaged, bytes, length);
    memset(damaged + 100, 0xA5, 400);
    expect_refused(&scratch, damaged, length, "an overwritten schema");
}

/* SQLite would replay it into the next archive of that name. */
Test(store_open, refuses_a_log_without_its_file)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    scratch_write(scratch_file(&scratch, "ipclab.db-wal"), "frames", 6);
    struct store *store = NULL;
    struct err err = {0};
    cr_expect(eq(int, store_open(scratch.path, &store, &err), -EBADMSG));
    cr_expect(ne(ptr, strstr(err.text, "ipclab.db-wal"), NULL), "%s", err.text);
    cr_expect(eq(int, access(scratch_file(&scratch, "ipclab.db-wal"), F_OK), 0));
    cr_expect(eq(int, access(scratch_file(&scratch, "ipclab.db"), F_OK), -1));
}
