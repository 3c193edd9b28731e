#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "db/internal.h"

/* ---- the cache ---- */

static struct statement_slot *slot_of(struct store *store, const char *sql)
{
    for (size_t i = 0; i < store->slot_count; i++)
        if (store->slots[i].sql == sql)
            return &store->slots[i];
    return NULL;
}

static void keep(struct store *store, struct statement *statement, const char *sql)
{
    if (store->slot_count == STATEMENT_SLOTS)
        return;
    statement->slot = &store->slots[store->slot_count++];
    *statement->slot = (struct statement_slot){.sql = sql, .handle = statement->handle, .in_use = true};
}

static int prepare(struct statement *statement, const char *sql, unsigned flags, struct err *err)
{
    errno = 0;
    int status = sqlite3_prepare_v3(statement->store->db, sql, -1, flags, &statement->handle, NULL);
    return status == SQLITE_OK ? 0 : store_fail(statement->store, statement->task, status, err);
}

int statement_prepare(struct store *store, const char *task, const char *sql, struct statement *statement,
                      struct err *err)
{
    *statement = (struct statement){.store = store, .task = task};
    return prepare(statement, sql, 0, err);
}

int statement_open(struct store *store, const char *task, const char *sql, struct statement *statement,
                   struct err *err)
{
    *statement = (struct statement){.store = store, .task = task};
    struct statement_slot *slot = slot_of(store, sql);
    if (slot != NULL && !slot->in_use) {
        slot->in_use = true;
        statement->slot = slot;
        statement->handle = slot->handle;
        return 0;
    }
    int rc = prepare(statement, sql, SQLITE_PREPARE_PERSISTENT, err);
    /* A statement that is stepping already (a visitor asks the same of another run) gets a twin for once. */
    if (rc == 0 && slot == NULL)
        keep(store, statement, sql);
    return rc;
}

void statement_close(struct statement *statement)
{
    if (statement->handle == NULL)
        return;
    if (statement->slot != NULL) {
        sqlite3_reset(statement->handle);
        sqlite3_clear_bindings(statement->handle);
        statement->slot->in_use = false;
    } else {
        sqlite3_finalize(statement->handle);
    }
    *statement = STATEMENT_NONE;
}

int statement_check(struct statement *statement, struct err *err)
{
    if (statement->status == SQLITE_OK)
        return 0;
    return store_fail(statement->store, statement->task, statement->status, err);
}

int statement_open_row(struct store *store, const char *task, const char *sql, int64_t id,
                       struct statement *statement, struct err *err)
{
    int rc = statement_open(store, task, sql, statement, err);
    if (rc < 0)
        return rc;
    bind_integer(statement, id);
    return statement_step(statement, err);
}

int statement_step(struct statement *statement, struct err *err)
{
    int rc = statement_check(statement, err);
    if (rc < 0)
        return rc;
    statement->read = 0;
    errno = 0;
    int status = sqlite3_step(statement->handle);
    if (status == SQLITE_ROW)
        return 1;
    if (status == SQLITE_DONE)
        return 0;
    return store_fail(statement->store, statement->task, status, err);
}

int statement_run(struct statement *statement, struct err *err)
{
    int rc = 0;
    do
        rc = statement_step(statement, err);
    while (rc > 0);
    return rc;
}

/* ---- values in ---- */

static void note(struct statement *statement, int status)
{
    if (statement->status == SQLITE_OK)
        statement->status = status;
}

void bind_integer(struct statement *statement, int64_t value)
{
    note(statement, sqlite3_bind_int64(statement->handle, ++statement->bound, value));
}

void bind_integer_or_null(struct statement *statement, int64_t value)
{
    if (value != 0)
        bind_integer(statement, value);
    else
        note(statement, sqlite3_bind_null(statement->handle, ++statement->bound));
}

void bind_unsigned(struct statement *statement, uint64_t value)
{
    bind_integer(statement, value <= INT64_MAX ? (int64_t)value : INT64_MAX);
}

void bind_real(struct statement *statement, double value)
{
    note(statement, sqlite3_bind_double(statement->handle, ++statement->bound, value)); /* NAN binds NULL */
}

void bind_real_or_null(struct statement *statement, double value)
{
    bind_real(statement, value > 0 ? value : (double)NAN);
}

void bind_text(struct statement *statement, const char *value)
{
    note(statement, sqlite3_bind_text(statement->handle, ++statement->bound, value, -1, SQLITE_STATIC));
}

