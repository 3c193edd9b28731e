#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "db/internal.h"

/* ---- reading ---- */

void store_run_fini(struct store_run *run)
{
    free(run->name);
    free(run->note);
    free(run->tags);
    free(run->experiment);
    free(run->isolation);
    free(run->overhead);
    free(run->skipped);
    free(run->message);
    *run = (struct store_run){.id = 0};
}

void run_read(struct statement *statement, struct store_run *run)
{
    *run = (struct store_run){.id = read_integer(statement)};
    read_text_into(statement, run->uid, sizeof run->uid);
    run->state = (enum run_state)read_word(statement, run_state_names, RUN_STATE_COUNT);
    run->created_ms = read_integer(statement);
    run->started_ms = read_integer(statement);
    run->finished_ms = read_integer(statement);
    run->trials_total = read_integer(statement);
    run->trials_done = read_integer(statement);
    run->trials_failed = read_integer(statement);
    run->pinned = read_integer(statement) != 0;
    run->deleted_ms = read_integer(statement);
    run->rev = read_integer(statement);
    read_text_into(statement, run->experiment_hash, sizeof run->experiment_hash);
    run->machine_id = read_integer(statement);
    read_text_into(statement, run->machine_comparable, sizeof run->machine_comparable);
    read_text_into(statement, run->machine_full, sizeof run->machine_full);
    run->imported_ms = read_integer(statement);
    run->series_dropped_ms = read_integer(statement);
    run->histograms_dropped_ms = read_integer(statement);
    run->name = read_text(statement);
    run->note = read_text(statement);
    run->tags = read_text(statement);
    run->experiment = read_text(statement);
    run->isolation = read_text(statement);
    run->overhead = read_text(statement);
    run->skipped = read_text(statement);
    run->message = read_text(statement);
}

static const char run_get_sql[] =
    "SELECT " RUN_COLUMNS " FROM " RUN_TABLES " WHERE r.id = ? AND r.imported_ms IS NOT 0";

int store_run_get(struct store *store, int64_t id, struct store_run *run, struct err *err)
{
    *run = (struct store_run){.id = 0};
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open_row(store, "read the run", run_get_sql, id, &statement, err);
    if (rc == 0)
        return err_set(err, ENOENT, "there is no run %lld", (long long)id);
    if (rc < 0)
        return rc;
    run_read(&statement, run);
    rc = statement_check(&statement, err);
    if (rc < 0)
        store_run_fini(run);
    return rc;
}

static const char cases_count_sql[] = "SELECT count(*) FROM run_case WHERE run_id = ?";
static const char cases_read_sql[] =
    "SELECT number, mechanism, pattern, message_bytes, wait, placement, relation,"
    " senders, receivers, buffer_bytes, rate_hz"
    " FROM run_case WHERE run_id = ? ORDER BY number LIMIT ?";

static void case_read_row(struct statement *statement, struct store_case *one)
{
    *one = (struct store_case){.number = (int)read_integer(statement)};
    struct ipc_case *key = &one->key;
    read_text_into(statement, key->mechanism, sizeof key->mechanism);
    key->pattern = (enum pattern)read_word(statement, pattern_names, PATTERN_COUNT);
    key->message_bytes = read_integer(statement);
    key->wait = (enum wait)read_word(statement, wait_names, WAIT_COUNT);
    key->placement = (enum placement)read_word(statement, placement_names, PLACEMENT_COUNT);
    key->relation = (enum relation)read_word(statement, relation_names, RELATION_COUNT);
    key->senders = (int)read_integer(statement);
    key->receivers = (int)read_integer(statement);
    key->buffer_bytes = read_integer(statement);
    double rate_hz = read_real(statement);
    key->rate_hz = rate_hz > 0 ? rate_hz : 0; /* NULL reads as NAN */
}

static int count_cases(struct store *store, int64_t id, size_t *count, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open_row(store, "count the run's cases", cases_count_sql, id, &statement, err);
    if (rc < 0)
        return rc;
    *count = (size_t)read_integer(&statement);
    return 0;
}

int store_run_cases(struct store *store, int64_t id, struct store_case **cases, size_t *count,
                    struct err *err)
{
    *cases = NULL;
    *count = 0;
    size_t expected = 0;
    int rc = count_cases(store, id, &expected, err);
    if (rc < 0)
        return rc;
    AUTO_FREE struct store_case *read = calloc(expected + 1, sizeof *read);
    if (read == NULL)
        return err_errno(err, ENOMEM, "read the cases of run %lld", (long long)id);
    AUTO_STATEMENT statement = STATEMENT_NONE;
    rc = statement_open(store, "read the run's cases", cases_read_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, id);
    bind_integer(&statement, (int64_t)expected);
    size_t filled = 0;
    while ((rc = statement_step(&statement, err)) > 0)
        case_read_row(&statement, &read[filled++]);
    if (rc == 0)
        rc = statement_check(&statement, err);
    if (rc < 0)
        return rc;
    *cases = take_pointer(read);
    *count = filled;
    return 0;
}

/* ---- writing ---- */

static const char run_insert_sql[] =
    "INSERT INTO run (uid, state, created_ms, trials_total, pinned, experiment_hash, name, tags, note)"
    " VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, ?)";
static const char document_insert_sql[] =
    "INSERT INTO run_document (run_id, experiment, isolation, overhead, skipped, message)"
    " VALUES (?, ?, ?, ?, ?, ?)";
