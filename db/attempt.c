#include <errno.h>

#include "db/internal.h"
#include "db/store_activities.h"

void store_attempt_fini(struct store_attempt *attempt)
{
    free(attempt->student);
    free(attempt->class);
    free(attempt->kernel);
    free(attempt->parameters);
    free(attempt->prediction);
    free(attempt->outcome);
    free(attempt->result);
    *attempt = (struct store_attempt){.id = 0};
}

/* ---- reading ---- */

#define ATTEMPT_SELECT                                                                                       \
    "SELECT a.id, a.uid, a.state, a.created_ms, a.started_ms, a.finished_ms, a.lab, m.comparable_hash,"      \
    " m.full_hash, a.cause, coalesce(a.agrees, -1), a.student, a.class, m.facts ->> '$.kernel',"             \
    " a.parameters, a.prediction, a.outcome, a.result, coalesce(a.record_dropped_ms, 0)"                     \
    " FROM attempt a LEFT JOIN machine m ON m.id = a.machine_id"

static void attempt_read(struct statement *statement, struct store_attempt *attempt)
{
    *attempt = (struct store_attempt){.id = read_integer(statement)};
    read_text_into(statement, attempt->uid, sizeof attempt->uid);
    attempt->state = (enum activity_state)read_word(statement, activity_state_names, ACTIVITY_STATE_COUNT);
    attempt->created_ms = read_integer(statement);
    attempt->started_ms = read_integer(statement);
    attempt->finished_ms = read_integer(statement);
    read_text_into(statement, attempt->lab, sizeof attempt->lab);
    read_text_into(statement, attempt->machine_comparable, sizeof attempt->machine_comparable);
    read_text_into(statement, attempt->machine_full, sizeof attempt->machine_full);
    read_text_into(statement, attempt->cause, sizeof attempt->cause);
    attempt->agrees = (int)read_integer(statement);
    attempt->student = read_text(statement);
    attempt->class = read_text(statement);
    attempt->kernel = read_text(statement);
    attempt->parameters = read_text(statement);
    attempt->prediction = read_text(statement);
    attempt->outcome = read_text(statement);
    attempt->result = read_text(statement);
    attempt->record_dropped_ms = read_integer(statement);
}

static const char attempt_get_sql[] = ATTEMPT_SELECT " WHERE a.id = ?";

int store_attempt_get(struct store *store, int64_t id, struct store_attempt *attempt, struct err *err)
{
    *attempt = (struct store_attempt){.id = 0};
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open_row(store, "read the attempt", attempt_get_sql, id, &statement, err);
    if (rc == 0)
        return err_set(err, ENOENT, "there is no attempt %lld", (long long)id);
    if (rc < 0)
        return rc;
    attempt_read(&statement, attempt);
    rc = statement_check(&statement, err);
    if (rc < 0)
        store_attempt_fini(attempt);
    return rc;
}

static const char record_get_sql[] = "SELECT record FROM attempt_record WHERE attempt_id = ?";

int store_attempt_record(struct store *store, int64_t id, struct text *record, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open_row(store, "read the attempt's record", record_get_sql, id, &statement, err);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        text_append(record, "null");
        return 0;
    }
    AUTO(text_fini) struct text read = TEXT_EMPTY;
    read_blob(&statement, &read);
    text_append_bytes(record, text_string(&read), read.length);
    return statement_check(&statement, err);
}

/* One statement for every filter: one that is not asked for is NULL. Parameters are complete and always in
 * the same order, so equal ones are equal texts. */
#define ATTEMPT_FILTERS                                                                                      \
    " WHERE a.lab = ?1 AND a.id < ?2 AND (?3 IS NULL OR a.class = ?3) AND (?4 IS NULL OR a.student = ?4)"    \
    " AND (?5 IS NULL OR a.parameters = (SELECT parameters FROM attempt WHERE id = ?5))"

static const char attempt_list_sql[] = ATTEMPT_SELECT ATTEMPT_FILTERS " ORDER BY a.id DESC LIMIT ?6";

static void bind_query(struct statement *statement, const struct store_attempt_query *query)
{
    bind_text(statement, query->lab);
    bind_integer(statement, query->before_id > 0 ? query->before_id : INT64_MAX);
    bind_text(statement, query->class);
    bind_text(statement, query->student);
    bind_integer_or_null(statement, query->like_id);
    bind_integer(statement, query->limit);
}

