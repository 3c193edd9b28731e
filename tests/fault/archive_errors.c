/* archive_errors: the N-th allocation, open, read, write or fsync fails, N rising until none is left to fail.
 *
 * Each time an archive is opened, written, read and copied. What fails must say so in words; asked again it
 * must succeed, unless an fsync failed, after which nothing may be written; and the archive opened afterwards
 * must be whole and hold everything that was acknowledged.
 *
 * The calls are failed by functions of this program that stand in front of libc's, for SQLite too.
 * IPCLAB_FAULT_STEP=1 tries every N; by default N grows in steps once it is large. Closing line on standard
 * output, exit 0 when all is well. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "db/store.h"
#include "tests/fault/calls.h"
#include "tests/support/archive.h"
#include "tests/support/scratch.h"

/* ---- the faults ---- */

enum call { CALL_ALLOCATE, CALL_OPEN, CALL_READ, CALL_WRITE, CALL_SYNC };

static struct {
    bool armed, fired;
    enum call call;
    long left; /* calls of this kind until the one that fails */
    int error;
} fault;

static bool fails(enum call call)
{
    if (!fault.armed || fault.call != call || --fault.left > 0)
        return false;
    fault.armed = false;
    fault.fired = true;
    errno = fault.error;
    return true;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(HAS_ASAN)
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif
void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *pointer, size_t size);