static const char case_insert_sql[] =
    "INSERT INTO run_case (run_id, number, mechanism, pattern, message_bytes, wait, placement, relation,"
    " senders, receivers, buffer_bytes, rate_hz) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char mechanisms_insert_sql[] =
    "INSERT INTO run_mechanism (mechanism, run_id)"
    " SELECT DISTINCT mechanism, run_id FROM run_case WHERE run_id = ?";
static const char tags_delete_sql[] = "DELETE FROM run_tag WHERE run_id = ?";
static const char tags_name_sql[] =
    "INSERT INTO tag (name) SELECT value FROM json_each(?) WHERE true ON CONFLICT (name) DO NOTHING";
static const char tags_insert_sql[] =
    "INSERT INTO run_tag (tag_id, run_id)"
    " SELECT tag.id, ? FROM tag WHERE tag.name IN (SELECT value FROM json_each(?))";

static const char *text_or(const char *text, const char *fallback)
{
    return text != NULL ? text : fallback;
}

static int insert_row(struct store *store, const struct store_run *run, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive the run", run_insert_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, run->uid);
    bind_integer(&statement, run->created_ms);
    bind_integer(&statement, run->trials_total);
    bind_integer(&statement, run->pinned);
    bind_text(&statement, run->experiment_hash);
    bind_text(&statement, text_or(run->name, ""));
    bind_text(&statement, text_or(run->tags, "[]"));
    bind_text(&statement, text_or(run->note, ""));
    return statement_run(&statement, err);
}

static int insert_document(struct store *store, int64_t id, const struct store_run *run, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive the experiment", document_insert_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, id);
    bind_text(&statement, text_or(run->experiment, "{}"));
    bind_text(&statement, text_or(run->isolation, "{}"));
    bind_text(&statement, text_or(run->overhead, "null"));
    bind_text(&statement, text_or(run->skipped, "[]"));
    bind_text(&statement, text_or(run->message, ""));
    return statement_run(&statement, err);
}

static int insert_case(struct store *store, int64_t id, const struct store_case *one, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive the run's cases", case_insert_sql, &statement, err);
    if (rc < 0)
        return rc;
    const struct ipc_case *key = &one->key;
    bind_integer(&statement, id);
    bind_integer(&statement, one->number);
    bind_text(&statement, key->mechanism);
    bind_text(&statement, pattern_names[key->pattern]);
    bind_integer(&statement, key->message_bytes);
    bind_text(&statement, wait_names[key->wait]);
    bind_text(&statement, placement_names[key->placement]);
    bind_text(&statement, relation_names[key->relation]);
    bind_integer(&statement, key->senders);
    bind_integer(&statement, key->receivers);
    bind_integer_or_null(&statement, key->buffer_bytes);
    bind_real_or_null(&statement, key->rate_hz);
    return statement_run(&statement, err);
}

/* A statement whose one parameter is the run. */
static int run_for(struct store *store, const char *task, const char *sql, int64_t id, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, task, sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, id);
    return statement_run(&statement, err);
}

static int name_tags(struct store *store, const char *tags, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "index the tags", tags_name_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, tags);
    return statement_run(&statement, err);
}

int run_write_tags(struct store *store, int64_t id, const char *tags, struct err *err)
{
    int rc = run_for(store, "index the tags", tags_delete_sql, id, err);
    if (rc == 0)
        rc = name_tags(store, tags, err);
    if (rc < 0)
        return rc;
    AUTO_STATEMENT statement = STATEMENT_NONE;
    rc = statement_open(store, "index the tags", tags_insert_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, id);
    bind_text(&statement, tags);
    return statement_run(&statement, err);
}

int run_check_name(const char *name, struct err *err)
{
    if (name == NULL || strlen(name) <= STORE_NAME_BYTES_MAX)
        return 0;
    return err_set(err, EINVAL, "a run's name has at most %d bytes, got %zu", (int)STORE_NAME_BYTES_MAX,
                   strlen(name));
}

int run_insert(struct store *store, int64_t *id, const struct store_run *run, const struct store_case *cases,
               size_t case_count, const struct store_idempotency *idempotency, struct err *err)
{
    int rc = run_check_name(run->name, err);
    if (rc == 0)
        rc = insert_row(store, run, err);
    *id = sqlite3_last_insert_rowid(store->db);
    if (rc == 0)
        rc = insert_document(store, *id, run, err);
    for (size_t i = 0; rc == 0 && i < case_count; i++)
        rc = insert_case(store, *id, &cases[i], err);
    if (rc == 0)
        rc = run_for(store, "index the mechanisms", mechanisms_insert_sql, *id, err);
    if (rc == 0)
        rc = run_write_tags(store, *id, text_or(run->tags, "[]"), err);
    if (rc == 0 && idempotency != NULL && idempotency->key != NULL)
        rc = idempotency_insert(store, *id, run->created_ms, idempotency, err);
    return rc;
}

int store_run_insert(struct store *store, struct store_run *run, const struct store_case *cases,
                     size_t case_count, const struct store_idempotency *idempotency, struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "archive the run", &transaction, err);
    if (rc < 0)
        return rc;
    int64_t id = 0;
    rc = run_insert(store, &id, run, cases, case_count, idempotency, err);
    if (rc == 0)
        rc = transaction_commit(&transaction, err);
    if (rc < 0)
        return rc;
    run->id = id;
    run->rev = 1;
    run->state = RUN_QUEUED;
    return 0;
}
