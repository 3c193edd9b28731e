#include "db/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "db/internal.h"

/* A larger file is not read whole at every start; `ipclab verify` does that (store_verify). */
enum { CHECK_AT_OPEN_BYTES_MAX = 64 << 20 };

#define STORE_HEALTH_NAME(symbol, name) [symbol] = (name),
const char *const store_health_names[STORE_HEALTH_COUNT] = {STORE_HEALTH_WORDS(STORE_HEALTH_NAME)};

enum store_health store_health(const struct store *store)
{
    return store->health;
}

const char *store_health_reason(const struct store *store)
{
    return store->reason;
}

static char *path_with(const char *path, const char *ending)
{
    char *whole = NULL;
    return asprintf(&whole, "%s%s", path, ending) < 0 ? NULL : whole;
}

/* ---- a new archive ---- */

static int fill_new(struct store *store, const char *path, const struct migration *list, size_t count,
                    struct err *err)
{
    char mark[64];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %" PRId64, STORE_APPLICATION_ID);
    int rc = connection_open(store, path, CONNECTION_CREATE, err);
    if (rc == 0)
        rc = connection_run(store, "mark the archive", mark, err);
    if (rc == 0)
        rc = migrate_run(store, 0, list, count, err);
    if (rc == 0)
        rc = connection_trust(store, err);
    connection_close(store);
    return rc;
}

/* Under another name until it is whole: a start that was killed leaves no empty archive behind, which the
 * next start would have to refuse. */
static int create(struct store *store, const struct migration *list, size_t count, struct err *err)
{
    AUTO_FREE char *unfinished = path_with(store->path, ".new");
    if (unfinished == NULL)
        return err_errno(err, ENOMEM, "create %s", store->path);
    directory_remove_database(unfinished);
    int rc = fill_new(store, unfinished, list, count, err);
    if (rc == -EBADMSG) { /* SQLite's word for some failed reads; but there was nothing to be damaged */
        struct err said = *err;
        rc = err_set(err, EIO, "create %s: %s", store->path, said.text);
    }
    if (rc == 0)
        rc = directory_rename(unfinished, store->path, err);
    if (rc < 0)
        directory_remove_database(unfinished);
    return rc;
}

/* ---- an archive that is there ---- */

static int check_pages(struct store *store, struct err *err)
{
    struct stat status;
    if (stat(store->path, &status) < 0)
        return err_errno(err, errno, "look at %s", store->path);
    if (status.st_size > CHECK_AT_OPEN_BYTES_MAX)
        return 0;
    /* Asked twice, because a page that once could not be read, for want of memory say, is among the findings.
     */
    char finding[ERR_TEXT_BYTES / 2] = "";
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0 && strcmp(finding, "ok") != 0; i++)
        rc = connection_word(store, "check the archive", "PRAGMA quick_check(1)", finding, sizeof finding,
                             err);
    if (rc == 0 && strcmp(finding, "ok") != 0)
        return err_set(err, EBADMSG, "%s is damaged: %s", store->path, finding);
    return rc;
}

static int read_version(struct store *store, int64_t *version, struct err *err)
{
    int rc = connection_integer(store, "read the schema version", "PRAGMA user_version", version, err);
    if (rc == 0 && *version < 1)
        return err_set(err, EBADMSG, "%s has no schema version", store->path);
    return rc;
}

static int migrate_with_copy(struct store *store, int64_t version, const struct migration *list, size_t count,
                             struct err *err)
{
    char ending[32];
    snprintf(ending, sizeof ending, ".schema-%04" PRId64, version);
    AUTO_FREE char *copy = path_with(store->path, ending);
    if (copy == NULL)
        return err_errno(err, ENOMEM, "copy %s before its migration", store->path);
    int rc = store_backup(store, copy, err);
    return rc < 0 ? rc : migrate_run(store, version, list, count, err);
}

static int open_newer(struct store *store, int64_t version, size_t newest, struct err *err)
{
    connection_close(store);
    int rc = connection_open(store, store->path, CONNECTION_READ, err);
    if (rc < 0)
        return rc;
    char reason[ERR_TEXT_BYTES];
    snprintf(reason, sizeof reason,
             "a newer ipclab has written this archive (schema %" PRId64
             ", this program knows %zu): start that one to change anything",
             version, newest);
    store_set_health(store, STORE_READ_ONLY, reason);
    return 0;
}

static int open_present(struct store *store, const struct migration *list, size_t count, struct err *err)
{
    int64_t version = 0;
    int rc = connection_open(store, store->path, CONNECTION_WRITE, err);
    if (rc == 0)
        rc = read_version(store, &version, err);
    if (rc < 0)
        return rc;
    if (version > (int64_t)count)
        return open_newer(store, version, count, err);
    rc = check_pages(store, err);
    if (rc == 0 && version < (int64_t)count)
        rc = migrate_with_copy(store, version, list, count, err);
    if (rc == 0)
        rc = connection_trust(store, err);
    /* Now the log is there. SQLite syncs its directory too, but does not look whether that worked. */
    return rc < 0 ? rc : directory_sync(store->path, err);
}

/* The file and its log may be of two archives until a restore that was killed is finished. */
static int must_be_settled(const char *path, struct err *err)
{
    return restore_is_unfinished(path) ? err_set(err, EBUSY,
                                                 "a restore of %s was cut short: start the server or restore "
                                                 "again, which finishes it",
                                                 path)
                                       : 0;
}

