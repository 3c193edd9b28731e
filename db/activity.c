#include <errno.h>

#include "db/internal.h"
#include "db/store_activities.h"

/* ---- what attempts and checks share ---- */

int activity_must_have_changed(struct store *store, int64_t id, struct err *err)
{
    if (sqlite3_changes(store->db) > 0)
        return 0;
    return err_set(err, ESTALE, "number %lld is in another state by now", (long long)id);
}

static int begin_row(struct store *store, const char *sql, int64_t id, int64_t started_ms, int64_t machine_id,
                     struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive a beginning", sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, started_ms);
    bind_integer(&statement, machine_id);
    bind_integer(&statement, id);
    rc = statement_run(&statement, err);
    return rc == 0 ? activity_must_have_changed(store, id, err) : rc;
}

int activity_begin(struct store *store, const char *sql, int64_t id, int64_t started_ms, int64_t machine_id,
                   struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "archive a beginning", &transaction, err);
    if (rc == 0)
        rc = begin_row(store, sql, id, started_ms, machine_id, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

/* ---- the queue ---- */

#define NEXT(table) "SELECT id FROM " table " WHERE state = 'queued' ORDER BY id LIMIT 1"
#define COUNT(table) "SELECT count(*) FROM " table " WHERE state = 'queued'"
#define CANCEL(table)                                                                                        \
    "UPDATE " table " SET state = 'cancelled', finished_ms = ? WHERE id = ? AND state = 'queued'"
#define RECOVER(table)                                                                                       \
    "UPDATE " table                                                                                          \
    " SET state = 'failed', finished_ms = ?, cause = 'the server ended while it was going on'"               \
    " WHERE state = 'running'"

static const char attempt_next_sql[] = NEXT("attempt"), check_next_sql[] = NEXT("claim_check");
static const char attempt_count_sql[] = COUNT("attempt"), check_count_sql[] = COUNT("claim_check");
static const char attempt_cancel_sql[] = CANCEL("attempt"), check_cancel_sql[] = CANCEL("claim_check");
static const char attempt_recover_sql[] = RECOVER("attempt"), check_recover_sql[] = RECOVER("claim_check");

int store_activity_next(struct store *store, enum store_activity kind, int64_t *id, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "find what is next",
                            kind == STORE_ATTEMPTS ? attempt_next_sql : check_next_sql, &statement, err);
    if (rc == 0)
        rc = statement_step(&statement, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(err, ENOENT, "nothing is queued");
    *id = read_integer(&statement);
    return 0;
}

int store_activity_queued_count(struct store *store, enum store_activity kind, int64_t *count,
                                struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "count what is queued",
                            kind == STORE_ATTEMPTS ? attempt_count_sql : check_count_sql, &statement, err);
    if (rc == 0)
        rc = statement_step(&statement, err);
    if (rc < 0)
        return rc;
    *count = read_integer(&statement);
    return 0;
}

static int run_at(struct store *store, const char *sql, int64_t now_ms, int64_t id, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive an end", sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, now_ms);
    if (id > 0)
        bind_integer(&statement, id);
    return statement_run(&statement, err);
}

int store_activity_cancel_queued(struct store *store, enum store_activity kind, int64_t id,
                                 int64_t finished_ms, struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "archive an end", &transaction, err);
    if (rc == 0)
        rc = run_at(store, kind == STORE_ATTEMPTS ? attempt_cancel_sql : check_cancel_sql, finished_ms, id,
                    err);
    if (rc == 0)
        rc = activity_must_have_changed(store, id, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

int store_activity_recover(struct store *store, int64_t now_ms, int64_t *count, struct err *err)
{
    *count = 0;
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "mark what was interrupted", &transaction, err);
    int64_t recovered = 0;
    if (rc == 0)
        rc = run_at(store, attempt_recover_sql, now_ms, 0, err);
    if (rc == 0)
        recovered = sqlite3_changes(store->db);
    if (rc == 0)
        rc = run_at(store, check_recover_sql, now_ms, 0, err);
    if (rc == 0)
        recovered += sqlite3_changes(store->db);
    if (rc == 0)
        rc = transaction_commit(&transaction, err);
    if (rc == 0)
        *count = recovered;
    return rc;
}
