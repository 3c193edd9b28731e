/* archive_power: the power goes while the archive is written, at any call, and what was acknowledged is
 * there.
 *
 * This program's own open, pwrite, ftruncate, rename, unlink and fsync stand in front of libc's, for SQLite
 * too, and note every change of the archive's directory while runs and trials are archived. Afterwards discs
 * are made from the notes as a loss of power may leave them at some call: of a file what was synced, and of
 * what was written since nothing, all, some calls, some sectors, or all up to a torn one; of the directory
 * what was synced and some first part of what was done since. From each disc the archive must open, be whole,
 * hold all that was acknowledged before, and take another run.
 *
 * The control is the same with a disc that forgets to sync, as with PRAGMA synchronous=OFF: were it not found
 * out, the others would show nothing. The model is SQLite's own (https://sqlite.org/atomiccommit.html): a
 * sector is written whole or not, and no byte changes that was not written.
 *
 * IPCLAB_DISCS = how many (default 160), IPCLAB_SEED = other ones (default 1). Closing line on standard
 * output, exit 0 when all is well. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "db/store.h"
#include "tests/fault/calls.h"
#include "tests/support/archive.h"
#include "tests/support/random.h"
#include "tests/support/scratch.h"

enum {
    DISCS = 160,
    CONTROLS = 40,
    CONTROL_PERCENT_MIN = 5,
    SECTOR_BYTES = 512,
    FILES_MAX = 32,
    NAME_BYTES = 64
};

/* ---- what was done to the directory ---- */

enum deed_kind {
    DEED_CREATE,         /* name, file */
    DEED_UNLINK,         /* name */
    DEED_RENAME,         /* name to to */
    DEED_SYNC_DIRECTORY, /* */
    DEED_WRITE,          /* file, offset, length, bytes */
    DEED_TRUNCATE,       /* file, length */
    DEED_SYNC,           /* file */
    DEED_ACKNOWLEDGE,    /* acknowledged: the commit was reported to have happened */
};

/* A run with this many changes, and of its trials this one, if any. */
struct acknowledged {
    int64_t run_id, rev, sequence;
    uint32_t checksum;
};

struct deed {
    enum deed_kind kind;
    int file; /* each creation makes another one */
    char name[NAME_BYTES], to[NAME_BYTES];
    size_t offset, length;
    unsigned char *bytes;
    struct acknowledged acknowledged;
};

static struct {
    bool armed;
    char directory[SCRATCH_FILE_BYTES];
    struct deed *deeds;
    size_t count, capacity;
    ino_t inodes[FILES_MAX];
    int files;
} notes;

static struct deed *note(enum deed_kind kind)
{
    if (notes.count == notes.capacity) {
        notes.capacity = notes.capacity > 0 ? 2 * notes.capacity : 4096;
        notes.deeds = realloc(notes.deeds, notes.capacity * sizeof notes.deeds[0]);
        if (notes.deeds == NULL)
            errx(EXIT_FAILURE, "archive_power: no memory");
    }
    notes.deeds[notes.count] = (struct deed){.kind = kind, .file = -1};
    return &notes.deeds[notes.count++];
}

/* The file's name, or NULL when it does not outlive the power: the log's index is made anew, the lock is
 * empty. */
static const char *noted_name(const char *path)
{
    size_t length = strlen(notes.directory);
    if (!notes.armed || strncmp(path, notes.directory, length) != 0 || path[length] != '/')
        return NULL;
    const char *name = path + length + 1, *ending = strrchr(name, '-');
    bool is_index = ending != NULL && strcmp(ending, "-shm") == 0;
    return is_index || strcmp(name, "lock") == 0 ? NULL : name;
}

static int noted_file(int fd)
{
    struct stat status;
    if (!notes.armed || fstat(fd, &status) < 0)
        return -1;
    for (int i = notes.files - 1; i >= 0; i--) /* the newest: numbers of inodes come back */
        if (notes.inodes[i] == status.st_ino)
            return i;
    return -1;
}

static void note_creation(const char *name, int fd)
{
    struct stat status;
    if (notes.files == FILES_MAX || fstat(fd, &status) < 0)
        errx(EXIT_FAILURE, "archive_power: cannot note the file %s", name);
    struct deed *deed = note(DEED_CREATE);
    snprintf(deed->name, sizeof deed->name, "%s", name);
    deed->file = notes.files;
    notes.inodes[notes.files++] = status.st_ino;
}

