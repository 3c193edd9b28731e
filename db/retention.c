#include "db/internal.h"

/* Trials of one portion. Deleting one with its blobs touches some ten pages: a portion takes about as long as
 * the commit that ends it. */
enum { PORTION_TRIALS = 50 };

#define NEXT_OF_AGE                                                                                          \
    " AND pinned = 0 AND deleted_ms IS NULL AND state IN ('done', 'failed', 'cancelled')"                    \
    " AND max(created_ms, coalesce(imported_ms, 0)) < ?2 ORDER BY id LIMIT 1"
#define PORTION "SELECT id FROM trial WHERE run_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3"

/* ?1 the run before, ?2 the moment. */
static const char next_series_sql[] =
    "SELECT id FROM run WHERE id > ?1 AND series_dropped_ms IS NULL" NEXT_OF_AGE;
static const char next_histograms_sql[] =
    "SELECT id FROM run WHERE id > ?1 AND histograms_dropped_ms IS NULL" NEXT_OF_AGE;
static const char next_deleted_sql[] = "SELECT id FROM run WHERE id > ?1 AND deleted_ms < ?2 AND pinned = 0 "
                                       "AND imported_ms IS NOT 0 ORDER BY id LIMIT 1";
/* What was given up on its way in; its mark is any moment's past. */
static const char next_abandoned_sql[] =
    "SELECT id FROM run WHERE id > ?1 AND imported_ms = 0 AND deleted_ms < ?2 ORDER BY id LIMIT 1";

/* The last check of a claim with a verdict is what its page and the ledger show. */
#define NEWER_CHECK                                                                                          \
    "EXISTS (SELECT 1 FROM claim_check AS newer WHERE newer.machine_id = claim_check.machine_id"             \
    " AND newer.claim = claim_check.claim AND newer.state = 'done' AND newer.id > claim_check.id)"
static const char next_timeline_sql[] =
    "SELECT id FROM attempt WHERE id > ?1 AND created_ms < ?2 AND state IN ('done', 'failed', 'cancelled')"
    " AND EXISTS (SELECT 1 FROM attempt_record WHERE attempt_id = attempt.id) ORDER BY id LIMIT 1";
static const char next_attempt_sql[] =
    "SELECT id FROM attempt WHERE id > ?1 AND created_ms < ?2 AND state IN ('done', 'failed', 'cancelled')"
    " ORDER BY id LIMIT 1";
static const char next_check_sql[] =
    "SELECT id FROM claim_check WHERE id > ?1 AND created_ms < ?2 AND (state = 'cancelled'"
    " OR (state IN ('done', 'failed') AND " NEWER_CHECK ")) ORDER BY id LIMIT 1";

static const char portion_sql[] = "SELECT max(id) FROM (" PORTION ")";
static const char drop_series_sql[] = "DELETE FROM trial_series WHERE trial_id IN (" PORTION ")";
static const char drop_histograms_sql[] = "DELETE FROM trial_histogram WHERE trial_id IN (" PORTION ")";
static const char drop_trials_sql[] = "DELETE FROM trial WHERE id IN (" PORTION ")";

/* ?1 the run, ?2 now. */
static const char mark_series_sql[] = "UPDATE run SET series_dropped_ms = ?2, rev = rev + 1 WHERE id = ?1";
static const char mark_histograms_sql[] =
    "UPDATE run SET histograms_dropped_ms = ?2, rev = rev + 1 WHERE id = ?1";
static const char drop_run_sql[] = "DELETE FROM run WHERE id = ?1 AND ?2 IS NOT NULL";
static const char mark_timeline_sql[] = "UPDATE attempt SET record_dropped_ms = ?2 WHERE id = ?1";
static const char drop_attempt_sql[] = "DELETE FROM attempt WHERE id = ?1 AND ?2 IS NOT NULL";
static const char drop_check_sql[] = "DELETE FROM claim_check WHERE id = ?1 AND ?2 IS NOT NULL";

/* ?1 the run, ?2 the moment. Nobody can restore half a run: from its first portion on it is as one that was
 * given up on its way in (db/import.c), and its uid is free. Unless it was restored, or pinned, since it was
 * found. */
static const char give_up_sql[] =
    "UPDATE run SET imported_ms = 0, deleted_ms = 1, uid = lower(hex(randomblob(13)))"
    " WHERE id = ?1 AND deleted_ms < ?2 AND pinned = 0";

/* ?1 the attempt, ?2 the moment. */
static const char drop_timeline_sql[] = "DELETE FROM attempt_record WHERE attempt_id = ?1 AND ?2 IS NOT NULL";

