/* archive_restore: a restore is killed at every call that changes the directory, and what is opened
 * afterwards is the old archive or the new one, whole.
 *
 * A child restores a copy over an archive whose log holds committed runs, as a crash leaves it, and dies by
 * SIGKILL before its N-th open, write, rename, unlink or fsync, N rising until it lives to the end. Closing
 * line on standard output, exit 0 when all is well. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/ulid.h"
#include "db/store.h"
#include "tests/fault/calls.h"
#include "tests/support/archive.h"
#include "tests/support/scratch.h"

/* ---- the calls, in front of libc's, for SQLite too ---- */

static long calls_left; /* until the kill; 0 = none is due */

static void pass(void)
{
    if (calls_left > 0 && --calls_left == 0)
        kill(getpid(), SIGKILL);
}

static int call_open(const char *path, int flags, mode_t mode)
{
    pass();
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static ssize_t call_write(int fd, const void *bytes, size_t length, off_t offset)
{
    pass();
    return syscall(SYS_pwrite64, fd, bytes, length, offset);
}

static int call_truncate(int fd, off_t length)
{
    pass();
    return (int)syscall(SYS_ftruncate, fd, length);
}

int rename(const char *from, const char *to)
{
    pass();
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    pass();
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int fsync(int fd)
{
    pass();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    pass();
    return (int)syscall(SYS_fdatasync, fd);
}

/* ---- one life ---- */

static void must(int result, const char *what, const struct err *err)
{
    if (result < 0)
        errx(EXIT_FAILURE, "%s: %s", what, err->text);
}

static struct store *open_archive(const char *directory)
{
    struct store *store = NULL;
    struct err err = {0};
    must(store_open(directory, &store, &err), "open the archive", &err);
    return store;
}

static void add_runs(struct store *store, const char *name, int count)
{
    struct err err = {0};
    for (int i = 0; i < count; i++) {
        struct store_run run = archive_run(name);
        ulid_make(clock_wall_ms(), run.uid); /* other processes add to the same archive */
        must(store_run_insert(store, &run, archive_cases, ARCHIVE_CASES, NULL, &err), "insert a run", &err);
    }
}

/* An archive with one run in its file, and with more in the log of a process that was killed. */
static void leave_archive(const char *directory, const char *name, int count)
{
    pid_t child = fork();
    if (child < 0)
        err(EXIT_FAILURE, "fork");
    if (child == 0) {
        add_runs(open_archive(directory), name, count);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
}

enum { OLD_RUNS = 3, NEW_RUNS = 2 };

/* True: it lived to the end. */
static bool restore_and_die(const char *directory, const char *copy, long at)
{
    pid_t child = fork();
    if (child < 0)
        err(EXIT_FAILURE, "fork");
    if (child == 0) {
        struct store_restoring restoring = {.report = NULL};
        struct err err = {0};
        calls_left = at;
        must(store_restore(directory, copy, &restoring, &err), "restore", &err);
        _exit(restoring.findings == 0 && restoring.aside != NULL ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_SUCCESS)
        errx(EXIT_FAILURE, "the restore failed at call %ld", at);
    return WIFEXITED(status);
}

/* True: it is the new one. */
static bool look_at_archive(const char *directory, long at)
{
    static struct store_run_list list; /* static: it is large */
    const struct store_run_query query = {.limit = STORE_LIST_MAX, .state = -1};
    struct err err = {0};
    struct store *store = open_archive(directory);
    archive_must_be_whole(store);
    must(store_run_list(store, &query, &list, &err), "list the runs", &err);
    bool is_new = list.count == NEW_RUNS;
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.runs[i].name, is_new ? "new" : "old") != 0 ||
            list.count != (is_new ? NEW_RUNS : OLD_RUNS))
            errx(EXIT_FAILURE, "killed at call %ld: %zu runs, one called %s", at, list.count,
                 list.runs[i].name);
    if (list.count == 0)
        errx(EXIT_FAILURE, "killed at call %ld: the archive is empty", at);
    store_run_list_fini(&list);
    add_runs(store, "after", 1);
    store_close(store);
    return is_new;
}

int main(void)
{
    AUTO(scratch_fini) struct scratch scratch;
    struct err err = {0};
    char copy[SCRATCH_FILE_BYTES];
    scratch_init(&scratch);
    snprintf(copy, sizeof copy, "%s", scratch_file(&scratch, "copy.db"));
    struct store *source = open_archive(scratch_file(&scratch, "source"));
    add_runs(source, "new", NEW_RUNS);
    must(store_backup(source, copy, &err), "copy", &err);
    store_close(source);

    long kills = 0, old = 0;
    bool is_over = false, was_new = false;
    while (!is_over) {
        char name[32], directory[SCRATCH_FILE_BYTES];
        snprintf(name, sizeof name, "data-%ld", ++kills);
        snprintf(directory, sizeof directory, "%s", scratch_file(&scratch, name));
        leave_archive(directory, "old", OLD_RUNS);
        is_over = restore_and_die(directory, copy, kills);
        bool is_new = look_at_archive(directory, kills);
        if ((was_new && !is_new) || (is_over && !is_new))
            errx(EXIT_FAILURE, "call %ld goes back to the old archive", kills);
        old += !is_new;
        was_new = is_new;
    }
    if (old == 0 || old + 1 >= kills)
        errx(EXIT_FAILURE, "%ld kills, %ld before the restore was decided: both sides have to be there",
             kills, old);
    printf("archive_restore: killed at %ld calls, %ld left the old archive, the others the new one\n",
           kills - 1, old);
    return EXIT_SUCCESS;
}