/* ---- the calls, for SQLite too ---- */

static int call_open(const char *path, int flags, mode_t mode)
{
    const char *name = noted_name(path);
    bool is_new = name != NULL && (flags & O_CREAT) != 0 && access(path, F_OK) < 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && is_new)
        note_creation(name, fd);
    return fd;
}

static ssize_t call_write(int fd, const void *bytes, size_t length, off_t offset)
{
    ssize_t written = syscall(SYS_pwrite64, fd, bytes, length, offset);
    int file = noted_file(fd);
    if (written <= 0 || file < 0)
        return written;
    struct deed *deed = note(DEED_WRITE);
    deed->file = file;
    deed->offset = (size_t)offset;
    deed->length = (size_t)written;
    deed->bytes = malloc(deed->length);
    if (deed->bytes == NULL)
        errx(EXIT_FAILURE, "archive_power: no memory");
    memcpy(deed->bytes, bytes, deed->length);
    return written;
}

static int call_truncate(int fd, off_t length)
{
    int rc = (int)syscall(SYS_ftruncate, fd, length);
    int file = noted_file(fd);
    if (rc < 0 || file < 0)
        return rc;
    struct deed *deed = note(DEED_TRUNCATE);
    deed->file = file;
    deed->length = (size_t)length;
    return rc;
}

int rename(const char *from, const char *to)
{
    int rc = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (rc < 0 || noted_name(from) == NULL)
        return rc;
    struct deed *deed = note(DEED_RENAME);
    snprintf(deed->name, sizeof deed->name, "%s", noted_name(from));
    snprintf(deed->to, sizeof deed->to, "%s", noted_name(to));
    return rc;
}

int unlink(const char *path)
{
    int rc = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (rc == 0 && noted_name(path) != NULL)
        snprintf(note(DEED_UNLINK)->name, NAME_BYTES, "%s", noted_name(path));
    return rc;
}

