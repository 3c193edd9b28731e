#include <errno.h>

#include "common/clock.h"
#include "common/ulid.h"
#include "db/internal.h"

/* A run that comes in is marked by imported_ms = 0, which every reader looks for, and has deleted_ms set, so
 * that no list or count has to. Until the end it has a uid of nobody's: two may come in with the same one. */

enum { ABANDONED_MS = 1 }; /* its deleted_ms then: older than any retention keeps */

static const char mark_incoming_sql[] =
    "UPDATE run SET state = ?, started_ms = ?, finished_ms = ?, machine_id = ?, imported_ms = 0,"
    " deleted_ms = ? WHERE id = ?";
static const char finish_sql[] =
    "UPDATE run SET uid = ?, imported_ms = ?, deleted_ms = NULL, series_dropped_ms = ?,"
    " histograms_dropped_ms = ?, rev = 1 WHERE id = ? AND imported_ms = 0";
static const char abandon_sql[] =
    "UPDATE run SET deleted_ms = ? WHERE imported_ms = 0 AND (?2 = 0 OR id = ?2)";
static const char find_sql[] = "SELECT id FROM run WHERE uid = ? AND imported_ms IS NOT 0";

/* ---- begin ---- */

static int mark_incoming(struct store *store, int64_t id, const struct store_run *run, int64_t machine_id,
                         struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "import the run", mark_incoming_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, run_state_names[run->state]);
    bind_integer_or_null(&statement, run->started_ms);
    bind_integer_or_null(&statement, run->finished_ms);
    bind_integer_or_null(&statement, machine_id);
    bind_integer(&statement, clock_wall_ms());
    bind_integer(&statement, id);
    return statement_run(&statement, err);
}

int store_import_begin(struct store *store, const struct store_run *run, const struct store_machine *machine,
                       const struct store_case *cases, size_t case_count, int64_t *id, struct err *err)
{
    struct store_run incoming = *run; /* borrows all it points to */
    int64_t machine_id = 0, new_id = 0;
    ulid_make(clock_wall_ms(), incoming.uid);
    int rc = machine != NULL ? store_machine_put(store, machine, &machine_id, err) : 0;
    if (rc < 0)
        return rc;
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    rc = transaction_begin(store, "import the run", &transaction, err);
    if (rc == 0)
        rc = run_insert(store, &new_id, &incoming, cases, case_count, NULL, err);
    if (rc == 0)
        rc = mark_incoming(store, new_id, run, machine_id, err);
    if (rc == 0)
        rc = transaction_commit(&transaction, err);
    if (rc == 0)
        *id = new_id;
    return rc;
}

/* ---- trials ---- */

int store_import_trials(struct store *store, int64_t id, const struct store_trial *trials, size_t count,
                        size_t *at, struct err *err)
{
    int64_t settled = 0, failed = 0;
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "import the trials", &transaction, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct store_trial trial = trials[i]; /* borrows its blobs */
        int64_t trial_id = 0;
        bool settles = store_trial_settles(&trial);
        trial.run_id = id;
        settled += settles;
        failed += settles && !trial.done;
        *at = i;
        rc = trial_insert(store, &trial, settles, &trial_id, err);
    }
    if (rc == 0)
        rc = run_update(store, id, settled, failed, NULL, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

/* ---- the end ---- */

static int finish(struct store *store, int64_t id, const struct store_run *run, int64_t now_ms,
                  struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "import the run", finish_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, run->uid);
    bind_integer(&statement, now_ms);
    bind_integer_or_null(&statement, run->series_dropped_ms);
    bind_integer_or_null(&statement, run->histograms_dropped_ms);
    bind_integer(&statement, id);
    rc = statement_run(&statement, err);
    if (rc == 0 && sqlite3_changes(store->db) == 0)
        return err_set(err, ENOENT, "the run that came in is gone");
    return rc;
}

int store_import_finish(struct store *store, int64_t id, const struct store_run *run, int64_t now_ms,
                        struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "import the run", &transaction, err);
    if (rc == 0)
        rc = finish(store, id, run, now_ms, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

static int abandon(struct store *store, int64_t id, struct err *err)
{
    static const char task[] = "give up an import";
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = transaction_begin(store, task, &transaction, err);
    if (rc == 0)
        rc = statement_open(store, task, abandon_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, ABANDONED_MS);
    bind_integer(&statement, id);
    rc = statement_run(&statement, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

int store_import_abandon(struct store *store, int64_t id, struct err *err)
{
    return abandon(store, id, err);
}

int store_import_recover(struct store *store, struct err *err)
{
    return abandon(store, 0, err);
}

int store_run_find(struct store *store, const char *uid, int64_t *id, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "find the run", find_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, uid);
    rc = statement_step(&statement, err);
    if (rc == 0)
        return err_set(err, ENOENT, "there is no run %s", uid);
    if (rc < 0)
        return rc;
    *id = read_integer(&statement);
    return 0;
}
