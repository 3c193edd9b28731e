#include <errno.h>

#include "db/internal.h"

static int no_such_run(int64_t id, struct err *err)
{
    return err_set(err, ENOENT, "there is no run %lld", (long long)id);
}

static bool changed_nothing(const struct store *store)
{
    return sqlite3_changes(store->db) == 0;
}

/* ---- the state, for the runner ---- */

static const char run_update_sql[] =
    "UPDATE run SET trials_done = trials_done + ?, trials_failed = trials_failed + ?,"
    " state = coalesce(?, state), started_ms = coalesce(?, started_ms),"
    " finished_ms = coalesce(?, finished_ms), machine_id = coalesce(?, machine_id), rev = rev + 1"
    " WHERE id = ?";
static const char document_update_sql[] =
    "UPDATE run_document SET isolation = coalesce(?, isolation), overhead = coalesce(?, overhead),"
    " message = coalesce(?, message) WHERE run_id = ?";

static int update_row(struct store *store, int64_t id, int64_t settled, int64_t failed,
                      const struct store_run_change *change, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "change the run", run_update_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, settled);
    bind_integer(&statement, failed);
    bind_text(&statement, change != NULL ? run_state_names[change->state] : NULL);
    bind_integer_or_null(&statement, change != NULL ? change->started_ms : 0);
    bind_integer_or_null(&statement, change != NULL ? change->finished_ms : 0);
    bind_integer_or_null(&statement, change != NULL ? change->machine_id : 0);
    bind_integer(&statement, id);
    rc = statement_run(&statement, err);
    if (rc == -EEXIST)
        return err_set(err, EBUSY, "another run is running");
    return rc == 0 && changed_nothing(store) ? no_such_run(id, err) : rc;
}

static int update_document(struct store *store, int64_t id, const struct store_run_change *change,
                           struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "change the run", document_update_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, change->isolation);
    bind_text(&statement, change->overhead);
    bind_text(&statement, change->message);
    bind_integer(&statement, id);
    return statement_run(&statement, err);
}

int run_update(struct store *store, int64_t id, int64_t settled, int64_t failed,
               const struct store_run_change *change, struct err *err)
{
    int rc = update_row(store, id, settled, failed, change, err);
    if (rc < 0 || change == NULL ||
        (change->isolation == NULL && change->overhead == NULL && change->message == NULL))
        return rc;
    return update_document(store, id, change, err);
}

int store_run_change(struct store *store, int64_t id, const struct store_run_change *change, struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "change the run", &transaction, err);
    if (rc == 0)
        rc = run_update(store, id, 0, 0, change, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

static const char recover_message_sql[] =
    "UPDATE run_document SET message = 'the server ended while the run was going on'"
    " WHERE run_id IN (SELECT id FROM run WHERE state = 'running')";
static const char recover_sql[] =
    "UPDATE run SET state = 'interrupted', rev = rev + 1 WHERE state = 'running'";

static int run_plain(struct store *store, const char *task, const char *sql, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, task, sql, &statement, err);
    return rc < 0 ? rc : statement_run(&statement, err);
}

int store_run_recover(struct store *store, int64_t *count, struct err *err)
{
    static const char task[] = "mark interrupted runs";
    *count = 0;
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, task, &transaction, err);
    if (rc == 0)
        rc = run_plain(store, task, recover_message_sql, err);
    if (rc == 0)
        rc = run_plain(store, task, recover_sql, err);
    int64_t recovered = rc == 0 ? sqlite3_changes(store->db) : 0;
    if (rc == 0)
        rc = transaction_commit(&transaction, err);
    if (rc == 0)
        *count = recovered;
    return rc;
}

/* ---- the queue ---- */

static const char next_sql[] =
    "SELECT id FROM run WHERE state IN ('queued', 'interrupted') AND deleted_ms IS NULL"
    " ORDER BY state = 'queued', id LIMIT 1";
static const char waiting_sql[] =
    "SELECT count(*) FROM run WHERE state IN ('queued', 'interrupted') AND deleted_ms IS NULL";

int store_run_next(struct store *store, int64_t *id, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "find the next run", next_sql, &statement, err);
    if (rc < 0)
        return rc;
    rc = statement_step(&statement, err);
    if (rc == 0)
        return err_set(err, ENOENT, "no run is waiting");
    if (rc < 0)
        return rc;
    *id = read_integer(&statement);
    return 0;
}

int store_run_queued_count(struct store *store, int64_t *count, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "count the waiting runs", waiting_sql, &statement, err);
    if (rc < 0)
        return rc;
    rc = statement_step(&statement, err);
    if (rc < 0)
        return rc;
    *count = read_integer(&statement);
    return 0;
}

/* ---- what people change ---- */

static const char patch_sql[] = "UPDATE run SET name = coalesce(?, name), note = coalesce(?, note),"
                                " tags = coalesce(?, tags), pinned = coalesce(?, pinned), rev = rev + 1"
                                " WHERE id = ? AND (?6 = 0 OR rev = ?6) AND imported_ms IS NOT 0";
static const char exists_sql[] = "SELECT rev FROM run WHERE id = ? AND imported_ms IS NOT 0";
static const char delete_sql[] =
    "UPDATE run SET deleted_ms = ?, rev = rev + 1 WHERE id = ? AND imported_ms IS NOT 0";

/* Why a patch changed nothing: -ENOENT or -ESTALE. */
static int explain_patch(struct store *store, int64_t id, int64_t rev, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open_row(store, "read the run", exists_sql, id, &statement, err);
    if (rc == 0)
        return no_such_run(id, err);
    if (rc < 0)
        return rc;
    return err_set(err, ESTALE, "run %lld has rev %lld, not %lld", (long long)id,
                   (long long)read_integer(&statement), (long long)rev);
}

static int patch_row(struct store *store, int64_t id, int64_t rev, const struct store_run_patch *patch,
                     struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "change the run", patch_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, patch->name);
    bind_text(&statement, patch->note);
    bind_text(&statement, patch->tags);
    if (patch->pinned >= 0)
        bind_integer(&statement, patch->pinned);
    else
        bind_integer_or_null(&statement, 0);
    bind_integer(&statement, id);
    bind_integer(&statement, rev);
    rc = statement_run(&statement, err);
    return rc == 0 && changed_nothing(store) ? explain_patch(store, id, rev, err) : rc;
}

int store_run_patch(struct store *store, int64_t id, int64_t rev, const struct store_run_patch *patch,
                    struct err *err)
{
    int rc = run_check_name(patch->name, err);
    if (rc < 0)
        return rc;
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    rc = transaction_begin(store, "change the run", &transaction, err);
    if (rc == 0)
        rc = patch_row(store, id, rev, patch, err);
    if (rc == 0 && patch->tags != NULL)
        rc = run_write_tags(store, id, patch->tags, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

static int set_deleted(struct store *store, int64_t id, int64_t deleted_ms, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "delete or restore the run", delete_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer_or_null(&statement, deleted_ms);
    bind_integer(&statement, id);
    rc = statement_run(&statement, err);
    return rc == 0 && changed_nothing(store) ? no_such_run(id, err) : rc;
}

int store_run_set_deleted(struct store *store, int64_t id, int64_t deleted_ms, struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "delete or restore the run", &transaction, err);
    if (rc == 0)
        rc = set_deleted(store, id, deleted_ms, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}