/* The disc that is under this test need not wait for the real one. */
int fsync(int fd)
{
    struct stat status;
    int file = noted_file(fd);
    if (file >= 0)
        note(DEED_SYNC)->file = file;
    else if (notes.armed && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        note(DEED_SYNC_DIRECTORY);
    return 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

/* ---- what is archived meanwhile ---- */

enum { TRIALS_A_RUN = 4, SAMPLES = 400, NOTE_BYTES = 60000 };

static void must(int rc, const char *what, const struct err *err)
{
    if (rc < 0)
        errx(EXIT_FAILURE, "archive_power: %s: %s", what, err->text);
}

static void acknowledge(struct store *store, int64_t run_id, const struct store_trial *trial)
{
    struct err err = {0};
    struct store_run run;
    must(store_run_get(store, run_id, &run, &err), "read a run", &err);
    struct acknowledged *acknowledged = &note(DEED_ACKNOWLEDGE)->acknowledged;
    *acknowledged = (struct acknowledged){.run_id = run_id, .rev = run.rev, .sequence = -1};
    if (trial != NULL) {
        acknowledged->sequence = trial->sequence;
        acknowledged->checksum = bytes_crc32(trial->histogram.bytes, trial->histogram.length);
    }
    store_run_fini(&run);
}

static int64_t archive_one_run(struct store *store)
{
    struct err err = {0};
    struct store_run_change start = {.state = RUN_RUNNING}, end = {.state = RUN_DONE};
    int64_t id = archive_add_run(store, "powered", &err);
    must(id < 0 ? -1 : 0, "insert a run", &err);
    acknowledge(store, id, NULL);
    must(store_run_change(store, id, &start, &err), "start a run", &err);
    for (int64_t i = 0; i < TRIALS_A_RUN; i++) {
        AUTO(store_trial_fini) struct store_trial trial = archive_trial(id, i, SAMPLES);
        must(store_trial_insert(store, &trial, true, i == TRIALS_A_RUN - 1 ? &end : NULL, &err),
             "insert a trial", &err);
        acknowledge(store, id, &trial);
    }
    return id;
}

static size_t count_of(enum deed_kind kind, size_t from)
{
    size_t count = 0;
    for (size_t i = from; i < notes.count; i++)
        count += notes.deeds[i].kind == kind;
    return count;
}

/* Changes until one has the log written into the file: SQLite syncs the log for each, and the file then. */
static void fill_log(struct store *store, int64_t run_id)
{
    static char text[NOTE_BYTES + 1];
    struct store_run_patch patch = {.note = text, .pinned = -1};
    struct err err = {0};
    size_t from = notes.count;
    for (char letter = 'a'; count_of(DEED_SYNC, from) < 2; letter = letter == 'a' ? 'b' : 'a') {
        memset(text, letter, NOTE_BYTES); /* all of its pages change */
        from = notes.count;
        must(store_run_patch(store, run_id, 0, &patch, &err), "patch a run", &err);
        acknowledge(store, run_id, NULL);
    }
}

/* A new archive; one that was closed; a log that is written into the file and begun again. */
static void archive(void)
{
    enum { SESSIONS = 2, RUNS_A_SESSION = 2 };
    for (int session = 0; session < SESSIONS; session++) {
        struct store *store = NULL;
        struct err err = {0};
        must(store_open(notes.directory, &store, &err), "open", &err);
        for (int i = 0; i < RUNS_A_SESSION; i++)
            archive_one_run(store);
        if (session > 0) {
            fill_log(store, 1);
            archive_one_run(store);
        }
        store_close(store);
    }
}

/* ---- the disc ---- */

struct file {
    unsigned char *bytes; /* as synced */
    size_t length, capacity;
    size_t unsynced_from; /* deeds from this one on are not */
};

struct entry {
    char name[NAME_BYTES];
    int file; /* -1 = free */
};

struct disc {
    struct file files[FILES_MAX];
    struct entry entries[FILES_MAX]; /* as synced */
    size_t entries_unsynced_from;
};

static void file_resize(struct file *file, size_t length)
{
    if (length > file->capacity) {
        file->capacity = 2 * length;
        file->bytes = realloc(file->bytes, file->capacity);
        if (file->bytes == NULL)
            errx(EXIT_FAILURE, "archive_power: no memory");
    }
    if (length > file->length)
        memset(file->bytes + file->length, 0, length - file->length);
    file->length = length;
}

static void file_put(struct file *file, const struct deed *deed, size_t from, size_t to)
{
    if (deed->offset + to > file->length)
        file_resize(file, deed->offset + to);
    memcpy(file->bytes + deed->offset + from, deed->bytes + from, to - from);
}

static struct entry *entry_find(struct entry *entries, const char *name)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (name != NULL ? entries[i].file >= 0 && strcmp(entries[i].name, name) == 0 : entries[i].file < 0)
            return &entries[i];
    return NULL;
}

static void entry_remove(struct entry *entries, const char *name)
{
    struct entry *entry = entry_find(entries, name);
    if (entry != NULL)
        entry->file = -1;
}

static void entry_add(struct entry *entries, const char *name, int file)
{
    entry_remove(entries, name);
    struct entry *entry = entry_find(entries, NULL);
    if (entry == NULL)
        errx(EXIT_FAILURE, "archive_power: no room for the file %s", name);
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->file = file;
}

/* Deeds that are no change of the directory change nothing here. */
static void entries_change(struct entry *entries, const struct deed *deed)
{
    if (deed->kind == DEED_CREATE)
        entry_add(entries, deed->name, deed->file);
    if (deed->kind == DEED_UNLINK)
        entry_remove(entries, deed->name);
    if (deed->kind == DEED_RENAME) {
        const struct entry *entry = entry_find(entries, deed->name);
        if (entry != NULL)
            entry_add(entries, deed->to, entry->file);
        entry_remove(entries, deed->name);
    }
}

/* What is left of the calls that were not synced. */
enum loss { LOSS_ALL, LOSS_NOTHING, LOSS_CALLS, LOSS_SECTORS, LOSS_TAIL, LOSS_COUNT };

static uint64_t random_state;

/* Sectors as the disc counts them, from the start of the file, not of the call. */
static void put_sectors(struct file *file, const struct deed *deed, bool until_torn)
{
    for (size_t from = 0, to; from < deed->length; from = to) {
        to = from + SECTOR_BYTES - (deed->offset + from) % SECTOR_BYTES;
        to = to < deed->length ? to : deed->length;
        if (random_below(&random_state, 2) == 0)
            file_put(file, deed, from, to);
        else if (until_torn)
            return;
    }
}

static void file_lose(struct file *file, int number, size_t from, size_t end, enum loss loss)
{
    size_t torn = loss == LOSS_TAIL ? from + random_below(&random_state, end - from + 1) : end;
    for (size_t i = from; i < end && i <= torn; i++) {
        const struct deed *deed = &notes.deeds[i];
        if (deed->file != number || (loss == LOSS_CALLS && random_below(&random_state, 2) == 0))
            continue;
        if (deed->kind == DEED_TRUNCATE && (loss != LOSS_SECTORS || random_below(&random_state, 2) == 0))
            file_resize(file, deed->length);
        if (deed->kind == DEED_WRITE && (loss == LOSS_SECTORS || i == torn))
            put_sectors(file, deed, loss == LOSS_TAIL);
        else if (deed->kind == DEED_WRITE)
            file_put(file, deed, 0, deed->length);
    }
}

/* The disc after the deeds before end. */
static void disc_init(struct disc *disc, size_t end, bool syncs)
{
    *disc = (struct disc){.entries_unsynced_from = 0};
    for (int i = 0; i < FILES_MAX; i++)
        disc->entries[i].file = -1;
    for (size_t i = 0; i < end && syncs; i++) {
        const struct deed *deed = &notes.deeds[i];
        if (deed->kind == DEED_SYNC) {
            struct file *file = &disc->files[deed->file];
            file_lose(file, deed->file, file->unsynced_from, i, LOSS_NOTHING);
            file->unsynced_from = i;
        } else if (deed->kind == DEED_SYNC_DIRECTORY) {
            for (; disc->entries_unsynced_from < i; disc->entries_unsynced_from++)
                entries_change(disc->entries, &notes.deeds[disc->entries_unsynced_from]);
        }
    }
}

/* As the next start finds it. What was done to the directory is kept in its order, as by a journal. */
static void disc_lose(struct disc *disc, size_t end)
{
    size_t kept =
        disc->entries_unsynced_from + random_below(&random_state, end - disc->entries_unsynced_from + 1);
    if (random_below(&random_state, 2) == 0)
        kept = end;
    for (size_t i = disc->entries_unsynced_from; i < kept; i++)
        entries_change(disc->entries, &notes.deeds[i]);
    enum loss loss = (enum loss)random_below(&random_state, LOSS_COUNT);
    for (int i = 0; i < notes.files && loss != LOSS_ALL; i++)
        file_lose(&disc->files[i], i, disc->files[i].unsynced_from, end, loss);
}

static void disc_put(const struct disc *disc, struct scratch *scratch)
{
    mkdir(scratch_file(scratch, "data"), 0700);
    for (int i = 0; i < FILES_MAX; i++) {
        const struct entry *entry = &disc->entries[i];
        char name[NAME_BYTES + 8];
        snprintf(name, sizeof name, "data/%s", entry->name);
        if (entry->file >= 0)
            scratch_write(scratch_file(scratch, name), disc->files[entry->file].bytes,
                          disc->files[entry->file].length);
    }
}

static void disc_fini(struct disc *disc)
{
    for (int i = 0; i < FILES_MAX; i++)
        free(disc->files[i].bytes);
}

/* ---- what the next start makes of it ---- */

struct search {
    const struct acknowledged *wanted;
    bool found;
};

static int look_at(void *context, const struct store_trial *trial)
{
    struct search *search = context;
    uint32_t checksum = bytes_crc32(trial->histogram.bytes, trial->histogram.length);
    search->found |= trial->sequence == search->wanted->sequence && checksum == search->wanted->checksum;
    return 0;
}

static bool is_kept(struct store *store, const struct acknowledged *wanted)
{
    struct err err = {0};
    struct store_run run;
    if (store_run_get(store, wanted->run_id, &run, &err) < 0)
        return false;
    bool is_run_kept = run.rev >= wanted->rev;
    store_run_fini(&run);
    struct search search = {.wanted = wanted};
    return is_run_kept &&
           (wanted->sequence < 0 || (store_trial_each(store, wanted->run_id, 0, 0, STORE_TRIAL_HISTOGRAM,
                                                      look_at, &search, &err) == 0 &&
                                     search.found));
}

static void keep_finding(void *context, const char *finding)
{
    err_set(context, EBADMSG, "%s", finding);
}

/* 0, or what is wrong in *err. */
static int examine(struct store *store, size_t end, struct err *err)
{
    int64_t findings = 0, count = 0;
    int rc = store_verify(store, keep_finding, err, &findings, err);
    if (rc < 0 || findings > 0)
        return -EBADMSG;
    for (size_t i = 0; i < end; i++) {
        const struct acknowledged *wanted = &notes.deeds[i].acknowledged;
        if (notes.deeds[i].kind == DEED_ACKNOWLEDGE && !is_kept(store, wanted))
            return err_set(err, ENOENT, "run %lld, change %lld, trial %lld is lost",
                           (long long)wanted->run_id, (long long)wanted->rev, (long long)wanted->sequence);
    }
    rc = store_run_recover(store, &count, err);
    return rc < 0 || archive_add_run(store, "afterwards", err) < 0 ? -EIO : 0;
}

static int lose_power(size_t end, bool syncs, struct err *err)
{
    AUTO(scratch_fini) struct scratch scratch;
    AUTO(disc_fini) struct disc disc;
    struct store *store = NULL;
    scratch_init(&scratch);
    disc_init(&disc, end, syncs);
    disc_lose(&disc, end);
    disc_put(&disc, &scratch);
    int rc = store_open(scratch_file(&scratch, "data"), &store, err);
    if (rc == 0)
        rc = examine(store, end, err);
    store_close(store);
    return rc;
}

/* ---- all of it ---- */

static bool ends_stretch(const struct deed *deed)
{
    return deed->kind == DEED_SYNC || deed->kind == DEED_ACKNOWLEDGE;
}

/* A call in a stretch between two syncs or acknowledgements: a short one is met as often as a long one. */
static size_t random_moment(void)
{
    uint64_t stretch = random_below(&random_state, count_of(DEED_SYNC, 0) + count_of(DEED_ACKNOWLEDGE, 0));
    size_t from = 0;
    for (; stretch > 0; from++)
        stretch -= ends_stretch(&notes.deeds[from]);
    size_t to = from;
    while (!ends_stretch(&notes.deeds[to]))
        to++;
    return from + random_below(&random_state, to - from + 1) + random_below(&random_state, 2);
}

static uint64_t environment_or(const char *name, uint64_t fallback)
{
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : fallback;
}

int main(void)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    snprintf(notes.directory, sizeof notes.directory, "%s", scratch_file(&scratch, "data"));
    notes.armed = true;
    archive();
    notes.armed = false;
    if (count_of(DEED_SYNC, 0) == 0)
        errx(EXIT_FAILURE, "archive_power: the calls of SQLite went past this program");
    random_state = random_seeded();
    uint64_t discs = environment_or("IPCLAB_DISCS", DISCS), lost = 0, controls_lost = 0;
    for (uint64_t i = 0; i < discs; i++) {
        struct err err = {0};
        size_t end = random_moment();
        if (lose_power(end, true, &err) == 0)
            continue;
        fprintf(stderr, "archive_power: power lost before call %zu of %zu: %s\n", end, notes.count, err.text);
        lost++;
    }
    for (int i = 0; i < CONTROLS; i++)
        controls_lost += lose_power(random_moment(), false, &(struct err){0}) < 0;
    printf("archive_power: %zu calls, %zu syncs, %zu commits acknowledged; power lost %llu times: %llu discs "
           "bad; "
           "%llu of %d without syncs\n",
           notes.count, count_of(DEED_SYNC, 0), count_of(DEED_ACKNOWLEDGE, 0), (unsigned long long)discs,
           (unsigned long long)lost, (unsigned long long)controls_lost, CONTROLS);
    for (size_t i = 0; i < notes.count; i++)
        free(notes.deeds[i].bytes);
    free(notes.deeds);
    return lost == 0 && controls_lost * 100 > CONTROLS * CONTROL_PERCENT_MIN ? EXIT_SUCCESS : EXIT_FAILURE;
}
