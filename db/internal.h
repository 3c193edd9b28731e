/* internal: what the files of db/ share; nothing outside db/ includes it.
 *
 * A query reads straight down: statement_open, bind_… in the order of the ?s, statement_step, read_… in the
 * order of the columns. Binding and reading remember their first failure, and the next step or
 * statement_check reports it. The cleanup attribute puts a statement back and rolls an unfinished transaction
 * back.
 *
 * Every failure passes through store_fail, the one place that knows what an SQLite code means to the caller
 * and to the health of the archive. */
#ifndef IPCLAB_DB_INTERNAL_H
#define IPCLAB_DB_INTERNAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/text.h"
#include "db/migrate.h"
#include "db/store.h"

/* "IPCL": marks the file as ours (PRAGMA application_id). */
#define STORE_APPLICATION_ID INT64_C(0x4950434C)

enum { STATEMENT_SLOTS = 64 };

struct statement_slot {
    const char *sql; /* identity: the address of a static string */
    sqlite3_stmt *handle;
    bool in_use;
};

struct store {
    sqlite3 *db;
    int lock_fd;              /* -1: opened without the lock, on a read-only file system */
    char *path;               /* DIR/ipclab.db */
    int wal_pages;            /* in the log after the last commit */
    struct timespec fixed_at; /* the file's last change, if it was opened as one that nobody changes */
    enum store_health health;
    char reason[ERR_TEXT_BYTES];
    size_t slot_count;
    struct statement_slot slots[STATEMENT_SLOTS];
};

/* ---- connection.c: one SQLite connection, and what its errors mean ---- */

enum connection_mode {
    CONNECTION_CREATE,    /* a new file, before it is the archive */
    CONNECTION_WRITE,     /* the one writing connection */
    CONNECTION_READ,      /* a schema that is newer than ours */
    CONNECTION_READ_FIXED /* a file on a medium that cannot be written */
};
int connection_open(struct store *store, const char *path, enum connection_mode mode, struct err *err);
/* Finalizes the cached statements too. A connection that was never trusted, or not any more, leaves its log
 * as it is; otherwise the log goes into the file. */
void connection_close(struct store *store);
/* From here on closing may write the log into the file. */
int connection_trust(struct store *store, struct err *err);
int connection_run(struct store *store, const char *task, const char *sql, struct err *err);
int connection_integer(struct store *store, const char *task, const char *sql, int64_t *value,
                       struct err *err);
/* The first column of the first row. */
int connection_word(struct store *store, const char *task, const char *sql, char *word, size_t word_bytes,
                    struct err *err);
/* Writes the log into the file once it is long, for the disk or for itself. Its failure is the archive's
 * health, not the transaction's: that has reached the disk in the log. */
void connection_checkpoint(struct store *store);
/* On a full disk: writes it into the file and gives back the room it took, where that can be done at once. */
void connection_free_log(struct store *store);

/* -errno for an SQLite code, with *err filled ("could not TASK: …"), and the archive's health set. For I/O
 * errors errno tells the cause, so it is cleared before each call: sqlite3_system_errno knows nothing of a
 * failed commit. */
int store_fail(struct store *store, const char *task, int status, struct err *err);
/* -EBUSY: somebody changed the file that nobody had open when it was opened; what was read of it since does
 * not belong together. */
int store_must_be_unchanged(const struct store *store, struct err *err);
void store_set_health(struct store *store, enum store_health health, const char *reason);

/* ---- statement.c: prepared statements and transactions ---- */

struct statement {
    struct store *store;
    const char *task; /* for the error: "read the run" */
    sqlite3_stmt *handle;
    struct statement_slot *slot; /* NULL: not cached, finalized at the end */
    int bound, read;
    int status; /* first failure while binding or reading */
};
#define AUTO_STATEMENT AUTO(statement_close) struct statement
#define STATEMENT_NONE ((struct statement){.handle = NULL})

/* sql is a static string: its address is the key of the cache. */
int statement_open(struct store *store, const char *task, const char *sql, struct statement *statement,
                   struct err *err);
/* The same for a row found by its id: binds it as the only value, and steps. */
int statement_open_row(struct store *store, const char *task, const char *sql, int64_t id,
                       struct statement *statement, struct err *err);
/* For once: any string, not cached. */
int statement_prepare(struct store *store, const char *task, const char *sql, struct statement *statement,
                      struct err *err);
void statement_close(struct statement *statement);
/* 1 = a row, 0 = the end, or -errno. */
int statement_step(struct statement *statement, struct err *err);
/* Steps to the end. */
int statement_run(struct statement *statement, struct err *err);
/* 0, or the first failure of bind_… and read_…. */
int statement_check(struct statement *statement, struct err *err);

/* What is bound is borrowed until the statement is closed. */
void bind_integer(struct statement *statement, int64_t value);
void bind_integer_or_null(struct statement *statement, int64_t value); /* 0 is NULL */
void bind_unsigned(struct statement *statement, uint64_t value);
void bind_real(struct statement *statement, double value);         /* NAN is NULL */
void bind_real_or_null(struct statement *statement, double value); /* 0 is NULL */
void bind_text(struct statement *statement, const char *value);    /* NULL is NULL */
void bind_blob(struct statement *statement, const void *bytes, size_t length);

