#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "db/internal.h"

enum {
    BUSY_TIMEOUT_MS = 1000,  /* somebody's sqlite3 shell; never a second server, the lock keeps it out */
    CHECKPOINT_PAGES = 1000, /* SQLite's own default: about 4 MB of log */
    LOG_PAGE_BYTES = 4096 + 24,
};

static const char connection_pragmas[] = "PRAGMA foreign_keys = ON;"
                                         "PRAGMA trusted_schema = OFF;"
                                         "PRAGMA synchronous = FULL;"
                                         "PRAGMA cell_size_check = ON;"
                                         "PRAGMA temp_store = MEMORY;"
                                         "PRAGMA cache_size = -16384;"; /* KiB: the runs of a full archive */

/* ---- what an error means ---- */

struct meaning {
    int status, code;
};

/* Extended codes first, then the families. */
static const struct meaning meanings[] = {
    {SQLITE_CONSTRAINT_UNIQUE, EEXIST},
    {SQLITE_CONSTRAINT_PRIMARYKEY, EEXIST},
    {SQLITE_CONSTRAINT_ROWID, EEXIST},
    {SQLITE_CONSTRAINT_FOREIGNKEY, ENOENT},
    {SQLITE_IOERR_NOMEM, ENOMEM},
    {SQLITE_CONSTRAINT, EINVAL},
    {SQLITE_MISMATCH, EINVAL},
    {SQLITE_TOOBIG, EINVAL},
    {SQLITE_NOMEM, ENOMEM},
    {SQLITE_FULL, ENOSPC},
    {SQLITE_READONLY, EROFS},
    {SQLITE_CORRUPT, EBADMSG},
    {SQLITE_NOTADB, EBADMSG},
    {SQLITE_BUSY, EBUSY},
    {SQLITE_LOCKED, EBUSY},
};

/* A full disk shows as SQLITE_FULL only when write(2) says ENOSPC; a quota, a file size limit and the shared
 * index come as I/O errors. */
static bool disk_is_full(int system_errno)
{
    return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG;
}

static bool sync_failed(int status)
{
    return status == SQLITE_IOERR_FSYNC || status == SQLITE_IOERR_DIR_FSYNC;
}

static int code_of(int status, int system_errno)
{
    if (!sync_failed(status) && disk_is_full(system_errno))
        return ENOSPC;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (meanings[i].status == status || meanings[i].status == (status & 0xFF))
            return meanings[i].code;
    return EIO;
}

void store_set_health(struct store *store, enum store_health health, const char *reason)
{
    store->health = health;
    text_copy(store->reason, sizeof store->reason, reason);
}

int store_fail(struct store *store, const char *task, int status, struct err *err)
{
    int system_errno = (status & 0xFF) == SQLITE_IOERR ? errno : 0;
    int code = code_of(status, system_errno);
    /* The connection's message is about its last call; ours may be another one's. */
    bool is_last = store->db != NULL && sqlite3_extended_errcode(store->db) == status;
    struct err said;
    err_set(&said, code, "could not %s: %s%s%s (SQLite %d)", task,
            is_last ? sqlite3_errmsg(store->db) : sqlite3_errstr(status), system_errno != 0 ? ": " : "",
            system_errno != 0 ? strerror(system_errno) : "", status);
    if (sync_failed(status))
        store_set_health(store, STORE_BROKEN, said.text);
    else if (code == ENOSPC && store->health == STORE_OK)
        store_set_health(store, STORE_FULL, said.text);
    if (err != NULL)
        *err = said;
    return -code;
}

/* ---- the connection ---- */

/* SQLite's own checkpoint after a commit hides a failed fsync; so the hook only remembers. */
static int note_log_length(void *context, sqlite3 *db, const char *schema, int pages)
{
    (void)db;
    (void)schema;
    struct store *store = context;
    store->wal_pages = pages;
    return SQLITE_OK;
}

/* The file may grow by all that is in the log, which is written anew only when that has succeeded: on a small
 * disk it must not wait until there is no room for both. */
static bool log_is_long(const struct store *store)
{
    struct statvfs disk;
    if (store->wal_pages >= CHECKPOINT_PAGES)
        return true;
    return statvfs(store->path, &disk) == 0 && disk.f_blocks > 0 &&
           (uint64_t)store->wal_pages * LOG_PAGE_BYTES > (uint64_t)disk.f_bavail * disk.f_frsize / 2;
}

static void checkpoint(struct store *store, int mode)
{
    errno = 0;
    int status = sqlite3_wal_checkpoint_v2(store->db, NULL, mode, NULL, NULL);
    if (status != SQLITE_OK && status != SQLITE_BUSY)
        store_fail(store, "write the log into the archive", status, NULL);
}

void connection_checkpoint(struct store *store)
{
    if (log_is_long(store))
        checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
}

void connection_free_log(struct store *store)
{
    sqlite3_busy_timeout(store->db, 0); /* whoever reads the log keeps it; the loop does not wait for that */
    checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
}

static bool has_log(const char *path)
{
    AUTO_FREE char *log = NULL;
    if (asprintf(&log, "%s-wal", path) < 0) {
        log = NULL;
        return true;
    }
    struct stat status;
    return stat(log, &status) == 0 && status.st_size > 0;
}