/* On a read-only file system there is nobody to lock out. */
static int open_fixed(struct store *store, size_t newest, struct err *err)
{
    int64_t version = 0;
    int rc = connection_open(store, store->path, CONNECTION_READ_FIXED, err);
    if (rc == 0)
        rc = read_version(store, &version, err);
    if (rc == 0)
        rc = check_pages(store, err);
    if (rc < 0)
        return rc;
    if (version < (int64_t)newest)
        return err_set(err, EROFS, "%s needs a migration and is on a read-only file system", store->path);
    store_set_health(store, STORE_READ_ONLY, "the file system of the archive is read-only");
    return 0;
}

static int open_any(struct store *store, const char *directory, const struct migration *list, size_t count,
                    struct err *err)
{
    int rc = directory_prepare(directory, err);
    if (rc == 0)
        rc = directory_lock(directory, &store->lock_fd, err);
    bool fixed = rc == -EROFS;
    if (rc < 0 && !fixed)
        return rc;
    bool present = false;
    rc = fixed ? must_be_settled(store->path, err) : restore_finish(store->path, NULL, err);
    if (rc == 0)
        rc = directory_inspect(store->path, &present, err);
    if (rc < 0)
        return rc;
    if (!present && fixed)
        return err_set(err, EROFS, "there is no archive in %s, and it is read-only", directory);
    if (fixed)
        return open_fixed(store, count, err);
    if (!present)
        rc = create(store, list, count, err);
    return rc < 0 ? rc : open_present(store, list, count, err);
}

int store_open_migrating(const char *directory, const struct migration *list, size_t count,
                         struct store **opened, struct err *err)
{
    *opened = NULL;
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return err_errno(err, ENOMEM, "open the archive in %s", directory);
    store->lock_fd = -1;
    store->path = path_with(directory, "/ipclab.db");
    struct err said = {0};
    int rc = store->path != NULL ? open_any(store, directory, list, count, &said)
                                 : err_errno(&said, ENOMEM, "open the archive in %s", directory);
    if (rc == 0) {
        *opened = store;
        return 0;
    }
    if (rc == -EBADMSG)
        rc = err_set(err, EBADMSG,
                     "%s. It was left as it is: put a copy back with `ipclab restore`, save what is "
                     "readable with `sqlite3 %s "
                     ".recover`, or move it away to begin a new archive",
                     said.text, store->path);
    else if (err != NULL)
        *err = said;
    store_close(store);
    return rc;
}

int store_open(const char *directory, struct store **store, struct err *err)
{
    return store_open_migrating(directory, migrations, migrations_count, store, err);
}

/* Without a file system to write to there is no log's index either, and nobody who could change the file. */
static enum connection_mode reading_mode(const char *path)
{
    return access(path, W_OK) < 0 && errno == EROFS ? CONNECTION_READ_FIXED : CONNECTION_READ;
}

/* A file that nobody has open has no log beside it, and gets none for being looked at. */
static enum connection_mode foreign_mode(const char *path)
{
    AUTO_FREE char *log = path_with(path, "-wal");
    return log != NULL && access(log, F_OK) < 0 ? CONNECTION_READ_FIXED : reading_mode(path);
}

static int note_change(struct store *store, struct err *err)
{
    struct stat status;
    if (stat(store->path, &status) < 0)
        return err_errno(err, errno, "look at %s", store->path);
    store->fixed_at = status.st_mtim;
    return 0;
}

int store_must_be_unchanged(const struct store *store, struct err *err)
{
    struct store now = {.path = store->path};
    if (store->fixed_at.tv_sec == 0)
        return 0;
    int rc = note_change(&now, err);
    if (rc < 0 || memcmp(&now.fixed_at, &store->fixed_at, sizeof now.fixed_at) == 0)
        return rc;
    return err_set(err, EBUSY, "a server took %s up while it was read: once more", store->path);
}

static int open_foreign(struct store *store, struct err *err)
{
    bool present = true;
    int64_t version = 0;
    int rc = must_be_settled(store->path, err);
    if (rc == 0)
        rc = directory_inspect(store->path, &present, err);
    if (rc == 0 && !present)
        rc = err_set(err, ENOENT, "there is no archive %s", store->path);
    enum connection_mode mode = foreign_mode(store->path);
    if (rc == 0 && mode == CONNECTION_READ_FIXED)
        rc = note_change(store, err);
    if (rc == 0)
        rc = connection_open(store, store->path, mode, err);
    return rc == 0 ? read_version(store, &version, err) : rc;
}

static int open_reading(char *path, bool is_foreign, struct store **opened, struct err *err)
{
    *opened = NULL;
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL || path == NULL) {
        free(store);
        free(path);
        return err_set(err, ENOMEM, "out of memory for the archive");
    }
    *store = (struct store){.lock_fd = -1, .path = path};
    int rc = is_foreign ? open_foreign(store, err) : connection_open(store, path, reading_mode(path), err);
    if (rc < 0) {
        store_close(store);
        return rc;
    }
    store_set_health(store, STORE_READ_ONLY, "it was opened for reading only");
    *opened = store;
    return 0;
}

int store_open_reading(const char *directory, struct store **opened, struct err *err)
{
    return open_reading(path_with(directory, "/ipclab.db"), false, opened, err);
}

int store_open_file(const char *path, struct store **opened, struct err *err)
{
    return open_reading(path_with(path, ""), true, opened, err);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    connection_close(store);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    free(store->path);
    free(store);
}
