#include <errno.h>

#include "common/ulid.h"
#include "db/internal.h"
#include "db/store_activities.h"

void store_check_fini(struct store_check *check)
{
    free(check->kernel);
    free(check->result);
    *check = (struct store_check){.id = 0};
}

/* ---- reading ---- */

#define CHECK_SELECT                                                                                         \
    "SELECT c.id, c.uid, c.claim, c.state, c.created_ms, c.started_ms, c.finished_ms, m.comparable_hash,"    \
    " m.full_hash, c.cause, c.verdict IS NOT NULL, coalesce(c.verdict, 'holds'), m.facts ->> '$.kernel',"    \
    " c.result FROM claim_check c LEFT JOIN machine m ON m.id = c.machine_id"

static void check_read(struct statement *statement, struct store_check *check)
{
    *check = (struct store_check){.id = read_integer(statement)};
    read_text_into(statement, check->uid, sizeof check->uid);
    check->claim = (int)read_integer(statement);
    check->state = (enum activity_state)read_word(statement, activity_state_names, ACTIVITY_STATE_COUNT);
    check->created_ms = read_integer(statement);
    check->started_ms = read_integer(statement);
    check->finished_ms = read_integer(statement);
    read_text_into(statement, check->machine_comparable, sizeof check->machine_comparable);
    read_text_into(statement, check->machine_full, sizeof check->machine_full);
    read_text_into(statement, check->cause, sizeof check->cause);
    bool known = read_integer(statement) != 0;
    int verdict = read_word(statement, verdict_names, VERDICT_COUNT);
    check->verdict = known ? verdict : -1;
    check->kernel = read_text(statement);
    check->result = read_text(statement);
}

static int visit_all(struct statement *statement,
                     int (*visit)(void *context, const struct store_check *check), void *context,
                     struct err *err)
{
    int rc;
    while ((rc = statement_step(statement, err)) > 0) {
        AUTO(store_check_fini) struct store_check check;
        check_read(statement, &check);
        rc = statement_check(statement, err);
        if (rc == 0)
            rc = visit(context, &check);
        if (rc < 0)
            break;
    }
    return rc;
}

static const char check_get_sql[] = CHECK_SELECT " WHERE c.id = ?";

int store_check_get(struct store *store, int64_t id, struct store_check *check, struct err *err)
{
    *check = (struct store_check){.id = 0};
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open_row(store, "read the check", check_get_sql, id, &statement, err);
    if (rc == 0)
        return err_set(err, ENOENT, "there is no check %lld", (long long)id);
    if (rc < 0)
        return rc;
    check_read(&statement, check);
    rc = statement_check(&statement, err);
    if (rc < 0)
        store_check_fini(check);
    return rc;
}

static const char check_list_sql[] =
    CHECK_SELECT " WHERE c.claim = ? AND c.id < ? ORDER BY c.id DESC LIMIT ?";

int store_check_each(struct store *store, int claim, int64_t before_id, int64_t limit,
                     int (*visit)(void *context, const struct store_check *check), void *context,
                     struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "list the checks", check_list_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, claim);
    bind_integer(&statement, before_id > 0 ? before_id : INT64_MAX);
    bind_integer(&statement, limit);
    return visit_all(&statement, visit, context, err);
}

static const char check_latest_sql[] = CHECK_SELECT
    " WHERE c.id IN (SELECT max(id) FROM claim_check WHERE state IN ('done', 'failed') AND (?2 = 0 OR claim "
    "= ?2)"
    " AND machine_id = (SELECT id FROM machine WHERE full_hash = ?1) GROUP BY claim) ORDER BY c.claim";

int store_check_each_latest(struct store *store, const char *machine, int claim,
                            int (*visit)(void *context, const struct store_check *check), void *context,
                            struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "read the latest checks", check_latest_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, machine);
    bind_integer(&statement, claim);
    return visit_all(&statement, visit, context, err);
}

static const char check_pending_sql[] = CHECK_SELECT " WHERE c.state IN ('queued', 'running') ORDER BY c.id";

int store_check_each_pending(struct store *store,
                             int (*visit)(void *context, const struct store_check *check), void *context,
                             struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "read the pending checks", check_pending_sql, &statement, err);
    return rc < 0 ? rc : visit_all(&statement, visit, context, err);
}

static const char check_machines_sql[] =
    "SELECT m.comparable_hash, m.full_hash, m.facts, count(DISTINCT c.claim), max(c.finished_ms)"
    " FROM claim_check c JOIN machine m ON m.id = c.machine_id WHERE c.state = 'done'"
    " GROUP BY m.id ORDER BY max(c.id) DESC";