/* file:PATH?immutable=1, since a read-only medium has no room for the log's shared index. With a log left
 * behind the plain path: SQLite reads it through the index that lies beside it. */
static char *fixed_uri(const char *path)
{
    struct text uri = TEXT_EMPTY;
    if (has_log(path)) {
        text_append(&uri, path);
        return text_take(&uri);
    }
    text_append(&uri, "file:");
    for (const char *c = path; *c != '\0'; c++) {
        if (strchr("%?#", *c) != NULL)
            text_printf(&uri, "%%%02X", (unsigned)(unsigned char)*c);
        else
            text_append_char(&uri, *c);
    }
    text_append(&uri, "?immutable=1");
    return text_take(&uri);
}

/* When SQLite cannot open a file for writing it tries to read it, and reports that failure or none at all; so
 * the reason is asked for beforehand. It also makes a new file ours alone. */
static int check_writable(const char *path, enum connection_mode mode, struct err *err)
{
    if (mode != CONNECTION_CREATE && mode != CONNECTION_WRITE)
        return 0;
    int create = mode == CONNECTION_CREATE ? O_CREAT : 0;
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC | create, 0600);
    return fd >= 0 ? 0 : err_errno(err, errno, "open %s", path);
}

static int open_file(const char *path, enum connection_mode mode, sqlite3 **db)
{
    static const int flags[] = {
        [CONNECTION_CREATE] = SQLITE_OPEN_READWRITE,
        [CONNECTION_WRITE] = SQLITE_OPEN_READWRITE,
        [CONNECTION_READ] = SQLITE_OPEN_READONLY,
        [CONNECTION_READ_FIXED] = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
    };
    int all_flags = flags[mode] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (mode != CONNECTION_READ_FIXED)
        return sqlite3_open_v2(path, db, all_flags, NULL);
    AUTO_FREE char *uri = fixed_uri(path);
    return uri != NULL ? sqlite3_open_v2(uri, db, all_flags, NULL) : SQLITE_NOMEM;
}

static void forbid_checkpoint_on_close(struct store *store, int forbidden)
{
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, forbidden, NULL);
}

static int opened_for_reading_only(const char *path, struct err *err)
{
    return err_set(err, EIO, "%s could be opened for reading only", path);
}

int connection_open(struct store *store, const char *path, enum connection_mode mode, struct err *err)
{
    int rc = check_writable(path, mode, err);
    if (rc < 0)
        return rc;
    errno = 0;
    int status = open_file(path, mode, &store->db);
    if (status != SQLITE_OK)
        return store_fail(store, "open the archive", status, err);
    bool is_writing = mode == CONNECTION_CREATE || mode == CONNECTION_WRITE;
    if (is_writing && sqlite3_db_readonly(store->db, "main") == 1)
        return opened_for_reading_only(path, err);
    forbid_checkpoint_on_close(store, 1);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
    sqlite3_wal_hook(store->db, note_log_length, store);
    status = checksum_register(store->db);
    if (status != SQLITE_OK)
        return store_fail(store, "open the archive", status, err);
    return connection_run(store, "open the archive", connection_pragmas, err);
}

int connection_trust(struct store *store, struct err *err)
{
    char mode[8];
    int rc = connection_word(store, "turn on the archive's log", "PRAGMA journal_mode = WAL", mode,
                             sizeof mode, err);
    if (rc < 0)
        return rc;
    if (strcmp(mode, "wal") != 0)
        return err_set(err, EIO, "the file system of %s cannot hold a write-ahead log (journal mode %s)",
                       store->path, mode);
    /* Where the log or its index could be opened for reading only, nothing but a write notices. */
    rc = connection_run(store, "write to the archive", "BEGIN IMMEDIATE; ROLLBACK", err);
    if (rc < 0)
        return rc == -EROFS ? opened_for_reading_only(store->path, err) : rc;
    forbid_checkpoint_on_close(store, 0);
    return 0;
}

void connection_close(struct store *store)
{
    if (store->db == NULL)
        return;
    for (size_t i = 0; i < store->slot_count; i++)
        sqlite3_finalize(store->slots[i].handle);
    store->slot_count = 0;
    store->wal_pages = 0;
    if (store->health == STORE_BROKEN)
        forbid_checkpoint_on_close(store, 1);
    sqlite3_close(store->db);
    store->db = NULL;
}

int connection_run(struct store *store, const char *task, const char *sql, struct err *err)
{
    errno = 0;
    int status = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return status == SQLITE_OK ? 0 : store_fail(store, task, status, err);
}

int connection_integer(struct store *store, const char *task, const char *sql, int64_t *value,
                       struct err *err)
{
    char word[24];
    int rc = connection_word(store, task, sql, word, sizeof word, err);
    *value = rc < 0 ? 0 : strtoll(word, NULL, 10);
    return rc;
}

int connection_word(struct store *store, const char *task, const char *sql, char *word, size_t word_bytes,
                    struct err *err)
{
    word[0] = '\0';
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_prepare(store, task, sql, &statement, err);
    if (rc == 0)
        rc = statement_step(&statement, err);
    if (rc <= 0)
        return rc;
    read_text_into(&statement, word, word_bytes);
    rc = statement_check(&statement, err);
    /* To the end: PRAGMA journal_mode writes after its row, and only its last step tells whether it could. */
    return rc < 0 ? rc : statement_run(&statement, err);
}
