#include "db/internal.h"

static const char count_sql[] = "SELECT state, count(*), sum(trials_done), sum(trials_failed) FROM run"
                                " WHERE deleted_ms IS NULL GROUP BY state";

int store_count(struct store *store, struct store_counts *counts, struct err *err)
{
    *counts = (struct store_counts){.trials_done = 0};
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "count the runs", count_sql, &statement, err);
    if (rc < 0)
        return rc;
    while ((rc = statement_step(&statement, err)) > 0) {
        int state = read_word(&statement, run_state_names, RUN_STATE_COUNT);
        int64_t runs = read_integer(&statement);
        counts->trials_done += read_integer(&statement);
        counts->trials_failed += read_integer(&statement);
        counts->runs[state] += runs;
    }
    return rc < 0 ? rc : statement_check(&statement, err);
}