int store_attempt_each(struct store *store, const struct store_attempt_query *query,
                       int (*visit)(void *context, const struct store_attempt *attempt), void *context,
                       struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "list the attempts", attempt_list_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_query(&statement, query);
    while ((rc = statement_step(&statement, err)) > 0) {
        AUTO(store_attempt_fini) struct store_attempt attempt;
        attempt_read(&statement, &attempt);
        rc = statement_check(&statement, err);
        if (rc == 0)
            rc = visit(context, &attempt);
        if (rc < 0)
            break;
    }
    return rc;
}

#define ANSWER_LIST(answer)                                                                                  \
    "SELECT " answer " AS answer, count(*) FROM attempt a" ATTEMPT_FILTERS                                   \
    " AND a.state = 'done' AND answer <> 'null'"                                                             \
    " GROUP BY answer ORDER BY count(*) DESC, answer LIMIT ?6"
static const char predicted_sql[] = ANSWER_LIST("a.prediction -> '$.answer'");
static const char observed_sql[] = ANSWER_LIST("a.outcome");

int store_attempt_each_answer(struct store *store, const struct store_attempt_query *query,
                              enum store_answer_kind kind,
                              int (*visit)(void *context, const char *answer, int64_t count), void *context,
                              struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "count the answers",
                            kind == STORE_ANSWERS_PREDICTED ? predicted_sql : observed_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_query(&statement, query);
    while ((rc = statement_step(&statement, err)) > 0) {
        AUTO_FREE char *answer = read_text(&statement);
        int64_t count = read_integer(&statement);
        rc = statement_check(&statement, err);
        if (rc == 0)
            rc = visit(context, answer, count);
        if (rc < 0)
            break;
    }
    return rc;
}

/* ---- writing ---- */

static const char attempt_insert_sql[] =
    "INSERT INTO attempt (uid, lab, state, created_ms, student, class, parameters, prediction)"
    " VALUES (?, ?, 'queued', ?, ?, ?, ?, ?)";
static const char attempt_begin_sql[] =
    "UPDATE attempt SET state = 'running', started_ms = ?, machine_id = ? WHERE id = ? AND state = 'queued'";
static const char attempt_end_sql[] =
    "UPDATE attempt SET state = ?, finished_ms = ?, agrees = nullif(?, -1), cause = ?, outcome = ?,"
    " result = ? WHERE id = ? AND state = 'running'";
static const char record_insert_sql[] = "INSERT INTO attempt_record (attempt_id, record) VALUES (?, ?)";

static int insert_row(struct store *store, const struct store_attempt *attempt, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive the attempt", attempt_insert_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, attempt->uid);
    bind_text(&statement, attempt->lab);
    bind_integer(&statement, attempt->created_ms);
    bind_text(&statement, attempt->student);
    bind_text(&statement, attempt->class);
    bind_text(&statement, attempt->parameters);
    bind_text(&statement, attempt->prediction);
    return statement_run(&statement, err);
}

int store_attempt_insert(struct store *store, struct store_attempt *attempt, struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "archive the attempt", &transaction, err);
    if (rc == 0)
        rc = insert_row(store, attempt, err);
    int64_t id = sqlite3_last_insert_rowid(store->db);
    if (rc == 0)
        rc = transaction_commit(&transaction, err);
    if (rc == 0)
        attempt->id = id;
    return rc;
}

int store_attempt_begin(struct store *store, int64_t id, int64_t started_ms, int64_t machine_id,
                        struct err *err)
{
    return activity_begin(store, attempt_begin_sql, id, started_ms, machine_id, err);
}

static int end_row(struct store *store, int64_t id, const struct store_attempt_end *end, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive the attempt's end", attempt_end_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, activity_state_names[end->state]);
    bind_integer(&statement, end->finished_ms);
    bind_integer(&statement, end->agrees);
    bind_text(&statement, end->cause);
    bind_text(&statement, end->outcome);
    bind_text(&statement, end->result);
    bind_integer(&statement, id);
    rc = statement_run(&statement, err);
    return rc == 0 ? activity_must_have_changed(store, id, err) : rc;
}

static int insert_record(struct store *store, int64_t id, const char *record, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive the attempt's record", record_insert_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, id);
    bind_text(&statement, record);
    return statement_run(&statement, err);
}

int store_attempt_end(struct store *store, int64_t id, const struct store_attempt_end *end, struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "archive the attempt's end", &transaction, err);
    if (rc == 0)
        rc = end_row(store, id, end, err);
    if (rc == 0 && end->record != NULL)
        rc = insert_record(store, id, end->record, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}