void *malloc(size_t size)
{
    return fails(CALL_ALLOCATE) ? NULL : REAL(malloc)(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(CALL_ALLOCATE) ? NULL : REAL(calloc)(count, size);
}

void *realloc(void *pointer, size_t size)
{
    return fails(CALL_ALLOCATE) ? NULL : REAL(realloc)(pointer, size);
}

static int call_open(const char *path, int flags, mode_t mode)
{
    return fails(CALL_OPEN) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static ssize_t call_write(int fd, const void *bytes, size_t length, off_t offset)
{
    return fails(CALL_WRITE) ? -1 : syscall(SYS_pwrite64, fd, bytes, length, offset);
}

static int call_truncate(int fd, off_t length)
{
    return fails(CALL_WRITE) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t offset)
{
    return fails(CALL_READ) ? -1 : syscall(SYS_pread64, fd, bytes, length, offset);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t offset)
{
    return pread64(fd, bytes, length, offset);
}

/* A sync that does not fail need not wait for the disk: nothing here loses power. */
int fsync(int fd)
{
    (void)fd;
    return fails(CALL_SYNC) ? -1 : 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

/* ---- what is done to the archive ---- */

enum { SAMPLES = 300, TRIALS = 2 };

struct subject {
    char directory[SCRATCH_FILE_BYTES], copy[SCRATCH_FILE_BYTES];
    struct store *store;
    struct store_run run, imported;
    struct store_trial trials[TRIALS];
    int64_t acknowledged_run, acknowledged_trials;
    bool is_import_acknowledged;
    struct store_run_list list;
};

static int do_open(struct subject *subject, struct err *err)
{
    return store_open(subject->directory, &subject->store, err);
}

static int do_insert_run(struct subject *subject, struct err *err)
{
    struct store_idempotency key = {.key = "key", .body_hash = "hash"};
    int rc = store_run_insert(subject->store, &subject->run, archive_cases, ARCHIVE_CASES, &key, err);
    if (rc == 0)
        subject->acknowledged_run = subject->run.id;
    return rc;
}

static int do_start(struct subject *subject, struct err *err)
{
    struct store_run_change start = {.state = RUN_RUNNING, .started_ms = 1, .isolation = "{\"cage\":true}"};
    return store_run_change(subject->store, subject->run.id, &start, err);
}

static int insert_trial(struct subject *subject, int number, const struct store_run_change *change,
                        struct err *err)
{
    struct store_trial *trial = &subject->trials[number];
    trial->run_id = subject->run.id;
    int rc = store_trial_insert(subject->store, trial, true, change, err);
    if (rc == 0)
        subject->acknowledged_trials++;
    return rc;
}

static int do_first_trial(struct subject *subject, struct err *err)
{
    return insert_trial(subject, 0, NULL, err);
}

static int do_last_trial(struct subject *subject, struct err *err)
{
    struct store_run_change end = {.state = RUN_DONE, .finished_ms = 2, .message = "complete"};
    return insert_trial(subject, 1, &end, err);
}

static int count_trial(void *context, const struct store_trial *trial)
{
    (void)trial;
    ++*(int64_t *)context;
    return 0;
}

static int do_read(struct subject *subject, struct err *err)
{
    struct store_run run;
    int64_t trials = 0, id = subject->run.id;
    int rc = store_run_get(subject->store, id, &run, err);
    if (rc < 0)
        return rc;
    store_run_fini(&run);
    AUTO_FREE struct store_case *cases = NULL;
    size_t case_count = 0;
    rc = store_run_cases(subject->store, id, &cases, &case_count, err);
    if (rc == 0)
        rc = store_trial_each(subject->store, id, 0, 0, STORE_TRIAL_HISTOGRAM | STORE_TRIAL_SERIES,
                              count_trial, &trials, err);
    return rc;
}

static int do_list(struct subject *subject, struct err *err)
{
    struct store_run_query query = {
        .limit = 1, .state = -1, .text = "e", .mechanism = "pipe", .tag = "demo", .sort = STORE_SORT_NAME};
    int rc = store_run_list(subject->store, &query, &subject->list, err);
    store_run_list_fini(&subject->list);
    return rc;
}

/* Begun anew when asked again: what was begun before stays out of sight. */
static int do_import(struct subject *subject, struct err *err)
{
    int64_t id = 0;
    size_t at = 0;
    struct store_run run = subject->imported;
    int rc = store_import_begin(subject->store, &run, NULL, archive_cases, ARCHIVE_CASES, &id, err);
    if (rc == 0)
        rc = store_import_trials(subject->store, id, subject->trials, TRIALS, &at, err);
    if (rc == 0)
        rc = store_import_finish(subject->store, id, &run, 3, err);
    subject->is_import_acknowledged = rc == 0;
    return rc;
}

static int do_retain(struct subject *subject, struct err *err)
{
    const struct store_retention retention = {.now_ms = 4};
    struct store_retention_place place = {.job = 0};
    int rc = store_import_recover(subject->store, err);
    while (rc == 0 && (rc = store_retain(subject->store, &retention, &place, err)) > 0)
        rc = 0;
    return rc;
}

static int do_copy(struct subject *subject, struct err *err)
{
    return store_backup(subject->store, subject->copy, err);
}

static const struct step {
    const char *name;
    int (*run)(struct subject *subject, struct err *err);
} steps[] = {
    {"open", do_open},           {"insert a run", do_insert_run},   {"start it", do_start},
    {"a trial", do_first_trial}, {"the last trial", do_last_trial}, {"read", do_read},
    {"list", do_list},           {"import a run", do_import},       {"drop what was begun", do_retain},
    {"copy", do_copy},
};

/* ---- the archive it is done to ---- */

static const char *const archive_files[] = {"ipclab.db", "ipclab.db-wal", "ipclab.db-shm"};
enum { ARCHIVE_FILES = sizeof archive_files / sizeof archive_files[0] };

/* An archive as a killed server leaves it: a run in the log alone. */
struct crashed {
    unsigned char *bytes[ARCHIVE_FILES];
    size_t lengths[ARCHIVE_FILES];
};
static struct crashed short_log, long_log;

/* Changes until the log has almost as many pages as it may have before it is written into the file. */
static void fill_log(struct store *store, const char *log)
{
    enum { PAGES = 990, FRAME_BYTES = 4096 + 24 };
    struct store_run_patch patch = {.note = "changed", .pinned = -1};
    struct err err = {0};
    struct stat status;
    do
        if (store_run_patch(store, 1, 0, &patch, &err) < 0 || stat(log, &status) < 0)
            errx(EXIT_FAILURE, "fill the log: %s", err.text);
    while (status.st_size < PAGES * FRAME_BYTES);
}

static void take_crashed(struct crashed *crashed, bool fills_log)
{
    AUTO(scratch_fini) struct scratch scratch;
    struct store *store = NULL;
    struct err err = {0};
    scratch_init(&scratch);
    if (store_open(scratch.path, &store, &err) < 0 || archive_add_run(store, "earlier", &err) < 0)
        errx(EXIT_FAILURE, "make an archive: %s", err.text);
    if (fills_log)
        fill_log(store, scratch_file(&scratch, "ipclab.db-wal"));
    for (size_t i = 0; i < ARCHIVE_FILES; i++)
        crashed->bytes[i] = scratch_read(scratch_file(&scratch, archive_files[i]), &crashed->lengths[i]);
    store_close(store);
}

static void put_crashed(const struct crashed *crashed, struct scratch *scratch)
{
    mkdir(scratch_file(scratch, "data"), 0700);
    for (size_t i = 0; i < ARCHIVE_FILES; i++) {
        char name[64];
        snprintf(name, sizeof name, "data/%s", archive_files[i]);
        scratch_write(scratch_file(scratch, name), crashed->bytes[i], crashed->lengths[i]);
    }
}

struct scenario {
    const char *name;
    const struct crashed *crashed; /* NULL: there is no archive yet */
};

static const struct scenario scenarios[] = {
    {"a new archive", NULL},
    {"after a crash", &short_log},
    {"with a checkpoint", &long_log}, /* some commit writes the log into the file */
};

static void prepare(struct subject *subject, struct scratch *scratch, const struct scenario *scenario)
{
    scratch_init(scratch);
    snprintf(subject->directory, sizeof subject->directory, "%s", scratch_file(scratch, "data"));
    snprintf(subject->copy, sizeof subject->copy, "%s", scratch_file(scratch, "copy.db"));
    if (scenario->crashed != NULL)
        put_crashed(scenario->crashed, scratch);
    subject->run = archive_run("under faults");
    subject->imported = archive_run("from elsewhere");
    subject->imported.state = RUN_DONE;
    for (int i = 0; i < TRIALS; i++)
        subject->trials[i] = archive_trial(0, i, SAMPLES);
}

/* ---- one try ---- */

struct tally {
    long faults, errors, ridden_out, broken;
};

static const struct {
    const char *name;
    enum call call;
    int error;
} kinds[] = {
    {"malloc: ENOMEM", CALL_ALLOCATE, ENOMEM},
    {"open: EMFILE", CALL_OPEN, EMFILE},
    {"read: EIO", CALL_READ, EIO},
    {"write: EIO", CALL_WRITE, EIO},
    {"write: ENOSPC", CALL_WRITE, ENOSPC},
    {"fsync: EIO", CALL_SYNC, EIO},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static char situation[256]; /* for a failure's message */

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...)
{
    fault.armed = false;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "archive_errors: %s: ", situation);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(EXIT_FAILURE);
}

/* After a failed fsync nothing may be written, and reading goes on. */
static void expect_broken(struct subject *subject)
{
    struct err err = {0};
    int64_t count = 0;
    if (store_run_recover(subject->store, &count, &err) != -EROFS)
        fail("a write was tried after a failed fsync");
    if (store_run_queued_count(subject->store, &count, &err) < 0)
        fail("a read failed after a failed fsync: %s", err.text);
}

/* True when the steps go on. */
static bool take_step(struct subject *subject, const struct step *step, int error, struct tally *tally)
{
    struct err err = {0};
    int rc = step->run(subject, &err);
    if (rc == 0)
        return true;
    if (subject->store != NULL && store_health(subject->store) == STORE_BROKEN && rc == -EROFS)
        return false; /* the commit before had reached the disk, the checkpoint after it had not */
    tally->errors++;
    if (!fault.fired)
        fail("%s failed without a fault: %s", step->name, err.text);
    if (err.text[0] == '\0' || err.code != -rc)
        fail("%s returned %d and said \"%s\" (%d)", step->name, rc, err.text, err.code);
    /* SQLite takes some reads that fail while it opens a file for damage. */
    bool is_taken_for_damage = rc == -EBADMSG && step->run == do_open && fault.call == CALL_READ;
    if (rc != -error && rc != -EIO && !is_taken_for_damage)
        fail("%s returned %d for errno %d: %s", step->name, rc, error, err.text);
    if (subject->store != NULL && store_health(subject->store) == STORE_BROKEN) {
        expect_broken(subject);
        tally->broken++;
        return false;
    }
    rc = step->run(subject, &err);
    if (rc < 0)
        fail("%s failed again: %s", step->name, err.text);
    return true;
}

static int compare_trial(void *context, const struct store_trial *trial)
{
    const struct subject *subject = context;
    const struct store_trial *sent = &subject->trials[trial->sequence];
    bool same = trial->histogram.length == sent->histogram.length &&
                trial->series.length == sent->series.length &&
                memcmp(trial->histogram.bytes, sent->histogram.bytes, sent->histogram.length) == 0 &&
                memcmp(trial->series.bytes, sent->series.bytes, sent->series.length) == 0;
    if (!same)
        fail("trial %lld is not what was sent", (long long)trial->sequence);
    return 1;
}

/* It is there with all its trials, or nobody sees any of it. */
static void check_import(const struct subject *subject, struct store *store)
{
    struct err err = {0};
    struct store_run run;
    int64_t id = 0, trials = 0;
    int rc = store_run_find(store, subject->imported.uid, &id, &err);
    if (rc == -ENOENT && !subject->is_import_acknowledged)
        return;
    if (rc < 0 || store_run_get(store, id, &run, &err) < 0)
        fail("an acknowledged import is lost: %s", err.text);
    bool is_whole = run.trials_done == TRIALS && run.deleted_ms == 0;
    store_run_fini(&run);
    if (store_trial_each(store, id, 0, 0, 0, count_trial, &trials, &err) < 0 || trials != TRIALS || !is_whole)
        fail("half an import is to be seen");
}

/* The archive as the next server finds it. */
static void check_afterwards(struct subject *subject, const struct scenario *scenario)
{
    struct store *store = NULL;
    struct store_run run;
    struct err err = {0};
    if (store_open(subject->directory, &store, &err) < 0)
        fail("the archive does not open afterwards: %s", err.text);
    archive_must_be_whole(store);
    if (scenario->crashed != NULL && store_run_get(store, 1, &run, &err) < 0)
        fail("the earlier run is lost: %s", err.text);
    if (scenario->crashed != NULL)
        store_run_fini(&run);
    if (subject->acknowledged_run != 0) {
        if (store_run_get(store, subject->acknowledged_run, &run, &err) < 0)
            fail("an acknowledged run is lost: %s", err.text);
        if (run.trials_done < subject->acknowledged_trials)
            fail("%lld trials of %lld are left", (long long)run.trials_done,
                 (long long)subject->acknowledged_trials);
        store_run_fini(&run);
        int64_t trials = 0;
        if (store_trial_each(store, subject->acknowledged_run, 0, 0,
                             STORE_TRIAL_HISTOGRAM | STORE_TRIAL_SERIES, compare_trial, subject, &err) < 0 ||
            store_trial_each(store, subject->acknowledged_run, 0, 0, 0, count_trial, &trials, &err) < 0)
            fail("the trials cannot be read: %s", err.text);
        if (trials < subject->acknowledged_trials)
            fail("an acknowledged trial is lost");
    }
    check_import(subject, store);
    store_close(store);
}

/* False when the n-th call was never made: there is no fault left to try. */
static bool try_once(const struct scenario *scenario, int kind, long n, struct tally *tally)
{
    AUTO(scratch_fini) struct scratch scratch;
    static struct subject subject;
    subject = (struct subject){.store = NULL};
    snprintf(situation, sizeof situation, "%s, %s, call %ld", scenario->name, kinds[kind].name, n);
    prepare(&subject, &scratch, scenario);

    long errors_before = tally->errors;
    fault.call = kinds[kind].call;
    fault.error = kinds[kind].error;
    fault.left = n;
    fault.fired = false;
    fault.armed = true;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (!take_step(&subject, &steps[i], kinds[kind].error, tally))
            break;
    store_close(subject.store);
    fault.armed = false;

    if (fault.fired) {
        tally->faults++;
        tally->ridden_out += tally->errors == errors_before;
    }
    check_afterwards(&subject, scenario);
    for (int i = 0; i < TRIALS; i++)
        store_trial_fini(&subject.trials[i]);
    return fault.fired;
}

/* Every n at first; then, unless all are asked for, ever larger steps. */
static long next_n(long n)
{
    enum { ALL_UP_TO = 12 };
    const char *step = getenv("IPCLAB_FAULT_STEP");
    if (step != NULL)
        return n + strtol(step, NULL, 10);
    return n + (n > ALL_UP_TO && n / 8 > 1 ? n / 8 : 1);
}

int main(void)
{
    struct tally all = {0};
    take_crashed(&short_log, false);
    take_crashed(&long_log, true);
    for (size_t s = 0; s < sizeof scenarios / sizeof scenarios[0]; s++) {
        for (int kind = 0; kind < KINDS; kind++) {
            struct tally tally = {0};
            for (long n = 1; try_once(&scenarios[s], kind, n, &tally); n = next_n(n))
                ;
            printf("%-18s %-15s %5ld faults: %5ld errors (%ld for good), %ld ridden out\n", scenarios[s].name,
                   kinds[kind].name, tally.faults, tally.errors, tally.broken, tally.ridden_out);
            all.faults += tally.faults;
            all.errors += tally.errors;
        }
    }
    for (size_t i = 0; i < ARCHIVE_FILES; i++) {
        free(short_log.bytes[i]);
        free(long_log.bytes[i]);
    }
    printf("archive_errors: %ld faults, %ld errors said so, 0 lost, every archive whole\n", all.faults,
           all.errors);
    return EXIT_SUCCESS;
}
