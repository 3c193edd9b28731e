/* Runs that belong together: of one experiment, on one machine, in the order they were taken. */
#include <errno.h>

#include "db/internal.h"

#define SERIES_COLUMNS "r.id, r.created_ms, r.started_ms, r.finished_ms, r.trials_done, r.experiment_hash"
#define SERIES_TABLES "run r"
/* Only what was measured to its end counts. */
#define SERIES_FILTER "r.state = 'done' AND r.deleted_ms IS NULL"

static const char recent_sql[] = "SELECT " SERIES_COLUMNS " FROM " SERIES_TABLES
                                 " WHERE r.machine_id = (SELECT id FROM machine WHERE full_hash = ?1)"
                                 " AND " SERIES_FILTER " ORDER BY r.id DESC LIMIT ?2";
static const char series_sql[] =
    "SELECT " SERIES_COLUMNS " FROM " SERIES_TABLES " WHERE r.experiment_hash = ?1 AND r.id < ?2"
    " AND r.machine_id = (SELECT id FROM machine WHERE full_hash = ?3) AND " SERIES_FILTER
    " ORDER BY r.id DESC LIMIT ?4";

static int read_series(struct statement *statement, struct store_series_run *runs, size_t *count,
                       struct err *err)
{
    int rc;
    *count = 0;
    while ((rc = statement_step(statement, err)) > 0) {
        struct store_series_run *run = &runs[(*count)++];
        run->id = read_integer(statement);
        run->created_ms = read_integer(statement);
        run->started_ms = read_integer(statement);
        run->finished_ms = read_integer(statement);
        run->trials_done = read_integer(statement);
        read_text_into(statement, run->experiment_hash, sizeof run->experiment_hash);
    }
    return rc < 0 ? rc : statement_check(statement, err);
}

int store_machine_recent(struct store *store, const char *machine, size_t limit,
                         struct store_series_run *runs, size_t *count, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "read the machine's runs", recent_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, machine);
    bind_integer(&statement, (int64_t)limit);
    return read_series(&statement, runs, count, err);
}

int store_series(struct store *store, const struct store_series_query *query, struct store_series_run *runs,
                 size_t *count, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "read the experiment's runs", series_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, query->experiment);
    bind_integer(&statement, query->before_id > 0 ? query->before_id : INT64_MAX);
    bind_text(&statement, query->machine);
    bind_integer(&statement, (int64_t)query->limit);
    return read_series(&statement, runs, count, err);
}

/* ---- what there is a series of ---- */

static const char repeated_sql[] =
    "SELECT s.experiment_hash, m.full_hash, m.comparable_hash, s.runs, s.first_ms, s.last_ms, s.last_id, "
    "r.name,"
    " d.experiment FROM"
    " (SELECT r.experiment_hash, r.machine_id, count(*) AS runs, min(r.created_ms) AS first_ms,"
    " max(r.created_ms) AS last_ms, max(r.id) AS last_id FROM run r WHERE " SERIES_FILTER
    " AND r.machine_id IS NOT NULL GROUP BY r.experiment_hash, r.machine_id HAVING count(*) > 1) s"
    " JOIN machine m ON m.id = s.machine_id JOIN run r ON r.id = s.last_id"
    " JOIN run_document d ON d.run_id = s.last_id WHERE s.last_id < ?1 ORDER BY s.last_id DESC LIMIT ?2";

int store_repeated_each(struct store *store, int64_t before_id, size_t limit,
                        int (*visit)(void *context, const struct store_repeated *repeated), void *context,
                        struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "list the repeated experiments", repeated_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, before_id > 0 ? before_id : INT64_MAX);
    bind_integer(&statement, (int64_t)limit);
    while ((rc = statement_step(&statement, err)) > 0) {
        struct store_repeated repeated = {.runs = 0};
        read_text_into(&statement, repeated.experiment_hash, sizeof repeated.experiment_hash);
        read_text_into(&statement, repeated.machine_full, sizeof repeated.machine_full);
        read_text_into(&statement, repeated.machine_comparable, sizeof repeated.machine_comparable);
        repeated.runs = read_integer(&statement);
        repeated.first_ms = read_integer(&statement);
        repeated.last_ms = read_integer(&statement);
        repeated.last_id = read_integer(&statement);
        AUTO_FREE char *name = read_text(&statement);
        AUTO_FREE char *experiment = read_text(&statement);
        repeated.name = name;
        repeated.experiment = experiment;
        rc = statement_check(&statement, err);
        if (rc == 0)
            rc = visit(context, &repeated);
        if (rc < 0)
            break;
    }
    return rc;
}
