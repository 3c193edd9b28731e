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

static const char portion_sql[] = "SELECT max(id) FROM (" PORTION ")";
static const char drop_series_sql[] = "DELETE FROM trial_series WHERE trial_id IN (" PORTION ")";
static const char drop_histograms_sql[] = "DELETE FROM trial_histogram WHERE trial_id IN (" PORTION ")";
static const char drop_trials_sql[] = "DELETE FROM trial WHERE id IN (" PORTION ")";

/* ?1 the run, ?2 now. */
static const char mark_series_sql[] = "UPDATE run SET series_dropped_ms = ?2, rev = rev + 1 WHERE id = ?1";
static const char mark_histograms_sql[] =
    "UPDATE run SET histograms_dropped_ms = ?2, rev = rev + 1 WHERE id = ?1";
static const char drop_run_sql[] = "DELETE FROM run WHERE id = ?1 AND ?2 IS NOT NULL";

/* ?1 the run, ?2 the moment. Nobody can restore half a run: from its first portion on it is as one that was
 * given up on its way in (db/import.c), and its uid is free. Unless it was restored, or pinned, since it was
 * found. */
static const char give_up_sql[] =
    "UPDATE run SET imported_ms = 0, deleted_ms = 1, uid = lower(hex(randomblob(13)))"
    " WHERE id = ?1 AND deleted_ms < ?2 AND pinned = 0";

/* In this order: what is given up first stands first. */
enum job { JOB_ABANDONED, JOB_SERIES, JOB_HISTOGRAMS, JOB_DELETED, JOB_COUNT };

static const struct {
    const char *next, *begin, *portion, *finish;
} jobs[JOB_COUNT] = {
    [JOB_ABANDONED] = {next_abandoned_sql, NULL, drop_trials_sql, drop_run_sql},
    [JOB_SERIES] = {next_series_sql, NULL, drop_series_sql, mark_series_sql},
    [JOB_HISTOGRAMS] = {next_histograms_sql, NULL, drop_histograms_sql, mark_histograms_sql},
    [JOB_DELETED] = {next_deleted_sql, give_up_sql, drop_trials_sql, drop_run_sql},
};

static const char task[] = "drop what is no longer kept";

static int64_t moment_of(const struct store_retention *retention, int job)
{
    const int64_t moments[JOB_COUNT] = {
        [JOB_ABANDONED] = 2, /* db/import.c marks them by 1 */
        [JOB_SERIES] = retention->series_before_ms,
        [JOB_HISTOGRAMS] = retention->histograms_before_ms,
        [JOB_DELETED] = retention->deleted_before_ms,
    };
    return moments[job];
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

/* Takes hold of the run before its first portion, unless it is no longer the job's. */
static int begin_run(struct store *store, const struct store_retention *retention,
                     const struct store_retention_place *place, bool *is_ours, struct err *err)
{
    const int64_t values[] = {place->run_id, moment_of(retention, place->job)};
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
    const int64_t portion[] = {place->run_id, place->trial_id, PORTION_TRIALS};
    const int64_t ending[] = {place->run_id, retention->now_ms};
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
        rc = ask(store, portion_sql, portion, 3, &last, err);
    if (rc == 0)
        rc = last != 0 ? change(store, jobs[place->job].portion, portion, 3, err)
                       : change(store, jobs[place->job].finish, ending, 2, err);
    if (rc == 0)
        rc = transaction_commit(&transaction, err);
    if (rc < 0)
        return rc;
    place->trial_id = last != 0 ? last : -1;
    if (last == 0) {
        place->series_runs += place->job == JOB_SERIES;
        place->histogram_runs += place->job == JOB_HISTOGRAMS;
        place->deleted_runs += place->job == JOB_DELETED;
    }
    return 0;
}

/* The next run the job has to do with, or the next job. */
static int find_next(struct store *store, const struct store_retention *retention,
                     struct store_retention_place *place, struct err *err)
{
    const int64_t values[] = {place->run_id, moment_of(retention, place->job)};
    int64_t next = 0;
    int rc = values[1] > 0 ? ask(store, jobs[place->job].next, values, 2, &next, err) : 0;
    if (rc < 0)
        return rc;
    place->run_id = next;
    place->trial_id = 0;
    if (next == 0)
        place->job++;
    return 0;
}

int store_retain(struct store *store, const struct store_retention *retention,
                 struct store_retention_place *place, struct err *err)
{
    if (place->job >= JOB_COUNT)
        return 0;
    bool is_in_a_run = place->run_id != 0 && place->trial_id >= 0;
    int rc = is_in_a_run ? do_portion(store, retention, place, err) : find_next(store, retention, place, err);
    return rc < 0 ? rc : place->job < JOB_COUNT;
}