int64_t read_integer(struct statement *statement); /* NULL is 0 */
uint64_t read_unsigned(struct statement *statement);
double read_real(struct statement *statement); /* NULL is NAN */
char *read_text(struct statement *statement);  /* owned by the caller, NULL only after a failure */
void read_text_into(struct statement *statement, char *to, size_t to_bytes);
void read_blob(struct statement *statement, struct text *to);
/* A word out of a table; another word is a failure: it comes from a damaged or a newer archive. */
int read_word(struct statement *statement, const char *const *table, size_t count);

struct transaction {
    struct store *store; /* NULL: nothing to roll back */
    const char *task;
    struct statement rollback; /* ready from the start: when memory is short it is too late to prepare it */
};
#define AUTO_TRANSACTION AUTO(transaction_rollback) struct transaction
#define TRANSACTION_NONE ((struct transaction){.store = NULL})

/* -EROFS when the archive is read-only. */
int transaction_begin(struct store *store, const char *task, struct transaction *transaction,
                      struct err *err);
/* After a failure the cleanup rolls back. */
int transaction_commit(struct transaction *transaction, struct err *err);
void transaction_rollback(struct transaction *transaction);

/* ---- directory.c: the directory before SQLite sees it ---- */

int directory_prepare(const char *directory, struct err *err);
/* 0, -EBUSY naming the owner, -EROFS on a read-only file system. */
int directory_lock(const char *directory, int *lock_fd, struct err *err);
/* Is there an archive? -EBADMSG: there is a file, but none of ours; it was only read. */
int directory_inspect(const char *path, bool *present, struct err *err);
/* Makes what was made in the file's directory last. */
int directory_sync(const char *path, struct err *err);
/* A finished file takes its name, and that lasts. */
int directory_rename(const char *from, const char *to, struct err *err);
/* A database that was never finished, with its journals. */
void directory_remove_database(const char *path);

/* ---- restore.c: a copy takes the archive's place ---- */

/* Under the lock: ends what a restore that was killed had decided. *aside, unless aside is NULL: what the
 * archive before is called now, owned by the caller; left alone when there was none. */
int restore_finish(const char *path, char **aside, struct err *err);
bool restore_is_unfinished(const char *path);

/* ---- checksum.c ---- */

/* Makes the function row_checksum known; an SQLite code. */
int checksum_register(sqlite3 *db);

/* ---- trial.c ---- */

/* Inside the caller's transaction; the run's counters are the caller's. */
int trial_insert(struct store *store, const struct store_trial *trial, bool settles, int64_t *id,
                 struct err *err);
/* id and run_id of every trial that is not what was archived. */
extern const char trial_checksum_sql[];

/* ---- idempotency.c ---- */

/* Inside the caller's transaction. -EEXIST if the key is known. */
int idempotency_insert(struct store *store, int64_t run_id, int64_t now_ms,
                       const struct store_idempotency *idempotency, struct err *err);

/* ---- run_change.c ---- */

/* One UPDATE of a run inside the caller's transaction: the counters of a settled slot and a new state.
 * change may be NULL. */
int run_update(struct store *store, int64_t id, int64_t settled, int64_t failed,
               const struct store_run_change *change, struct err *err);

/* ---- run.c ---- */

/* What run_read expects, over run r, run_document d and machine m. */
#define RUN_COLUMNS                                                                                          \
    "r.id, r.uid, r.state, r.created_ms, r.started_ms, r.finished_ms, r.trials_total, r.trials_done, "       \
    "r.trials_failed, r.pinned, r.deleted_ms, r.rev, r.experiment_hash, r.machine_id, m.comparable_hash, "   \
    "m.full_hash, r.imported_ms, r.series_dropped_ms, r.histograms_dropped_ms, r.name, r.note, r.tags, "     \
    "d.experiment, d.isolation, d.overhead, d.skipped, d.message"
#define RUN_TABLES "run r JOIN run_document d ON d.run_id = r.id LEFT JOIN machine m ON m.id = r.machine_id"
void run_read(struct statement *statement, struct store_run *run);
/* Inside the caller's transaction: the row and all that belongs to it. */
int run_insert(struct store *store, int64_t *id, const struct store_run *run, const struct store_case *cases,
               size_t case_count, const struct store_idempotency *idempotency, struct err *err);
/* -EINVAL if it is too long to stand in a cursor. NULL is fine. */
int run_check_name(const char *name, struct err *err);
/* run_tag follows the JSON array run.tags. */
int run_write_tags(struct store *store, int64_t id, const char *tags, struct err *err);

/* ---- activity.c: what attempts and checks share ---- */

/* sql binds started_ms, machine_id and id, and changes a queued row alone; -ESTALE if it is none. */
int activity_begin(struct store *store, const char *sql, int64_t id, int64_t started_ms, int64_t machine_id,
                   struct err *err);
/* After an UPDATE of one row in a certain state: -ESTALE if there was none. */
int activity_must_have_changed(struct store *store, int64_t id, struct err *err);

/* ---- cursor.c: where a page of a list ended ---- */

struct cursor {
    enum store_sort sort;
    int64_t id;
    char name[STORE_NAME_BYTES_MAX + 1]; /* only when sorted by name */
};
void cursor_encode(const struct cursor *cursor, char *to, size_t to_bytes);
/* -EINVAL if it is none of ours or belongs to another order. */
int cursor_decode(const char *from, enum store_sort sort, struct cursor *cursor, struct err *err);

/* ---- migrate.c ---- */

/* Brings the schema from a version to the newest of the list, one transaction a step. */
int migrate_run(struct store *store, int64_t version, const struct migration *list, size_t count,
                struct err *err);

#endif