/* portion NULL: there are no portions, and finish does it. */
static const struct {
    const char *next, *begin, *portion, *finish;
} jobs[STORE_RETAIN_COUNT] = {
    [STORE_RETAIN_ABANDONED] = {next_abandoned_sql, NULL, drop_trials_sql, drop_run_sql},
    [STORE_RETAIN_SERIES] = {next_series_sql, NULL, drop_series_sql, mark_series_sql},
    [STORE_RETAIN_HISTOGRAMS] = {next_histograms_sql, NULL, drop_histograms_sql, mark_histograms_sql},
    [STORE_RETAIN_DELETED] = {next_deleted_sql, give_up_sql, drop_trials_sql, drop_run_sql},
    [STORE_RETAIN_TIMELINES] = {next_timeline_sql, drop_timeline_sql, NULL, mark_timeline_sql},
    [STORE_RETAIN_ATTEMPTS] = {next_attempt_sql, NULL, NULL, drop_attempt_sql},
    [STORE_RETAIN_CHECKS] = {next_check_sql, NULL, NULL, drop_check_sql},
};

static const char task[] = "drop what is no longer kept";

static int64_t moment_of(const struct store_retention *retention, int job)
{
    return job == STORE_RETAIN_ABANDONED ? 2 : retention->before_ms[job]; /* db/import.c marks them by 1 */
}

/* An integer out of a statement of one row; 0 when it is NULL or there is no row. */
static int ask(struct store *store, const char *sql, const int64_t *values, size_t count, int64_t *answer,
               struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, task, sql, &statement, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++)
        bind_integer(&statement, values[i]);
    rc = statement_step(&statement, err);
    *answer = rc > 0 ? read_integer(&statement) : 0;
    return rc < 0 ? rc : statement_check(&statement, err);
}

static int change(struct store *store, const char *sql, const int64_t *values, size_t count, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, task, sql, &statement, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++)
        bind_integer(&statement, values[i]);
    return statement_run(&statement, err);
}

/* Takes hold of it before its first portion, unless it is no longer the job's. */
static int begin_run(struct store *store, const struct store_retention *retention,
                     const struct store_retention_place *place, bool *is_ours, struct err *err)
{
    const int64_t values[] = {place->id, moment_of(retention, place->job)};
    *is_ours = true;
    if (jobs[place->job].begin == NULL || place->trial_id != 0)
        return 0;
    int rc = change(store, jobs[place->job].begin, values, 2, err);
    *is_ours = sqlite3_changes(store->db) > 0;
    return rc;
}

/* Drops some, or ends the run's part; place follows. */
static int do_portion(struct store *store, const struct store_retention *retention,
                      struct store_retention_place *place, struct err *err)
{
    const int64_t portion[] = {place->id, place->trial_id, PORTION_TRIALS};
    const int64_t ending[] = {place->id, retention->now_ms};
    int64_t last = 0;
    bool is_ours = true;
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, task, &transaction, err);
    if (rc == 0)
        rc = begin_run(store, retention, place, &is_ours, err);
    if (rc == 0 && !is_ours) {
        place->trial_id = -1;
        return 0;
    }
    if (rc == 0)
        rc = jobs[place->job].portion != NULL ? ask(store, portion_sql, portion, 3, &last, err) : 0;
    if (rc == 0)
        rc = last != 0 ? change(store, jobs[place->job].portion, portion, 3, err)
                       : change(store, jobs[place->job].finish, ending, 2, err);
    if (rc == 0)
        rc = transaction_commit(&transaction, err);
    if (rc < 0)
        return rc;
    place->trial_id = last != 0 ? last : -1;
    if (last == 0) {
        place->finished_id = place->id;
        place->finished[place->job]++;
    }
    return 0;
}

/* The next one the job has to do with, or the next job. */
static int find_next(struct store *store, const struct store_retention *retention,
                     struct store_retention_place *place, struct err *err)
{
    const int64_t values[] = {place->id, moment_of(retention, place->job)};
    int64_t next = 0;
    int rc = values[1] > 0 ? ask(store, jobs[place->job].next, values, 2, &next, err) : 0;
    if (rc < 0)
        return rc;
    place->id = next;
    place->trial_id = 0;
    if (next == 0)
        place->job++;
    return 0;
}

int store_retain(struct store *store, const struct store_retention *retention,
                 struct store_retention_place *place, struct err *err)
{
    place->finished_id = 0;
    if (place->job >= STORE_RETAIN_COUNT)
        return 0;
    bool is_in_one = place->id != 0 && place->trial_id >= 0;
    int rc = is_in_one ? do_portion(store, retention, place, err) : find_next(store, retention, place, err);
    return rc < 0 ? rc : place->job < STORE_RETAIN_COUNT;
}