int store_check_each_machine(struct store *store,
                             int (*visit)(void *context, const struct store_check_machine *machine),
                             void *context, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "list the machines of checks", check_machines_sql, &statement, err);
    if (rc < 0)
        return rc;
    while ((rc = statement_step(&statement, err)) > 0) {
        struct store_check_machine machine;
        read_text_into(&statement, machine.comparable, sizeof machine.comparable);
        read_text_into(&statement, machine.full, sizeof machine.full);
        AUTO_FREE char *facts = read_text(&statement);
        machine.facts = facts;
        machine.claims = read_integer(&statement);
        machine.newest_ms = read_integer(&statement);
        rc = statement_check(&statement, err);
        if (rc == 0)
            rc = visit(context, &machine);
        if (rc < 0)
            break;
    }
    return rc;
}

/* ---- writing ---- */

static const char check_queued_sql[] = "SELECT id FROM claim_check WHERE claim = ? AND state = 'queued'";
static const char check_insert_sql[] =
    "INSERT INTO claim_check (uid, claim, state, created_ms) VALUES (?, ?, 'queued', ?)";
static const char check_begin_sql[] = "UPDATE claim_check SET state = 'running', started_ms = ?, machine_id "
                                      "= ? WHERE id = ? AND state = 'queued'";
static const char check_end_sql[] =
    "UPDATE claim_check SET state = ?, finished_ms = ?, verdict = ?, cause = ?,"
    " result = ? WHERE id = ? AND state = 'running'";

/* 1 = there is one. */
static int find_queued(struct store *store, int claim, int64_t *id, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "look for a queued check", check_queued_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, claim);
    rc = statement_step(&statement, err);
    if (rc > 0)
        *id = read_integer(&statement);
    return rc;
}

static int insert_one(struct store *store, int claim, int64_t created_ms, int64_t *id, struct err *err)
{
    int rc = find_queued(store, claim, id, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    char uid[STORE_UID_BYTES];
    ulid_make(created_ms, uid);
    AUTO_STATEMENT statement = STATEMENT_NONE;
    rc = statement_open(store, "archive the check", check_insert_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, uid);
    bind_integer(&statement, claim);
    bind_integer(&statement, created_ms);
    rc = statement_run(&statement, err);
    *id = sqlite3_last_insert_rowid(store->db);
    return rc;
}

int store_check_insert(struct store *store, const int *claims, size_t count, int64_t created_ms, int64_t *ids,
                       struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "archive the checks", &transaction, err);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = insert_one(store, claims[i], created_ms, &ids[i], err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

int store_check_begin(struct store *store, int64_t id, int64_t started_ms, int64_t machine_id,
                      struct err *err)
{
    return activity_begin(store, check_begin_sql, id, started_ms, machine_id, err);
}

static int end_row(struct store *store, int64_t id, const struct store_check_end *end, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive the check's end", check_end_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, activity_state_names[end->state]);
    bind_integer(&statement, end->finished_ms);
    bind_text(&statement, end->verdict >= 0 ? verdict_names[end->verdict] : NULL);
    bind_text(&statement, end->cause);
    bind_text(&statement, end->result);
    bind_integer(&statement, id);
    rc = statement_run(&statement, err);
    return rc == 0 ? activity_must_have_changed(store, id, err) : rc;
}

int store_check_end(struct store *store, int64_t id, const struct store_check_end *end, struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "archive the check's end", &transaction, err);
    if (rc == 0)
        rc = end_row(store, id, end, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

static const char check_import_sql[] =
    "INSERT INTO claim_check (uid, claim, state, created_ms, started_ms, finished_ms, machine_id, verdict, "
    "result)"
    " VALUES (?, ?, 'done', ?, ?, ?, ?, ?, ?) ON CONFLICT (uid) DO NOTHING";

static int import_one(struct store *store, const struct store_check *check, int64_t machine_id,
                      int64_t *imported, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "take in a check", check_import_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, check->uid);
    bind_integer(&statement, check->claim);
    bind_integer(&statement, check->created_ms);
    bind_integer(&statement, check->started_ms);
    bind_integer(&statement, check->finished_ms);
    bind_integer(&statement, machine_id);
    bind_text(&statement, verdict_names[check->verdict]);
    bind_text(&statement, check->result);
    rc = statement_run(&statement, err);
    *imported += rc == 0 ? sqlite3_changes(store->db) : 0;
    return rc;
}

int store_check_import(struct store *store, const struct store_machine *machine,
                       const struct store_check *checks, size_t count, int64_t *imported, struct err *err)
{
    int64_t machine_id = 0;
    *imported = 0;
    int rc = store_machine_put(store, machine, &machine_id, err);
    if (rc < 0)
        return rc;
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    rc = transaction_begin(store, "take in checks", &transaction, err);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = import_one(store, &checks[i], machine_id, imported, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}