void bind_blob(struct statement *statement, const void *bytes, size_t length)
{
    const void *some = bytes != NULL ? bytes : ""; /* a NULL pointer would bind NULL */
    note(statement, sqlite3_bind_blob64(statement->handle, ++statement->bound, some, length, SQLITE_STATIC));
}

/* ---- values out ---- */

int64_t read_integer(struct statement *statement)
{
    return sqlite3_column_int64(statement->handle, statement->read++);
}

uint64_t read_unsigned(struct statement *statement)
{
    return (uint64_t)read_integer(statement);
}

double read_real(struct statement *statement)
{
    int column = statement->read++;
    bool is_null = sqlite3_column_type(statement->handle, column) == SQLITE_NULL;
    return is_null ? (double)NAN : sqlite3_column_double(statement->handle, column);
}

/* The column's text, "" for NULL; NULL when there was no memory to convert it. */
static const char *column_text(struct statement *statement)
{
    int column = statement->read++;
    if (sqlite3_column_type(statement->handle, column) == SQLITE_NULL)
        return "";
    const char *text = (const char *)sqlite3_column_text(statement->handle, column);
    if (text == NULL)
        note(statement, SQLITE_NOMEM);
    return text;
}

char *read_text(struct statement *statement)
{
    const char *text = column_text(statement);
    char *copy = text != NULL ? strdup(text) : NULL;
    if (copy == NULL)
        note(statement, SQLITE_NOMEM);
    return copy;
}

void read_text_into(struct statement *statement, char *to, size_t to_bytes)
{
    const char *text = column_text(statement);
    text_copy(to, to_bytes, text != NULL ? text : "");
}

void read_blob(struct statement *statement, struct text *to)
{
    int column = statement->read++;
    text_clear(to);
    const void *bytes = sqlite3_column_blob(statement->handle, column);
    int length = sqlite3_column_bytes(statement->handle, column);
    if (bytes != NULL)
        text_append_bytes(to, bytes, (size_t)length);
    else if (length > 0)
        note(statement, SQLITE_NOMEM);
    if (!text_ok(to))
        note(statement, SQLITE_NOMEM);
}

int read_word(struct statement *statement, const char *const *table, size_t count)
{
    const char *text = column_text(statement);
    int index = text != NULL ? text_index_of(text, table, count) : -1;
    if (index < 0)
        note(statement, SQLITE_CORRUPT);
    return index >= 0 ? index : 0;
}

/* ---- transactions ---- */

static int run_once(struct store *store, const char *task, const char *sql, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, task, sql, &statement, err);
    return rc < 0 ? rc : statement_run(&statement, err);
}

int transaction_begin(struct store *store, const char *task, struct transaction *transaction, struct err *err)
{
    static const char begin_sql[] = "BEGIN IMMEDIATE", rollback_sql[] = "ROLLBACK";
    if (store->health == STORE_READ_ONLY || store->health == STORE_BROKEN)
        return err_set(err, EROFS, "could not %s: the archive is read-only: %s", task, store->reason);
    int rc = statement_open(store, task, rollback_sql, &transaction->rollback, err);
    if (rc == 0)
        rc = run_once(store, task, begin_sql, err);
    if (rc < 0) {
        statement_close(&transaction->rollback);
        return rc;
    }
    transaction->store = store;
    transaction->task = task;
    return 0;
}

int transaction_commit(struct transaction *transaction, struct err *err)
{
    static const char commit_sql[] = "COMMIT";
    struct store *store = transaction->store;
    int rc = run_once(store, transaction->task, commit_sql, err);
    if (rc < 0)
        return rc;
    statement_close(&transaction->rollback);
    *transaction = TRANSACTION_NONE;
    if (store->health == STORE_FULL)
        store_set_health(store, STORE_OK, "");
    connection_checkpoint(store);
    return 0;
}

void transaction_rollback(struct transaction *transaction)
{
    if (transaction->store == NULL)
        return;
    /* SQLite has rolled back by itself after some errors, a full disk among them. */
    if (sqlite3_get_autocommit(transaction->store->db) == 0)
        sqlite3_step(transaction->rollback.handle);
    statement_close(&transaction->rollback);
    if (transaction->store->health == STORE_FULL)
        connection_free_log(transaction->store);
    *transaction = TRANSACTION_NONE;
}
